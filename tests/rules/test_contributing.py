"""CONTRIBUTING.md shows how a rule is written: one block is all that it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).parent / "contributed.py"


def test_what_is_shown_works():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_smfake.plugin", str(FILE)]
    done = subprocess.run(command, cwd=FILE.parent.parent.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "passed" in done.stdout
