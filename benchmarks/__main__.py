"""All benchmarks, one command: a table of ratios, a file of figures, a plot of growth."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from . import calls, growth, processes, rules, server, strategies, suites
from .measure import Figure, table

GROUPS: dict[str, Callable[[], list[Figure]]] = {
    "calls": calls.figures,
    "rules": rules.figures,
    "processes": processes.figures,
    "growth": growth.figures,
    "suites": suites.figures,
    "server": server.figures,
    "strategies": strategies.figures,
}


def main() -> int:
    """Run the benchmarks that are asked for; return 0, whatever they find."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    parser.add_argument("--plot", type=Path, help="draw the growth to a file (.svg)")
    options = parser.parse_args()
    if unknown := [name for name in options.groups if name not in GROUPS]:
        parser.error(f"{unknown[0]!r} is none of: {', '.join(GROUPS)}")
    figures = []
    for name in options.groups or GROUPS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures += growth.figures(options.plot) if name == "growth" else GROUPS[name]()
    print(table(figures))
    if options.json is not None:
        names = ("pytest-smfake", "botocore", "boto3", "moto", "hypothesis", "fastjsonschema", "jsonschema-rs")
        about = {"date": datetime.now(UTC).date().isoformat(), "python": platform.python_version()} | {
            name: version(name) for name in names
        }
        facts = {"about": about, "figures": [asdict(figure) | {"met": figure.met} for figure in figures]}
        options.json.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
