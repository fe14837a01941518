"""Run the commands `smfake contract` and `smfake cleanup`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_smfake.rules.rule import EDITIONS

from .plugin import (
    AWS,
    CHECK_OPTION,
    DRY_RUN,
    ENDPOINTS,
    LEDGER_OPTION,
    POLICY,
    RECORD,
    REDACT,
    REPORT_OPTION,
    STALE,
    TARGETS,
    VERBOSE,
    check_path,
)

if TYPE_CHECKING:
    from . import Check, Report, Result, Target

FINDINGS, INTERRUPTED, USAGE_ERROR = 1, 2, 4
"""Exit codes; the same as those of pytest."""
EXAMPLE_RUN = "4k9zq0vw2bt3"
"""A valid id of a run, for an error text."""


def add_commands(commands: Any) -> None:
    """Add the two commands to `smfake`."""
    contract = commands.add_parser("contract", help="run the contract on the fake, an emulator, or the real service")
    add = contract.add_argument
    add("--target", action="append", default=[], metavar="NAME[=ARGUMENT]", help=TARGETS)
    add("--check", action="append", default=[], metavar="ID", help=CHECK_OPTION)
    add("--edition", choices=EDITIONS, default="page", help="the edition whose rules the boundary cases test (default: page)")
    add("--report", action="append", default=[], type=Path, metavar="PATH", help=REPORT_OPTION)
    add("--redact", action="store_true", help=REDACT)
    add("--record", type=Path, metavar="PATH", help=RECORD)
    add("--ledger", type=Path, metavar="PATH", help=LEDGER_OPTION)
    add("--stale", type=int, metavar="DAYS", help=STALE)
    add("-v", "--verbose", action="store_true", help=VERBOSE)
    instead = contract.add_mutually_exclusive_group().add_argument
    instead("--dry-run", action="store_true", help=DRY_RUN)
    instead("--print-policy", action="store_true", help=POLICY)
    cleanup = commands.add_parser("cleanup", help="delete the models that a run against the real service left behind")
    cleanup.add_argument("--run", required=True, help="the id that the run printed")
    cleanup.add_argument("--dry-run", action="store_true", help="print the names of the models to delete, and delete none")
    for command in (contract, cleanup):
        group = command.add_argument_group("the target aws")
        for key, text in AWS.items():
            group.add_argument(f"--aws-{key}", metavar=key.upper(), help=text)
        group.add_argument("--aws-configured-endpoints", action="store_true", help=ENDPOINTS)


def run(options: argparse.Namespace) -> int:
    """Run one of the commands.

    Returns:
        The exit code: 0; 1 if a check failed or has no result, or models are left; 2 after a signal, or for an unknown option; 4 for
            a wrong value.
    """
    from pytest_smfake.contract.targets.names import UnsafeRequestError

    try:
        return _contract(options) if options.command == "contract" else _cleanup(options)
    except ValueError as error:
        print(f"smfake: {error}", file=sys.stderr)
        return USAGE_ERROR
    except UnsafeRequestError as error:
        print(f"smfake: {error}", file=sys.stderr)
        return FINDINGS
    except KeyboardInterrupt:
        print("smfake: interrupted", file=sys.stderr)
        return INTERRUPTED


def _aws_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the target aws from the options."""
    return {key: getattr(options, f"aws_{key}") for key in (*AWS, "configured_endpoints")}


