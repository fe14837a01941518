"""Every block of the README and of the pages in docs runs, and every example in a docstring."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import boto3  # noqa: F401  # else a run in this process loads it, and its own patches with it, for itself alone
import pytest

import pytest_smfake
import pytest_smfake.fake  # likewise

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NUMBERED = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
]
PACKAGE = Path(pytest_smfake.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in PACKAGE.rglob("*.py") if path.stem != "__init__"
)


def test_the_first_example_passes_and_fails_as_it_says(pytester, alone):
    pytester.makepyfile(test_passes=BLOCKS[0])
    pytester.runpytest().assert_outcomes(passed=1)
    pytester.makepyfile(test_deploy=BLOCKS[0].replace("churn-2026-11", "churn_2026_11"))
    result = pytester.runpytest_subprocess("--tb=short", "test_deploy.py")
    result.assert_outcomes(failed=1)
    said = re.search(r"```text\n(.*?\n)```", README, re.DOTALL)[1]
    assert len(said.splitlines()) <= 15
    # What is underlined, and how, depends on the versions of Python and pytest.
    lines = [line for line in said.splitlines() if line.strip(" ^~")]
    printed = [line for line in result.outlines if line.strip(" ^~")]
    first = printed.index(lines[0])
    assert printed[first : first + len(lines)] == lines


def test_the_first_example_is_short():
    assert len(BLOCKS[0].splitlines()) <= 12


@pytest.mark.parametrize("block", NUMBERED[1:])
def test_the_other_examples(block, pytester):
    tests = len(re.findall(r"^def test_", block, re.MULTILINE))
    pytester.makepyfile(block if tests else "def test_it():\n" + "".join(f"    {line}\n" for line in block.splitlines()))
    # What other tests of this process left to the garbage collector is not theirs.
    outcomes = pytester.runpytest("-W", "ignore::pytest.PytestUnraisableExceptionWarning").parseoutcomes()
    assert outcomes.keys() - {"subtests"} == {"passed"}  # what pytest-subtests counts by itself
    assert outcomes["passed"] >= (tests or 1)  # a test with parameters passes several times


def test_fixtures_settings_and_operations_are_named():
    from pytest_smfake.service.service import OPERATIONS
    from pytest_smfake.settings import NAMES

    source = "".join((ROOT / "pytest_smfake" / name).read_text("utf-8") for name in ("plugin/hooks.py", "contract/plugin.py"))
    names = [*NAMES, *OPERATIONS, *re.findall(r'addini\("(\w+)"', source), *re.findall(r"fixture\S*\ndef (\w+)", source)]
    assert len(names) > 20
    pages = "".join(page.read_text("utf-8") for page in PAGES)
    assert [name for name in names if name not in pages] == []


def test_the_readme_ends_before_it_tires():
    assert len(README.splitlines()) <= 130


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?:)([^)]*)\)", prose):
        path, _, heading = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", linked.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-") for text in headings}, target


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    failed, _ = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    examples = [test for name in MODULES for test in finder.find(import_module(name)) if test.examples]
    assert len(examples) >= 10


def test_the_architecture_names_what_there_is():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    assert len(text.splitlines()) <= 60
    package = ROOT / "pytest_smfake"
    there = {path.name for path in (*package.rglob("*.py"), *package.rglob("*.toml"), *ROOT.rglob("tests/**/*.py"))}
    named = {name.rpartition("/")[2] for name in re.findall(r"[\w/]+\.(?:py|toml)\b", text)}
    assert named - there == set()
    assert {path.name for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"} <= set(re.findall(r"(\w+)/", text))


@pytest.mark.skipif(version("botocore").startswith("1.38."), reason="the lowest botocore has fewer rules")
def test_the_number_of_checks_is_told():
    from pytest_smfake.contract import checks

    told = {"README.md": rf"runs {len(checks())} checks", "docs/contract.md": rf"Of the {len(checks())} checks of the edition `page`"}
    assert [name for name, text in told.items() if text not in (ROOT / name).read_text("utf-8")] == []
    assert f"in all         {len(checks())}/{len(checks())} " in (ROOT / "docs" / "contract.md").read_text("utf-8")
