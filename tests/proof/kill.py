"""The kill matrix: each rule is weakened alone, and the cases of that rule, and no others, have to tell.

Run it from the project's root: `python -m tests.proof.kill [OPERATION ...]`; `--reasons` prints why a rule has no outside case.

A rule is weakened by the public override `rules={ID: None}`, an account limit by leaving it out of `limits`. Then every case of the
operation is judged by `Service.check` and, where it needs the state of the account, `Service.execute`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from pytest_smfake.cases import Case, UnobservableRule, Verdict, cases, unobservable_rules
from pytest_smfake.generate.mutations import places, put
from pytest_smfake.generate.requests import Maker
from pytest_smfake.generate.tree import LEAST, MemberPath, copy
from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.rule import EDITIONS, Edition, Rule
from pytest_smfake.service.clock import Clock
from pytest_smfake.service.errors import ServiceError
from pytest_smfake.service.resources import Scope
from pytest_smfake.service.service import OPERATIONS, Service

SCOPE = Scope("123456789012", "us-east-1")


@dataclass
class Row:
    """What became of the rules of one operation in one edition."""

    operation: str
    edition: Edition
    rules: int = 0
    observable: int = 0
    silent: list[UnobservableRule] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    survived: list[str] = field(default_factory=list)
    entangled: list[tuple[str, str]] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """Rules called message-only whose text does not tell either."""
    cases: int = 0
    seconds: float = 0.0

    def count(self, kind: str) -> int:
        """Return how many rules are silent in this way."""
        return sum(one.kind == kind for one in self.silent)


class Objects:
    """An S3 that holds what a case says."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self.addresses = addresses

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield what there is."""
        yield from (address for address in self.addresses if address.startswith(prefix))

    def read(self, _: str) -> bytes:
        """Return a manifest that names nothing."""
        return b'[{"prefix": "s3://bucket/"}]'

    def write(self, address: str, body: bytes) -> None:
        """Store nothing."""


def judge(case: Case, service: Service) -> Verdict:
    """Return what a service says of a request that needs no state."""
    # A null that is no longer refused is taken out of the request: the case's own stays as it is.
    request = copy(case.request) if case.id.endswith(":required-null") else case.request
    try:
        service.check(case.operation, request)
    except ServiceError as error:
        return Verdict(error.code, tuple(sorted({violation.rule.id for violation in error.violations})))
    return Verdict()


def judge_with_state(case: Case, catalogue: Catalogue, limits: dict[str, int]) -> Verdict:
    """Return what a new service says of a request once what the case needs is there."""
    service = Service(catalogue, limits, Clock(), SimpleNamespace(s3=lambda _: Objects(case.objects or ())))
    for thing in case.unavailable:
        service.unavailable.add(thing, None)
    service.stand_ins.add(case.first[0][1].get("ModelName", "a") if case.first else "a", lambda body, *_: body, ping=None, timeout=None)
    try:
        for operation, request in (*case.first, (case.operation, case.request)):
            sent = copy(request)
            service.check(operation, sent)
            service.execute(operation, sent, SCOPE)
    except ServiceError as error:
        rules = {violation.rule.id for violation in error.violations} or {case.rule.id}
        return Verdict(error.code, tuple(sorted(rules)))
    finally:
        service.stand_ins.close()
    return Verdict()


def verdicts(found: list[Case], catalogue: Catalogue, without: Rule | None = None) -> list[Verdict]:
    """Return what is said of each case, with the limits of the cases but for one; of cases with equal requests it is said once."""
    service = Service(catalogue, {}, Clock(), SimpleNamespace(s3=lambda _: Objects(())))
    said: dict[int, Verdict] = {}
    result = []
    for case in found:
        if case.rule.kind in ("condition", "limit"):
            result.append(judge_with_state(case, catalogue, {} if case.rule is without else dict(case.limits)))
            continue
        if id(case.request) not in said:
            said[id(case.request)] = judge(case, service)
        result.append(said[id(case.request)])
    return result


def sharing(found: list[Case]) -> list[Case]:
    """Return the cases with one request for all whose requests are equal."""
    known: dict[str, Any] = {}
    return [replace(case, request=known.setdefault(repr(case.request), case.request)) for case in found]


def matrix(operation: str, edition: Edition) -> Row:
    """Weaken each rule of an operation alone, and see which cases tell.

    Raises:
        AssertionError: a case is not judged as it says, with all rules in force.
    """
    start = time.perf_counter()
    catalogue = Catalogue(edition)
    found = sharing(cases(operation, edition=edition))
    row = Row(operation, edition, silent=unobservable_rules(operation, edition=edition), cases=len(found))
    wrong = [case.id for case, verdict in zip(found, verdicts(found, catalogue), strict=True) if verdict != case.verdict]
    assert not wrong, f"not judged as they say: {wrong}"
    limits = {case.rule.id: case.rule for case in found if case.rule.kind == "limit"}
    silent = {one.rule.id: one for one in row.silent}
    for rule in (*catalogue.rules(operation), *limits.values()):
        row.rules += 1
        row.observable += rule.id not in silent
        weakened = catalogue if rule.kind == "limit" else Catalogue(edition, {rule.id: None})
        own = next((case.rule for case in found if case.rule.id == rule.id), rule)
        changed = [case for case, verdict in zip(found, verdicts(found, weakened, own), strict=True) if verdict != case.verdict]
        outside = [case for case in found if case.rule.id == rule.id and case.side == "outside"]
        if outside and all(case in changed for case in outside):
            row.killed.append(rule.id)
        elif rule.id not in silent:
            row.survived.append(rule.id)
        elif silent[rule.id].kind == "message-only" and not tells(rule, Maker(catalogue, operation), weakened):
            row.unseen.append(rule.id)
        row.entangled += [(rule.id, case.id) for case in changed if case not in outside]
    row.seconds = time.perf_counter() - start
    return row


def tells(rule: Rule, maker: Maker, weakened: Catalogue) -> bool:
    """Whether only the text tells that a rule is weakened: what breaks it breaks another, and is rejected all the same."""
    request: Any = maker.request(LEAST, wanted=MemberPath(rule.path))
    value = "a" * (rule.bound + 1) if rule.keyword == "max" else ""
    put(request, places(request, rule.path)[0], value, key=rule.path.endswith("[key]"))
    strict, lax = (
        {violation.rule.id for violation in catalogue.validate(rule.operation, request)} for catalogue in (maker.catalogue, weakened)
    )
    return rule.id in strict and lax == strict - {rule.id} and bool(lax)


HEAD = ("operation", "edition", "rules", "observable", "message-only", "vacuous", "cases", "killed", "entangled", "seconds")


def main() -> int:
    """Print the matrix; return 1 where a rule survived or is entangled."""
    parser = argparse.ArgumentParser(description="Weaken each rule alone, and see which cases tell.")
    parser.add_argument("operation", nargs="*", default=["CreateModel"], help="operations, or `all` (default: CreateModel)")
    parser.add_argument("--reasons", action="store_true", help="print why rules have no outside case")
    options = parser.parse_args()
    operations = list(OPERATIONS) if options.operation == ["all"] else options.operation
    rows = [matrix(operation, edition) for operation in operations for edition in EDITIONS]
    print("".join(f"{name:>{36 if name == 'operation' else 13}}" for name in HEAD))
    for row in rows:
        counts = (
            row.rules,
            row.observable,
            row.count("message-only"),
            row.count("vacuous"),
            row.cases,
            len(row.killed),
            len(row.entangled),
        )
        print(f"{row.operation:>36}{row.edition:>13}" + "".join(f"{count:>13}" for count in counts) + f"{row.seconds:>13.1f}")
    for row in rows:
        for rule_id in (*row.survived, *row.unseen):
            print(f"survived in {row.edition}: {rule_id}")
        for rule_id, case_id in row.entangled:
            print(f"entangled in {row.edition}: {rule_id} with {case_id}")
        if options.reasons:
            for one in row.silent:
                print(f"{row.edition}: {one.rule.id} is {one.kind}: {one.reason}")
    return int(any(row.survived or row.unseen or row.entangled for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
