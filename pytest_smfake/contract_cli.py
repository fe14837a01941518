"""The commands `smfake contract` and `smfake cleanup`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .contract.options import AWS, CHECK, ENDPOINTS, LEDGER, RECORD, REPORT, TARGETS
from .results import check_path
from .spec.rules import EDITIONS

if TYPE_CHECKING:
    from .contract import Report, Target

USAGE_ERROR = 4
"""As pytest's own."""
FINDINGS = 1


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
    cleanup = commands.add_parser("cleanup", help="delete what a run against the real service left")
    cleanup.add_argument("--run", required=True, help="the id of the run, as it was printed")
    for command in (contract, cleanup):
        group = command.add_argument_group("the target aws")
        for key, text in AWS.items():
            group.add_argument(f"--aws-{key}", metavar=key.upper(), help=text)
        group.add_argument("--aws-configured-endpoints", action="store_true", help=ENDPOINTS)


def run(options: argparse.Namespace) -> int:
    """Run one of the commands; return its exit code: 0, 1 where something was found or left, 4 for wrong usage."""
    try:
        return _contract(options) if options.command == "contract" else _cleanup(options)
    except ValueError as error:
        print(f"smfake: {error}", file=sys.stderr)
        return USAGE_ERROR


def _told(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the target aws is told."""
    return {key: getattr(options, f"aws_{key}") for key in (*AWS, "configured_endpoints")}


def _contract(options: argparse.Namespace) -> int:
    from .contract import checks
    from .contract.session import Session
    from .contract.targets import target_of

    for path in options.report:
        check_path(path)
    chosen = checks(options.check, options.edition)
    targets = [target_of(name, options.edition, aws=_told(options)) for name in options.target or ["fake"]]
    session = Session(options.edition, targets, record=options.record, ledger=options.ledger)
    for line in session.begin(chosen):
        print(line)
    report = _run(options, targets)
    print(report)
    for result in report.failed:
        print(f"\n{result.check} on {result.target}\nexpected: {result.expected}\nactual: {result.actual}")
    for path in options.report:
        report.write(path)
        print(f"report: {path}")
    lines, clean = session.end(report.results, {check.id: check.rule for check in chosen})
    for line in lines:
        print(line)
    return FINDINGS if report.failed or not clean else 0


def _run(options: argparse.Namespace, targets: list[Target]) -> Report:
    from .contract import run_contract

    try:
        return run_contract(*targets, select=options.check, edition=options.edition)
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
