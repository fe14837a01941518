"""Lists of models: their order, filters and pages."""

from __future__ import annotations

import json
from typing import Any

from pytest_smfake.contract.check import Check, accepted, behaviours, rejected, same
from pytest_smfake.contract.targets.target import Target, belongs

from .models import create

CHECKS: list[Check] = []
behaviour = behaviours(CHECKS)

LISTS = "botocore service-2.json, ListModels"


def names(target: Target, **request: Any) -> list[str]:
    """Return the suffixes of the names of this run's models in a list."""
    start = target.name_of("")
    # Where there may be many models of others, as few pages as can be.
    size = {} if target.supports("alone") else {"MaxResults": 100}
    pages = target.pages("ListModels", size | request)
    found = [model["ModelName"] for page in pages for model in page["Models"]]
    return [name.removeprefix(f"{start}-") for name in found if belongs(name, start)]


@behaviour("list/newest-first", "Models are listed newest first.", "documented", LISTS)
def _newest_first(target: Target) -> None:
    for suffix in ("b", "a", "c"):
        create(target, suffix)
    same("the order", names(target, NameContains=target.name_of()), ["c", "a", "b"])


@behaviour("list/by-name", "Models can be sorted by name, both ways.", "modelled", LISTS)
def _by_name(target: Target) -> None:
    for suffix in ("b", "a", "c"):
        create(target, suffix)
    for order, expected in {"Ascending": ["a", "b", "c"], "Descending": ["c", "b", "a"]}.items():
        request = {"SortBy": "Name", "SortOrder": order, "NameContains": target.name_of()}
        same(f"the order, {order}", names(target, **request), expected, request)


@behaviour("list/summaries", "A list has name, ARN and time of creation of each model, and nothing else.", "modelled", LISTS)
def _summaries(target: Target) -> None:
    arn = create(target)
    request = {"NameContains": target.name_of(), "MaxResults": 100}
    reply = target.send("ListModels", request)
    accepted(reply, request)
    # As they are sent: botocore leaves out what it does not know.
    found = [model for model in json.loads(reply.body)["Models"] if model["ModelName"] == target.name_of()]
    same("the members", [sorted(model) for model in found], [["CreationTime", "ModelArn", "ModelName"]])
    same("the ARN", found[0]["ModelArn"], arn)


@behaviour("list/name-contains", "A list can be narrowed to names that hold a text, in its case.", "modelled", LISTS)
def _name_contains(target: Target) -> None:
    for suffix in ("red", "RED", "blue"):
        create(target, suffix)
    same("the models", names(target, NameContains=f"{target.name_of()}-red"), ["red"])
    same("models of another name", names(target, NameContains=target.name_of("nobody")), [])


@behaviour("list/by-time", "A list can be narrowed to models created after, or before, a time.", "modelled", LISTS)
def _by_time(target: Target) -> None:
    create(target, "a")
    found = accepted(target.send("ListModels", {"NameContains": target.name_of("a"), "MaxResults": 100}))["Models"]
    created = next(model["CreationTime"].timestamp() for model in found if model["ModelName"] == target.name_of("a"))
    scope = {"NameContains": target.name_of()}
    same("models created after the day before", names(target, CreationTimeAfter=created - 86400, **scope), ["a"])
    same("models created after the next day", names(target, CreationTimeAfter=created + 86400, **scope), [])
    same("models created before the next day", names(target, CreationTimeBefore=created + 86400, **scope), ["a"])
    same("models created before the day before", names(target, CreationTimeBefore=created - 86400, **scope), [])


@behaviour(
    "list/pages",
    "Pages hold no more than MaxResults, and their tokens lead to every model, once.",
    "modelled",
    LISTS,
    needs=("creation", "alone"),
)
def _pages(target: Target) -> None:
    for number in range(5):
        create(target, str(number))
    page = accepted(target.send("ListModels", {"MaxResults": 2}))
    same("the models on a page of 2", len(page["Models"]), 2)
    same("whether there is a token", "NextToken" in page, True)
    same("all of them", names(target, MaxResults=2), ["4", "3", "2", "1", "0"])
    same("a page of 5", "NextToken" in accepted(target.send("ListModels", {"MaxResults": 5})), False)


@behaviour(
    "list/filtered-after",
    "A page is cut before its models are filtered: it can be short, or empty, and have a token.",
    "reported",
    "a public log, no stable address",
    needs=("creation", "alone"),
)
def _filtered_after(target: Target) -> None:
    for suffix in ("red", "blue", "green"):
        create(target, suffix)
    request = {"MaxResults": 1, "NameContains": "red"}
    page = accepted(target.send("ListModels", request), request)
    same("the models on the first page", page["Models"], [], request)
    same("whether there is a token", "NextToken" in page, True, request)
    same("all of them", names(target, **request), ["red"], request)


@behaviour("list/bad-token", "A token that the service did not make is refused.", "assumed", "the service's other lists", needs=())
def _bad_token(target: Target) -> None:
    request = {"NextToken": "nobody"}
    rejected(target.send("ListModels", request), "ValidationException", None, request)
