"""Install the SageMaker client of the AWS SDK for JavaScript into a folder; without npm say so, and leave the tests to be skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

folder = Path(sys.argv[1])
npm = shutil.which("npm")
if (folder / "node_modules" / "@aws-sdk" / "client-sagemaker").exists():
    print(f"{folder} has the SDK for JavaScript")
elif npm is None and os.environ.get("CI"):
    sys.exit("npm is not installed, and CI runs the tests of the SDK for JavaScript")
elif npm is None:
    print("npm is not installed: the tests of the SDK for JavaScript are skipped")
else:
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--no-save", "--silent", "@aws-sdk/client-sagemaker@3"]
    subprocess.run(command, check=True, timeout=300)
