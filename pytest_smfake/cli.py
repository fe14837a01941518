"""The `smfake` command."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import select
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from .contract import command as contract_cli
from .rules.inputs import shown
from .rules.rule import EDITIONS, Edition, Evidence
from .server.command import add_arguments, run_server

if TYPE_CHECKING:
    from .rules.rule import Rule

USAGE_ERROR = 2
UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EBADF)
"""Errors of an output that cannot be written, such as to a full disk."""
CLOSED = 141
"""The exit code if the reader of the output is gone: that of a program ended by SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit code: 0, 1 for findings, 2 for wrong usage (4 of `contract` and `cleanup`)."""
    closed = sys.stdout is None
    if closed:  # None: it was closed before the start
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the process ends
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # texts from files and services can have characters that the terminal lacks
    try:
        try:
            options = parser().parse_args(arguments, argparse.Namespace(closed=closed))
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning  # type: ignore[assignment]  # it uses only the message
                return _run(options)
        finally:
            sys.stdout.flush()  # here, where errors are caught; else Python does it at exit
    except BrokenPipeError:
        if not _is_closed(sys.stdout.fileno()):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    except OSError as error:
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        print(f"smfake: the output cannot be written: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE_ERROR


def _run(options: argparse.Namespace) -> int:
    if options.command in ("contract", "cleanup"):
        return contract_cli.run(options)
    try:
        if options.command == "serve":
            return run_server(options)
        return print_rules(options) if options.command == "rules" else print_diff(options)
    except ValueError as error:
        print(f"smfake: {error}", file=sys.stderr)
        return USAGE_ERROR


def _show_warning(message: Warning | str, *_: object) -> None:
    """Print a warning as one line of the command."""
    print(f"smfake: {message}", file=sys.stderr)


def _is_closed(output: int) -> bool:
    """Return whether the reader of a file descriptor, such as `head`, is gone. True on Windows, which has no poll."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(output, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


