"""The commands `smfake contract` and `smfake cleanup`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .contract.options import AWS, CHECK, ENDPOINTS, LEDGER, RECORD, REPORT, STALE, TARGETS
from .results import check_path
from .spec.rules import EDITIONS

if TYPE_CHECKING:
    from .contract import Check, Report, Target
    from .spec.rules import Edition

FINDINGS, INTERRUPTED, USAGE_ERROR = 1, 2, 4
"""Exit codes, as pytest's own."""


def add_commands(commands: Any) -> None:
    """Add the two commands to those of `smfake`."""
    contract = commands.add_parser("contract", help="run the contract on the fake, an emulator, or the real service")
    add = contract.add_argument
    add("--target", action="append", default=[], metavar="NAME[=ARGUMENT]", help=TARGETS)
    add("--check", action="append", default=[], metavar="ID", help=CHECK)
    add("--edition", choices=EDITIONS, default="page", help="whose rules the boundary cases are about (default: page)")
    add("--report", action="append", default=[], type=Path, metavar="PATH", help=REPORT)
    add("--record", type=Path, metavar="PATH", help=RECORD)
    add("--ledger", type=Path, metavar="PATH", help=LEDGER)
    add("--stale", type=int, metavar="DAYS", help=STALE)
    cleanup = commands.add_parser("cleanup", help="delete what a run against the real service left")
    cleanup.add_argument("--run", required=True, help="the id of the run, as it was printed")
    for command in (contract, cleanup):
        group = command.add_argument_group("the target aws")
        for key, text in AWS.items():
            group.add_argument(f"--aws-{key}", metavar=key.upper(), help=text)
        group.add_argument("--aws-configured-endpoints", action="store_true", help=ENDPOINTS)


def run(options: argparse.Namespace) -> int:
    """Run one of the commands; return its exit code: 0, 1 where something was found or left, 2 on Ctrl-C, 4 for wrong usage."""
    try:
        return _contract(options) if options.command == "contract" else _cleanup(options)
    except ValueError as error:
        print(f"smfake: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("smfake: interrupted", file=sys.stderr)
        return INTERRUPTED


def _told(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the target aws is told."""
    return {key: getattr(options, f"aws_{key}") for key in (*AWS, "configured_endpoints")}


def _contract(options: argparse.Namespace) -> int:
    from .contract import checks
    from .contract.session import Session
    from .contract.targets import target_of

    for path in options.report:
        check_path(path)
    targets = [target_of(name, options.edition, aws=_told(options)) for name in options.target or ["fake"]]
    session = Session(options.edition, targets, record=options.record, ledger=options.ledger, stale=options.stale)
    chosen = [check for check in checks(options.check, options.edition) if session.wants(check)]
    if not chosen:
        print(f"no evidence is older than {options.stale} days: there is nothing to run")
        return 0
    for line in session.begin(chosen):
        print(line, flush=True)  # the id of the run has to be seen, whatever comes
    report = _run(chosen, targets, options.edition)
    print(report)
    for result in report.failed:
        print(f"\n{result.check} on {result.target}\nexpected: {result.expected}\nactual: {result.actual}")
    for path in options.report:
        report.write(path)
        print(f"report: {path}")
    lines, clean = session.end(report.results)
    for line in lines:
        print(line)
    return FINDINGS if report.failed or not clean else 0


def _run(chosen: list[Check], targets: list[Target], edition: Edition) -> Report:
    from .contract.suite import run_checks

    try:
        return run_checks(chosen, targets, edition)
    except BaseException:
        # Also on Ctrl-C: what a check created is deleted, and what is left is told.
        for target in targets:
            for name in target.finish():
                print(f"{target.name}: {name} is left. Remove it: smfake cleanup --run={target.run}", file=sys.stderr)
        raise


def _cleanup(options: argparse.Namespace) -> int:
    from .contract.targets import aws_target

    if not re.fullmatch("[a-z]{8}", options.run):
        raise ValueError(f"{options.run!r} is not the id of a run, which has 8 lower-case letters")
    target = aws_target(_told(options) | {"run": options.run})
    target.preflight()
    deleted = target.cleanup()
    for name in deleted:
        print(f"deleted: {name}")
    left = target.census()
    print(f"{len(deleted)} models of run {options.run} were deleted, {len(left)} are left")
    return FINDINGS if left else 0
