"""Write docs/evidence.md from the observed answers and the rules: `python tests/evidence.py`. `tests/test_evidence.py` holds the page to it."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import get_args

from pytest_smfake import Catalogue
from pytest_smfake.rules import ledger
from pytest_smfake.rules.coded import coded_rules
from pytest_smfake.rules.rule import EDITIONS, Evidence
from pytest_smfake.service.service import OPERATIONS

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "evidence.md"

MEANING = {
    "documented": "a page of AWS, or the documentation in the SDK's model, says it in words; the text of the refusal is then often the package's own",
    "modelled": "the SDK's model has it as a bound, pattern, enum or required member",
    "observed": "a public answer of the service shows it, of the same operation",
    "reported": "somebody tells of it in public, without the answer itself, or without an address that lasts",
    "verified": "a run of the [contract](contract.md) against a real account proved it",
    "contested": "sources contradict each other",
    "assumed": "nobody is known to have seen it; a source says why it is likely",
}

RAISED_BY = {
    "a null in a list or a map": (
        lambda rule: rule.keyword == "required" and rule.path.endswith(("[]", "[value]")),
        "the answer to one request with such a null, sent without an SDK",
    ),
    "a bound of the CreateModel page, held for the same member of another operation": (
        lambda rule: rule.is_constraint and rule.source.startswith("CreateModel page"),
        "the answer of that operation to a value beyond the bound; its text names the bound that it has",
    ),
    "a condition of one request": (
        lambda rule: rule.kind == "cross-field",
        "the answer to the request of its case (`cases(OPERATION)`), which breaks no other rule; an acceptance takes it away",
    ),
    "a condition on the account": (
        lambda rule: rule.kind == "condition",
        "the answer to the request of its case, after the calls of the case; an acceptance takes it away",
    ),
}
"""The kinds of assumed rules: which rules are of it (the first that fits), and what would show that the service has or lacks them."""


def kind_of(rule):
    """Return the kind of an assumed rule."""
    return next(kind for kind, (fits, _) in RAISED_BY.items() if fits(rule))


def rules_of(edition):
    """Yield the rules of all operations of the fake."""
    for operation in OPERATIONS:
        yield from Catalogue(edition).rules(operation)


def table(head, rows):
    """Return a table of Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def shares():
    """Return how the rules of CreateModel are known, in each edition."""
    counts = {edition: Counter(rule.evidence for rule in Catalogue(edition).rules("CreateModel")) for edition in EDITIONS}

    def cell(edition, grade):
        return f"{counts[edition][grade]} ({counts[edition][grade] / counts[edition].total():.1%})"

    rows = [[f"`{grade}`", MEANING[grade], *(cell(edition, grade) for edition in EDITIONS)] for grade in get_args(Evidence)]
    return table(["evidence", "meaning", *EDITIONS], [*rows, ["in all", "", *(str(counts[edition].total()) for edition in EDITIONS)]])


def kinds():
    """Return what would raise each kind of assumed rule."""
    counts = {edition: Counter(kind_of(rule) for rule in rules_of(edition) if rule.evidence == "assumed") for edition in EDITIONS}
    rows = [[kind, *(str(counts[edition][kind]) for edition in EDITIONS), what] for kind, (_, what) in RAISED_BY.items()]
    return table(["kind of assumed rule", *EDITIONS, "what would raise it"], rows)


def assumed():
    """Return the coded rules that are assumed in an edition, or off and assumed."""
    rows = []
    for coded in sorted(coded_rules(), key=lambda coded: coded.rule.id):
        editions = coded.editions or EDITIONS
        sources = {coded.in_(edition).source: edition for edition in editions if coded.in_(edition).evidence == "assumed"}
        for source, edition in sources.items():
            of_one = sum(coded.in_(one).source == source for one in editions) == 1
            where = "off" if not coded.editions else edition if of_one else "on"
            rows.append([f"`{coded.rule.id}`", where, linked(source)])
    return table(["rule", "edition", "why"], rows)


