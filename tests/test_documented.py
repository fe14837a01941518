"""docs/documented.md has every sentence of the SDK's documentation that states a condition, and names rules that exist."""

from __future__ import annotations

import gzip
import html
import json
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

import botocore
import pytest

from pytest_smfake import Catalogue
from pytest_smfake.rules.coded import coded_rules
from pytest_smfake.rules.rule import EDITIONS

PAGE = (Path(__file__).parent.parent / "docs" / "documented.md").read_text("utf-8")
OPERATIONS = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateTransformJob")
ROWS = [
    (operation, "" if member == "the operation" else member.strip("`"), quotation, verdict)
    for operation, section in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    for member, quotation, verdict in re.findall(r'^\| (the operation|`\S+`) \| "(.*?)" \| (.*) \|$', section, re.MULTILINE)
]
STATES_A_CONDITION = re.compile(
    r"\b(must|cannot|can't|can not|only|not supported|isn't supported|aren't supported|at least one of|do not|don't)\b", re.IGNORECASE
)
SAME = {
    "PrimaryContainer": "Containers[]",
    "AdditionalModelDataSources[].S3DataSource": "ModelDataSource.S3DataSource",
    "ShadowProductionVariants[]": "ProductionVariants[]",
}
"""Members of which the documentation says the same as of others."""


@cache
def description():
    """Return the newest description of SageMaker in the installed SDK, with its documentation, which an SDK does not load."""
    folder = Path(botocore.__file__).parent / "data" / "sagemaker"
    newest = sorted(folder.glob("*/service-2.json*"))[-1]
    text = gzip.decompress(newest.read_bytes()) if newest.suffix == ".gz" else newest.read_bytes()
    return json.loads(text)


def documented(operation):
    """Yield for each member of an operation, at any depth, its path and what is said of it and of its shape."""
    shapes = description()["shapes"]

    def walk(path, name, parents, said):
        for one, other in SAME.items():
            path = path.replace(one, other)
        shape = shapes[name]
        yield path, said
        yield path, shape.get("documentation", "")
        if name in parents:
            return
        inner = (*parents, name)
        if shape["type"] == "structure":
            for member, to in shape["members"].items():
                yield from walk(f"{path}.{member}" if path else member, to["shape"], inner, to.get("documentation", ""))
        elif shape["type"] == "list":
            yield from walk(f"{path}[]", shape["member"]["shape"], inner, shape["member"].get("documentation", ""))
        elif shape["type"] == "map":
            for side in ("key", "value"):
                yield from walk(f"{path}[{side}]", shape[side]["shape"], inner, shape[side].get("documentation", ""))

    told = description()["operations"][operation]
    yield from walk("", told["input"]["shape"], (), told.get("documentation", ""))


def plain(text):
    """Return documentation without its markup, one paragraph a line."""
    text = re.sub(r"</(p|li|dt|dd|note|ul|important|h\d)>|<br ?/?>", "\n", text)
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def sentences(text):
    """Yield the sentences of documentation, with single spaces."""
    for line in plain(text).split("\n"):
        for sentence in re.split(r"(?<=[.:!?])\s+", " ".join(line.split())):
            yield sentence.replace("\u2019", "'")


def test_the_page_is_read_whole():
    assert {operation for operation, *_ in ROWS} == set(OPERATIONS)
    assert len(ROWS) == len(re.findall(r"^\| (?!member \||---)", PAGE, re.MULTILINE)) > 80


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row[0]}-{number}") for number, row in enumerate(ROWS)])
def test_a_line_quotes_shortly_and_names_rules_that_exist(row):
    *_, quotation, verdict = row
    assert len(quotation.split()) <= 12
    assert re.match(r"(enforced|precondition|not enforced)\b", verdict)
    assert verdict.startswith("enforced") or ": " in verdict
    known = {rule.id for edition in EDITIONS for name in OPERATIONS for rule in Catalogue(edition).rules(name)}
    known |= {coded.rule.id for coded in coded_rules()}
    named = {rule for rule in re.findall(r"`([^`]*)`", verdict) if re.match(r"(?:Create|Update)\w+[/:]", rule)}
    # Another version of botocore may lack the member of a modelled rule.
    assert {
        rule for rule in named - known if version("botocore") in PAGE or not re.search(r":(?:max|min|pattern|enum|required)$", rule)
    } == set()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_sentence_that_states_a_condition_is_there(operation):
    found = list(documented(operation))
    rows = [(member, quotation) for name, member, quotation, _ in ROWS if name == operation]
    if version("botocore") not in PAGE:  # of another version only that most members of the page exist, whose words may differ
        assert len({member for member, _ in rows} & {path for path, _ in found}) > len({member for member, _ in rows}) / 2
        return
    told = {(path, sentence) for path, text in found for sentence in sentences(text)}
    for path, sentence in told:
        if STATES_A_CONDITION.search(sentence):
            assert any(path == member and quotation in sentence for member, quotation in rows), (path, sentence)
    for member, quotation in rows:
        assert any(path == member and quotation in sentence for path, sentence in told), (member, quotation)
