"""A kind of resource is one file: a test defines one, in sixty lines, and all that the package does covers it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).parent / "kind_of_its_own.py"
ROOT = FILE.parent.parent.parent


def test_a_kind_takes_sixty_lines():
    lines = FILE.read_text("utf-8").splitlines()
    assert lines.index("# The kind ends here.") - lines.index("# The kind begins here.") - 1 <= 60


def test_all_the_rest_follows():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_smfake.plugin", str(FILE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
