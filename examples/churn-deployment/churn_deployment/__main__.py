"""Roll a version of the model out: python -m churn_deployment ENDPOINT NAME IMAGE ARTIFACT ROLE REGION."""

import sys

from .endpoints import roll_out
from .settings import Settings

FIELDS = ("ENDPOINT", "NAME", "IMAGE", "ARTIFACT", "ROLE", "REGION")


def main(arguments: list[str]) -> None:
    """Roll out what the arguments name."""
    if len(arguments) != len(FIELDS):
        sys.exit(f"usage: python -m churn_deployment {' '.join(FIELDS)}")
    endpoint, *version, region = arguments
    roll_out(Settings(*version), endpoint, region)
    print(f"{endpoint} serves {version[0]}")


if __name__ == "__main__":
    main(sys.argv[1:])