class _Version(argparse.Action):
    """Prints the versions, which are read only for this option."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"smfake {version('pytest-smfake')} (botocore {version('botocore')})")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    about = "The fake SageMaker of pytest-smfake: print its rules, serve it over HTTP, and check the real service against its contract."
    parser = argparse.ArgumentParser(prog="smfake", description=about)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the versions of pytest-smfake and botocore, and exit")
    commands = parser.add_subparsers(dest="command", required=True)
    rules = commands.add_parser("rules", help="print the catalogue of rules")
    rules.add_argument("operation", nargs="?", help="a SageMaker operation (default: all operations of the fake)")
    rules.add_argument("--edition", choices=EDITIONS, default="page", help="page (default) or sdk")
    rules.add_argument("--evidence", metavar="GRADE", help="print only the rules with this evidence, such as observed")
    rules.add_argument("--json", action="store_true", help="print JSON instead of a table")
    diff = commands.add_parser("diff", help="print the differences of two editions or contract reports; exit code 1 if there are any")
    diff.add_argument("left", type=_side, metavar="A", help="page, sdk, or a report (.json)")
    diff.add_argument("right", type=_side, metavar="B", help="as A: two editions, or two reports")
    diff.add_argument("operation", nargs="?", help="only of editions: a SageMaker operation (default: all operations of the fake)")
    serve = commands.add_parser("serve", help="serve the fake over HTTP, for clients of any language")
    add_arguments(serve)
    contract_cli.add_commands(commands)
    return parser


def print_rules(options: argparse.Namespace) -> int:
    """Print the rules of one operation, or of all operations of the fake, those that are off among them."""
    if options.evidence not in (None, *get_args(Evidence)):
        raise ValueError(f"{shown(options.evidence)} is not an evidence; there are: {', '.join(get_args(Evidence))}")
    found = [
        (rule, on)
        for name in _operations(options.operation)
        for rule, on in _rules(options.edition, name)
        if options.evidence in (None, rule.evidence)
    ]
    if options.json:
        print(json.dumps([asdict(rule) | {"on": on} for rule, on in found], indent=1))
    else:
        rows = ((rule.id, _short(rule.bound), _evidence(rule, on), rule.source) for rule, on in found)
        print(table(("rule", "bound", "evidence", "source"), rows))
    return 0


def _side(text: str) -> str:
    """Check one side of a comparison: an edition, or the path of a report."""
    try:
        found = text in EDITIONS or Path(text).is_file()
    except OSError:  # too long for a path
        found = False
    if not found:
        raise argparse.ArgumentTypeError(f"{shown(text)} is neither an edition ({', '.join(EDITIONS)}) nor a file")
    return text


def print_diff(options: argparse.Namespace) -> int:
    """Print the differences of two editions, or of two contract reports."""
    editions = [side for side in (options.left, options.right) if side in EDITIONS]
    if len(editions) == 1:
        raise ValueError(f"{options.left} and {options.right} cannot be compared: expected two editions, or two reports")
    if editions:
        return print_differences(options)
    if options.operation:
        raise ValueError(f"unexpected operation {options.operation!r}: reports are compared as a whole")
    return print_changes(Path(options.left), Path(options.right))


def print_changes(before: Path, after: Path) -> int:
    """Print the contract checks whose outcomes differ between two reports."""
    from .contract.report import CHANGE_KINDS, circumstances, compare, read_report, tally

    old, new = read_report(before), read_report(after)
    changes = compare(old, new)
    for line in circumstances(old, new):
        print(line)
    for kind, what in CHANGE_KINDS.items():
        rows = [(change.check, change.target, change.before or "-", change.after or "-") for change in changes if change.kind == kind]
        if rows:
            print(f"\n{what}:\n{table(('check', 'target', 'before', 'after'), rows)}")
    print(f"\n{tally(changes)}")
    return 1 if changes else 0


def print_differences(options: argparse.Namespace) -> int:
    """Print the rules whose bounds differ between two editions."""
    from .rules.catalogue import catalogue, differences

    left, right = catalogue(options.left), catalogue(options.right)
    found = [entry for name in _operations(options.operation) for entry in differences(left, right, name)]
    rows = ((rule_id, "-" if a is None else _short(a.bound), "-" if b is None else _short(b.bound)) for rule_id, a, b in found)
    print(table(("rule", options.left, options.right), rows))
    return 1 if found else 0


def _operations(name: str | None) -> Iterable[str]:
    from .service.service import OPERATIONS

    return (name,) if name else OPERATIONS


def _rules(edition: Edition, operation: str) -> Iterator[tuple[Rule, bool]]:
    """Yield each rule of an operation and of its response, and whether it is on; one that is off is in no edition."""
    from .rules.catalogue import Catalogue, catalogue
    from .rules.coded import coded_rules
    from .rules.service_model import RESPONSE
    from .service import service  # noqa: F401  # its kinds register rules

    off = {coded.rule.id: coded for coded in coded_rules(operation) if not coded.editions}
    asked = Catalogue(edition, {rule_id: coded.rule.bound for rule_id, coded in off.items()})
    for rule in asked.rules(operation):
        yield (off[rule.id].in_(edition), False) if rule.id in off else (rule, True)
    for rule in catalogue(edition).rules(operation + RESPONSE):
        yield rule, True


def _evidence(rule: Rule, on: bool) -> str:
    from .rules.java_regex import is_vacuous

    since, until = (f" {word} {seen}" if seen else "" for word, seen in (("since", rule.since), ("until", rule.until)))
    unchecked = ", not enforced" if rule.keyword == "pattern" and is_vacuous(rule.bound) else ""
    return f"{rule.evidence}{since}{until}{unchecked}{'' if on else ', off'}"


def _short(bound: Any, width: int = 60) -> str:
    text = ", ".join(bound) if isinstance(bound, tuple) else str(bound)
    return text if len(text) <= width else f"{text[: width - 3]}..."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as lines, with columns as wide as their widest cell."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main())
