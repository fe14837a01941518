"""Rules about tags, of every operation that gives some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Repair, Setup, State, Values, cross_field, precondition
from .rule import Rule, Where


def tagged(operation: str) -> None:
    """Let an operation that gives tags refuse a key that is given twice."""
    source = "botocore service-2.json, Tag.Key; text observed of CreateTrialComponent: aws/sagemaker-python-sdk#3608 (GitHub)"

    @cross_field(operation, "Tags", "unique-keys", "documented", source)
    def unique_keys(request: Body, _: Any) -> Breaches:
        seen: set[str] = set()
        for index, tag in enumerate(request.get("Tags") or ()):
            if tag.get("Key") in seen:
                yield ("Tags", index, "Key"), tag["Key"], "Duplicate tag key"
                return
            seen.update(filter(None, [tag.get("Key")]))

    unique_keys.repair("TagList")(_rename_keys)
    unique_keys.inside("different", "two tags, whose keys differ in case alone", "Tags")(_other_key)
    unique_keys.outside("same", "a tag with the key of another", "Tags[]")(_same_key)


def _rename_keys(value: list[dict[str, str]], repair: Repair) -> None:
    for tag, key in zip(value, repair.distinct("[].Key", (tag["Key"] for tag in value)), strict=True):
        tag["Key"] = key


def _other_key(request: Body, values: Values) -> Where:
    tag = values.least("Tags[]")
    request["Tags"] = [tag, tag | {"Key": tag["Key"].swapcase()}]
    return "Tags", 1, "Key"


def _same_key(request: Body, values: Values) -> Where:
    tags = request["Tags"]
    request["Tags"] = [*tags[: values.most("Tags") - 1], {"Key": tags[0]["Key"], "Value": values.chosen("Tags[].Value")}]
    return "Tags", len(request["Tags"]) - 1, "Key"


tagged("AddTags")


@precondition("AddTags", "Tags", "in-all", "assumed", "the page's bound on Tags, held for the resource; text assumed", bound=50)
def tags_in_all(request: Body, account: Account, bound: int) -> Breaches:
    """Refuse tags with which the resource would have too many."""
    tags = account.tags(request["ResourceArn"]) | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    if len(tags) > bound:
        yield ("Tags",), len(tags), f"A resource can have at most {bound} tags; with these it would have {len(tags)}."


@tags_in_all.examples
def _tags_in_all(rule: Rule, setup: Setup) -> Iterator[State]:
    arn, most = setup.arn("model/a"), rule.bound
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(most + 1)]
    there = [tags[start : start + 50] for start in range(0, max(most - 1, 0), 50)]
    if there:
        there[-1] = [tag for tag in there[-1] if tag in tags[: most - 1]]
    before = (*setup.needs("CreateEndpointConfig"), *(("AddTags", {"ResourceArn": arn, "Tags": some}) for some in there))
    for side, count in zip(SIDES, (most, most + 1), strict=True):
        request = {"ResourceArn": arn, "Tags": tags[max(most - 1, 0) : count]}
        yield State(side, str(count), f"{count} tags in all", request, ("Tags",), before)
