"""What the audit finds in a request, and the lines that tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_smfake.rules.catalogue import Catalogue, otherwise
from pytest_smfake.rules.messages import message
from pytest_smfake.rules.rule import Edition

SHOWN = 3
"""How many of the places that break a rule are named."""
VALUE_WIDTH, SENTENCE_WIDTH = 60, 300
"""Characters past which a value, and a whole sentence of the service, are cut."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that the service would refuse a request by, its sentence, and what the other edition says where it would not."""

    rule: str
    evidence: str
    text: str
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that was checked: where it was sent, and why the service would refuse it; `refusals` is empty for a sound one."""

    place: str
    phase: str
    operation: str
    refusals: Sequence[Refusal]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Checked:
        """Return what was checked elsewhere, from the dict that it travelled as."""
        return cls(**{**entry, "refusals": tuple(Refusal(**refusal) for refusal in entry["refusals"])})


def refusals(operation: str, request: Any, rules: Catalogue) -> Iterator[Refusal]:
    """Yield the rules of a catalogue that a request breaks, each once; `request` is None where it could not be read."""
    if request is None:
        yield Refusal(
            f"{operation}:json", "assumed", "SerializationException, without a message: the body is no JSON that the service reads"
        )
        return
    told = set()
    for violation in rules.validate(operation, request):
        if violation.rule.id in told:
            continue
        told.add(violation.rule.id)
        echo = violation.echo if violation.echo is None else _shortened(violation.echo, VALUE_WIDTH)
        text = message([replace(violation, echo=echo)]).removeprefix("1 validation error detected: ")
        there = otherwise(violation, rules.edition)
        yield Refusal(violation.rule.id, violation.rule.evidence, _shortened(text, SENTENCE_WIDTH), there.text if there else None)


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def outside(checked: Iterable[Checked]) -> list[Checked]:
    """Return the refused requests that no test was failed for."""
    return [request for request in checked if request.refusals and request.phase != "test"]


def failure(checked: Sequence[Checked], edition: Edition) -> Iterator[str]:
    """Yield the lines by which a test fails, of all that it sent."""
    refused = [request for request in checked if request.refusals]
    sent = _number(len(checked), "request")
    yield f"smfake audit: the service would refuse {len(refused)} of {sent} that this test sent (edition {edition})"
    for request in refused:
        for refusal in request.refusals:
            yield f"{request.operation}: {refusal.text}"
            yield f"  {_rule(refusal)}" + (f", which {refusal.otherwise}" if refusal.otherwise else "")


def section(checked: Sequence[Checked], mode: str, edition: Edition) -> Iterator[str]:
    """Yield the lines of the summary: what was refused, rule by rule, and a last line with totals."""
    by_rule: dict[str, list[tuple[Checked, Refusal]]] = {}
    for request in sorted(checked, key=lambda request: request.place):
        for refusal in request.refusals:
            by_rule.setdefault(refusal.rule, []).append((request, refusal))
    for _, found in sorted(by_rule.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        first = found[0][1]
        yield f"{_rule(first)}: {_counted([request for request, _ in found])}"
        yield f"  {first.text}"
        if passing := [refusal.otherwise for _, refusal in found if refusal.otherwise]:
            some = "" if len(passing) == len(found) else f"; {len(passing)} of the {len(found)} requests would pass there"
            yield f"  The rule {passing[0]}{some}."
        places = list(dict.fromkeys(_place(request) for request, _ in found))
        yield from (f"    {place}" for place in places[:SHOWN])
        if len(places) > SHOWN:
            yield f"    and {len(places) - SHOWN} more"
    refused = [request for request in checked if request.refusals]
    if mode == "error" and (late := outside(checked)):
        yield f"The run fails for {_number(len(late), 'refused request')} that no test sent before the end of its call."
    if checked:
        yield f"Checked {_counted(checked)} (edition {edition}); the service would refuse {_counted(refused)}."
    else:
        yield "No SageMaker request was seen, outside of an active FakeSageMaker, which checks its own."


def _rule(refusal: Refusal) -> str:
    return f"{refusal.rule} ({refusal.evidence})"


def _place(request: Checked) -> str:
    return f"{request.place}, in its teardown" if request.phase == "teardown" else request.place


def _counted(checked: Sequence[Checked]) -> str:
    """Return how many requests there are and how many tests sent them."""
    tests = {request.place for request in checked if request.phase != "elsewhere"}
    outside = sum(request.phase == "elsewhere" for request in checked)
    apart = f", and {outside} of them outside of tests" if outside else ""
    return f"{_number(len(checked), 'request')} of {_number(len(tests), 'test')}{apart}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
