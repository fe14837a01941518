"""The wheel and the sdist: what is in them, and what a package index shows."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent.parent
MODULES = {
    str(path.relative_to(ROOT)) for path in (ROOT / "pytest_smfake").rglob("*") if path.is_file() and "__pycache__" not in path.parts
}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """The wheel and the sdist, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def metadata(built) -> email.message.Message:
    with zipfile.ZipFile(built[0]) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(wheel.read(name))


def test_an_index_takes_both(built):
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, built)], check=True)


def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == MODULES
    assert {"pytest_smfake/py.typed", "pytest_smfake/rules/page.toml"} <= names
    assert {name.rpartition("/")[2] for name in about} == {"METADATA", "WHEEL", "RECORD", "LICENSE", "entry_points.txt"}


def test_the_sdist_can_be_tested(built):
    with tarfile.open(built[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names >= MODULES
    assert {
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "conftest.py",
        "tox.ini",
        "pyproject.toml",
        "tests/test_docs.py",
        "docs/rules.md",
    } <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".tox", ".venv"))]


def test_no_link_leads_nowhere_on_an_index(metadata):
    description = metadata.get_payload()
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "[Fixtures and settings]" not in description
    assert "Fixtures and settings" in description
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", description, flags=re.DOTALL)
    assert re.findall(r"\]\((?!https:)[^)]*\)", prose) == []


def test_what_an_index_lists(metadata):
    classifiers = metadata.get_all("Classifier")
    assert {"Framework :: Pytest", "Typing :: Typed", "Programming Language :: Python :: 3.13"} <= set(classifiers)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Home-page" not in metadata  # none is invented