def linked(source):
    """Return a source in which issues and pull requests of GitHub are links."""
    return re.sub(r"\b([\w.-]+/[\w.-]+)(?: PR)?#(\d+)", r"[\g<0>](https://github.com/\1/issues/\2)", escaped(source))


def escaped(text):
    """Return a text for a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def quoted(text, most=160):
    """Return a text of the service as a cell has it, cut off where it is long."""
    text = " ".join(text.replace("`", "'").replace("|", "\\|").split())
    return f"`{text if len(text) <= most else text[: most - 3] + '...'}`"


def answer(entry):
    """Return what the service answered."""
    if "samples" in entry:
        return f"the order of an enum's values in messages, in {len(entry['samples'])} whole samples"
    if entry.get("accepted"):
        shown = [f"{path} {quoted(json.dumps(value))}" for path, value in entry.get("shows", {}).items()]
        return f"accepted{': ' if shown else ''}{', '.join(shown)}"
    text = (
        quoted(entry["message"]) if entry.get("message") else "a text that is not told" if entry.get("message") is None else "an empty text"
    )
    known = (
        {"start": "a text that starts ", "part": "a text with "}.get(entry.get("text_known", "whole"), "") if entry.get("message") else ""
    )
    return f"{entry.get('code') or 'refused'}, {known}{text}"


def answers():
    """Yield a row for each answer of the service that was observed or reported."""
    observed, table_of_answers = (runpy.run_path(str(TESTS / f"{name}.py")) for name in ("test_observed", "test_answers"))
    waits = {name: reason for reason, names in observed["WAITS_FOR"].items() for name in names}
    for name, entry in observed["OBSERVED"].items():
        # An edition that a setting names is that of a rule which the other one lacks.
        edition = observed["REPRODUCED"].get(name, [{}])[0].get("edition")
        reproduced = f"reproduced in edition {edition} alone" if edition else "reproduced"
        here = f"waits for {waits[name]}".replace("waits for nothing", "not reproduced") if name in waits else reproduced
        operation = entry["operation"].partition(" (")[0]
        yield [f"`{name}`", operation, "observed", answer(entry), str(entry.get("date_if_known") or ""), linked(entry["source"]), here]
    for name, entry in table_of_answers["ANSWERS"].items():
        if entry["grade"] in ("observed", "reported") and entry.keys() & {"code", "accepted", "samples"}:
            only = table_of_answers["ONLY"].get(name)
            reproduced = f"reproduced in edition {only[0]} alone" if only else "reproduced"
            here = f"waits for {table_of_answers['WAITING'][name]}" if name in table_of_answers["WAITING"] else reproduced
            operation = entry.get("then", entry["operation"])
            yield [f"`{name}`", operation, entry["grade"], answer(entry), str(entry.get("date") or ""), linked(entry["source"]), here]


def verified():
    """Return the sentence on what was checked against a real account."""
    count = len(ledger.shipped().rules)
    return f"{count} rules were checked against a real account" if count else "No rule was checked against a real account yet"


def numbers():
    """Return the part of the page that depends on the version of botocore."""
    return f"""## CreateModel's rules by evidence

With botocore {version("botocore")}, counted by edition; the account's limits are not among them.

{shares()}

## What would raise an assumed rule

Counted over all operations of the fake, with the same version of botocore.

{kinds()}
"""


def page():
    """Return the whole page."""
    return f"""<!-- written by tests/evidence.py -->

# Evidence

How each rule is known, what would make it better known, and every answer of the service that was seen. `smfake rules OPERATION --evidence observed`
lists the rules of one kind. {verified()}; [how the ledger of a run against one comes into the package](contract.md#a-ledger-for-the-package).

{numbers()}
The order of the values of an enum with fewer than 26 values in a message is assumed, too; one message with such an enum would show it. A text that is the
package's own is marked in the source of its rule: `text assumed`. One answer of the service to that request would replace it.

Rules that no schema states, and that are only assumed:

{assumed()}

## Answers of the service

Each is reproduced in the tests from its request, as far as its text is known, or waits for a service or an operation that is not part of this package. Long texts are cut off here.

{table(["answer", "operation", "evidence", "what was answered", "date", "source", "here"], list(answers()))}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