def _contract(options: argparse.Namespace) -> int:
    from pytest_smfake.contract.session import Signals
    from pytest_smfake.contract.targets.emulators import target_of

    from . import checks
    from .render import findings
    from .run import redacting, report_of, run_checks
    from .session import Session

    for path in options.report:
        check_path(path)
    targets = [target_of(name, options.edition, aws=_aws_settings(options)) for name in options.target or ["fake"]]
    session = Session(options.edition, targets, record=options.record, ledger=options.ledger, stale=options.stale)
    chosen = [check for check in checks(options.check, options.edition) if session.wants(check)]
    if not chosen:
        print(f"no evidence is older than {options.stale} days: nothing to run")
        return 0
    if options.dry_run or options.print_policy:
        return _print_plan(options, targets, chosen)
    with Signals(targets), redacting(targets if options.redact else ()):
        for line in session.begin(chosen):
            print(line, flush=True)  # print the id of the run first: a clean-up needs it
        results: list[Result] = []
        try:
            run_checks(chosen, targets, options.edition, results)
        except KeyboardInterrupt:
            session.interrupted = True
        finally:
            # After any error, and before anything else that may fail: delete the models, and report those that are left.
            lines, clean = session.end(results)
            report = report_of(chosen, targets, options.edition, results)
            written = _write(report, options.report)
            _say(lines)
    try:
        print(*findings(report, every=options.verbose), report, sep="\n")
    finally:
        _say([*written.values()])  # the user must see if a report could not be written
    if session.interrupted:
        raise KeyboardInterrupt
    return 0 if clean and not report.failed and all(line.startswith("report:") for line in written.values()) else FINDINGS


def _write(report: Report, paths: list[Path]) -> dict[Path, str]:
    """Write a report to files; return a line about each."""
    lines = {}
    for path in paths:
        try:
            report.write(path)
            lines[path] = f"report: {path}"
        except OSError as error:
            lines[path] = f"the report could not be written to {path}: {error.strerror}"
    return lines


def _say(lines: list[str]) -> None:
    """Print lines to stdout, or to stderr if stdout is closed, such as after `| head -1`."""
    if not lines:
        return
    try:
        print("\n".join(lines), file=sys.stdout or sys.stderr, flush=True)
    except OSError:
        print("\n".join(lines), file=sys.stderr)


def _print_plan(options: argparse.Namespace, targets: list[Target], chosen: list[Check]) -> int:
    """Print the requests of a run, or the IAM policy that it needs, without sending anything."""
    from pytest_smfake.contract.targets.aws import AwsTarget, policy

    from .targets.aws import plan_lines, rehearse

    found = [target for target in targets if isinstance(target, AwsTarget)]
    if len(found) != 1 or len(targets) != 1:
        raise ValueError(f"{'--dry-run' if options.dry_run else '--print-policy'} needs the target aws as the only one: add --target aws")
    log = rehearse(found[0], chosen, options.edition).log
    if options.print_policy:
        print(json.dumps(policy(found[0].settings, {planned.operation for planned in log}), indent=2))
    else:
        for line in plan_lines(log):
            print(line)
    return 0


def _cleanup(options: argparse.Namespace) -> int:
    from pytest_smfake.contract.session import find_residue, remove_residue
    from pytest_smfake.contract.targets.emulators import aws_target
    from pytest_smfake.contract.targets.names import is_run
    from pytest_smfake.contract.targets.target import UnprovedError

    from .check import Difference

    if not is_run(options.run):
        raise ValueError(
            f"{options.run!r} is not the id of a run: use the 12 lower-case letters and digits that the run printed, such as {EXAMPLE_RUN}"
        )
    target = aws_target(_aws_settings(options) | {"run": options.run})
    target.preflight()
    try:
        found = find_residue(target)
    except (UnprovedError, Difference) as error:
        print(f"smfake: models of run {options.run} may be left: {'; '.join(str(error).splitlines())}", file=sys.stderr)
        return FINDINGS
    if not options.dry_run:
        remove_residue(target, found)
    for action, names in (
        ("would be deleted", found.own if options.dry_run else []),
        ("deleted", found.deleted),
        ("already gone", found.gone),
    ):
        for name in names:
            print(f"{action}: {name}")
    for action, reasons in (("passed over", found.passed_over), ("left", found.failed)):
        for name, reason in reasons.items():
            print(f"{action}: {name}, since {reason}")
    if options.dry_run:
        print(f"{len(found.own)} models of run {options.run} would be deleted, {len(found.passed_over)} passed over")
    else:
        others = f", {len(found.passed_over)} passed over" if found.passed_over else ""
        print(f"{len(found.deleted)} models of run {options.run} were deleted, {len(found.failed)} are left{others}")
    return FINDINGS if found.failed else 0
