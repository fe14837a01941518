"""Rules about tags, of every operation that gives some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .coded import SIDES, Account, Body, Breaches, Repair, Setup, State, Values, cross_field, precondition
from .rule import Evidence, Rule, Where

RESERVED = "aws:"
"""The start of keys that only AWS gives and takes away."""
RESERVED_EVIDENCE: dict[str, tuple[Evidence, str]] = {
    "AddTags": ("reported", "aws/sagemaker-python-sdk#1362 (GitHub); text as observed of DeleteTags"),
    "CreateEndpointConfig": ("reported", "aws/sagemaker-python-sdk#1362 (GitHub); text as observed of DeleteTags"),
    "DeleteTags": ("observed", "aws/sagemaker-python-sdk#1301 (GitHub)"),
}
TAG_DOCUMENTATION: tuple[Evidence, str] = (
    "documented",
    "docs.aws.amazon.com/general/latest/gr/aws_tagging.html, which botocore service-2.json names for Tags; text as observed of DeleteTags",
)


def tagged(operation: str) -> None:
    """Let an operation that gives tags refuse a reserved key, and a key that is given twice."""
    # First, since its repair can make keys alike.
    _reserved(operation, "Tags")

    source = "botocore service-2.json, Tag.Key; text observed of CreateTrialComponent: aws/sagemaker-python-sdk#3608 (GitHub)"

    @cross_field(operation, "Tags", "unique-keys", "documented", source)
    def unique_keys(request: Body, _: Any) -> Breaches:
        tags = request.get("Tags") or ()
        if len(tags) < 2:
            return
        seen: set[str] = set()
        for index, tag in enumerate(tags):
            if tag.get("Key") in seen:
                yield ("Tags", index, "Key"), tag["Key"], "Duplicate tag key"
                return
            seen.update(filter(None, [tag.get("Key")]))

    unique_keys.repair("TagList")(_rename_keys)
    unique_keys.inside("different", "two tags, whose keys differ in case alone", "Tags")(_other_key)
    unique_keys.outside("same", "a tag with the key of another", "Tags[]")(_same_key)


def _reserved(operation: str, member: str) -> None:
    """Let an operation refuse keys of tags that only AWS gives and takes away."""
    evidence, source = RESERVED_EVIDENCE.get(operation, TAG_DOCUMENTATION)

    @cross_field(operation, member, "reserved-prefix", evidence, source)
    def reserved_prefix(request: Body, _: Any) -> Breaches:
        for index, tag in enumerate(request.get(member) or ()):
            key = tag.get("Key") if member == "Tags" else tag
            if key is not None and key.startswith(RESERVED):
                where: Where = (member, index, "Key") if member == "Tags" else (member, index)
                yield where, key, f"System prefix '{RESERVED}' reserved for AWS usage in tag key: {key}"
                return

    def first_key(request: Body, key: str) -> Where:
        if member == "Tags":
            request[member] = [{"Key": key, "Value": ""}]
            return member, 0, "Key"
        request[member] = [key]
        return member, 0

    reserved_prefix.repair("TagList" if member == "Tags" else "TagKeyList")(_free_keys)
    reserved_prefix.inside("free", "a key that begins with aws and no colon")(lambda request, _: first_key(request, "aws-team"))
    reserved_prefix.outside("reserved", "a key that begins with aws:")(lambda request, _: first_key(request, "aws:team"))


def _free_keys(value: list[Any], _: Repair) -> None:
    for index, tag in enumerate(value):
        if isinstance(tag, dict):
            tag["Key"] = tag["Key"].replace(RESERVED, "aws-", 1) if tag["Key"].startswith(RESERVED) else tag["Key"]
        elif tag.startswith(RESERVED):
            value[index] = tag.replace(RESERVED, "aws-", 1)


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
_reserved("DeleteTags", "TagKeys")


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
