"""What is imported when, and who imports whom."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_smfake

PACKAGE = Path(pytest_smfake.__file__).parent
HEAVY = ("boto3", "botocore", "moto", "responses", "hypothesis", "faker", "aiobotocore", "jsonschema")

LAYERS = {
    "rules": set(),
    "patches": set(),
    "decorator": set(),
    "service": {"rules", "patches"},
    "generate": {"rules", "service"},
    "protocol": {"rules", "service"},
    "settings": {"rules", "service", "protocol"},
    "clients": {"rules", "service", "protocol", "patches"},
    "cases": {"rules", "generate", "service"},
    "faker": {"rules", "generate"},
    "fake": {"rules", "service", "protocol", "clients", "settings", "decorator"},
    "strategies": {"rules", "generate", "fake"},
    "sweeps": {"rules", "service", "fake"},
    "server": {"rules", "service", "protocol", "clients", "settings", "fake"},
    "contract": {"rules", "service", "generate", "cases", "fake"},
    "plugin": {"rules", "service", "protocol", "clients", "settings", "fake", "faker", "patches", "server", "contract", "Unrewritten"},
    "cli": {"rules", "service", "server", "contract"},
    "__init__": {"rules", "service", "protocol", "clients", "fake", "sweeps"},
}
"""Which parts of the package each part may import, itself included."""


def test_a_run_that_does_not_use_the_plugin_imports_nothing_heavy(pytester, alone):
    pytester.makepyfile(f"""
        import sys

        def test_it():
            assert "pytest_smfake.plugin" in sys.modules
            loaded = [name for name in {HEAVY!r} if name in sys.modules]
            assert loaded == []
    """)
    # The plugins of other packages import what they like: Hypothesis's own, for one.
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_what_each_start_loads_is_not_rewritten(pytester, alone):
    pytester.makepyfile("""
        import sys

        def test_it():
            own = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "pytest_smfake"}
            by_pytest = {name for name, module in own.items() if type(module.__loader__).__name__ == "AssertionRewritingHook"}
            assert by_pytest <= {"pytest_smfake", "pytest_smfake.plugin"}
            assert all("PYTEST_DONT_REWRITE" in own[name].__doc__ for name in by_pytest)
            assert len(own) > 5
            assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("pytest_smfake")]
    """)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


@pytest.mark.parametrize("module", ["pytest_smfake", "pytest_smfake.plugin", "pytest_smfake.cli"])
def test_a_module_imports_nothing_heavy(module):
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_moto_and_boto3_are_not_imported_for_a_fake():
    code = "import sys; from pytest_smfake import FakeSageMaker\nwith FakeSageMaker(): print([n for n in ('moto', 'boto3') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def imports_of(path: Path) -> set[str]:
    """Return the parts of the package that a file imports."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = list(parts[: len(parts) - node.level])
                names = [*base, *(node.module or "").split(".")] if node.module else [*base, *(alias.name for alias in node.names)]
                found.add(next(name for name in names if name))
            elif (node.module or "").startswith("pytest_smfake."):
                found.add(node.module.split(".")[1])
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_directions_of_imports(path):
    part = path.relative_to(PACKAGE).with_suffix("").parts[0]
    assert imports_of(path) <= LAYERS[part] | {part}


def test_a_wrong_direction_would_be_seen(monkeypatch, tmp_path):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    (tmp_path / "spec").mkdir()
    for line in ("from pytest_smfake.service.service import Service", "from ..service import core", "from ..service.core import Service"):
        file = tmp_path / "spec" / "wrong.py"
        file.write_text(line)
        assert imports_of(file) == {"service"}, line


def test_public_names():
    assert sorted(pytest_smfake.__all__) == pytest_smfake.__all__
    for name in pytest_smfake.__all__:
        assert getattr(pytest_smfake, name).__doc__, name
    assert set(pytest_smfake.__all__) <= set(dir(pytest_smfake))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = pytest_smfake.Nothing


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_reads_in_one_sitting(path):
    assert len(path.read_text("utf-8").splitlines()) <= 700


def test_a_function_reads_at_a_glance():
    long = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
                if node.end_lineno - first.lineno >= 60:
                    long.append(f"{path.name}: {node.name}")
    assert long == []


def test_a_stranger_sees_few_modules_and_folders():
    assert len(list(PACKAGE.glob("*.py"))) <= 9
    assert len(list(PACKAGE.rglob("*.py"))) <= 110  # it was 141; a kind of resource is one more


def test_a_public_name_means_one_thing():
    hooks = "pytest_"
    where: dict[str, set[Path]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            names += [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []
            for name in names:
                if not name.startswith(("_", hooks)):
                    where.setdefault(name, set()).add(path)
    assert {name: sorted(paths) for name, paths in where.items() if len(paths) > 1} == {}


def test_one_place_for_each_kind():
    naming = {path.name for path in PACKAGE.rglob("*.py") if re.search("TransformJob|transform_job|TRANSFORM", path.read_text("utf-8"))}
    assert len(naming) <= 10
