"""The tags of models."""

from __future__ import annotations

from pytest_smfake.contract.check import Check, accepted, behaviours, rejected, same
from pytest_smfake.contract.targets.names import UNTAGGED
from pytest_smfake.contract.targets.target import Target

from .models import create

CHECKS: list[Check] = []
behaviour = behaviours(CHECKS)

TAGS_SOURCE = "CreateModel page, Tags"


def tags_of(target: Target, arn: str) -> dict[str, str]:
    """Return all tags of a model but the one of the run."""
    pages = target.pages("ListTags", {"ResourceArn": arn})
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"] if tag["Key"] != target.run_tag}


def same_tags(target: Target, arn: str, expected: dict[str, str], request: object = None) -> None:
    """Compare the tags of a model with what a check expects, once they show."""
    same("the tags", target.eventually(lambda: tags_of(target, arn), expected), expected, request)


@behaviour("tags/of-creation", "Tags given at the creation are the model's.", "documented", TAGS_SOURCE)
def _of_creation(target: Target) -> None:
    arn = create(target, Tags=[{"Key": "team", "Value": "growth"}, {"Key": "stage", "Value": ""}])
    same_tags(target, arn, {"team": "growth", "stage": ""})


@behaviour(
    "tags/merge", "AddTags adds tags, and replaces the value of a key that is there.", "documented", "botocore service-2.json, AddTags"
)
def _merge(target: Target) -> None:
    arn = create(target, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
    request = {"ResourceArn": arn, "Tags": [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]}
    accepted(target.send("AddTags", request), request)
    same_tags(target, arn, {"a": "1", "b": "2", "c": "3"}, request)


@behaviour(
    "tags/delete",
    "DeleteTags takes away the keys it names, and reads past one that is not there.",
    "assumed",
    "the service's other tag lists",
)
def _delete(target: Target) -> None:
    arn = create(target, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
    request = {"ResourceArn": arn, "TagKeys": ["a", "nobody"]}
    accepted(target.send("DeleteTags", request), request)
    same_tags(target, arn, {"b": "1"}, request)


@behaviour("tags/all-fifty", "ListTags returns all 50 tags that a model may have, also once one was replaced.", "documented", TAGS_SOURCE)
def _all_fifty(target: Target) -> None:
    tags = [{"Key": f"key-{number:02}", "Value": ""} for number in range(50)]
    arn = create(target, UNTAGGED, Tags=tags)
    more = [{"Key": "key-00", "Value": "again"}]
    accepted(target.send("AddTags", {"ResourceArn": arn, "Tags": more}))
    same_tags(target, arn, {tag["Key"]: tag["Value"] for tag in [*tags, *more]})


@behaviour("tags/fifty-in-all", "A model has at most 50 tags, however they come.", "assumed", TAGS_SOURCE, rule="AddTags/Tags:in-all")
def _fifty_in_all(target: Target) -> None:
    arn = create(target, UNTAGGED, Tags=[{"Key": f"key-{number}", "Value": ""} for number in range(50)])
    request = {"ResourceArn": arn, "Tags": [{"Key": "one-more", "Value": ""}]}
    rejected(target.send("AddTags", request), "ValidationException", None, request)
    same("the number of tags", len(tags_of(target, arn)), 50)


@behaviour("tags/missing", "Tags of a model that is not there are refused.", "observed", "boto/boto3#4606 (GitHub), of ListTags")
def _missing(target: Target) -> None:
    arn = create(target)
    accepted(target.send("DeleteModel", {"ModelName": target.name_of()}))
    rejected(target.send("ListTags", {"ResourceArn": arn}), "ValidationException", "Resource does not exist")
    rejected(target.send("AddTags", {"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "1"}]}), "ValidationException")
    rejected(target.send("DeleteTags", {"ResourceArn": arn, "TagKeys": ["a"]}), "ValidationException")


@behaviour(
    "tags/go-with-the-model",
    "The name of a deleted model is free again, and the tags of the first are gone.",
    "assumed",
    "what deleted means",
)
def _go_with_the_model(target: Target) -> None:
    create(target, Tags=[{"Key": "team", "Value": "growth"}])
    accepted(target.send("DeleteModel", {"ModelName": target.name_of()}))
    same_tags(target, create(target), {})
