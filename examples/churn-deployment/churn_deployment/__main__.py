"""Print what a deployment would do."""

import sys

from .models import plan
from .settings import Settings

FIELDS = ("NAME", "IMAGE", "ARTIFACT", "ROLE")

if len(sys.argv) != len(FIELDS) + 1:
    sys.exit(f"usage: python -m churn_deployment {' '.join(FIELDS)}")
print("\n".join(plan(Settings(*sys.argv[1:]))))
