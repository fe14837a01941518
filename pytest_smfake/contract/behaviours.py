"""Define the checks that are written by hand: behaviour other than the validation of requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pytest_smfake.rules.rule import Evidence

from .check import CAPABILITIES, Check, Difference, RunCheck, expect_accepted, expect_equal, expect_rejected
from .targets.names import UNTAGGED, belongs
from .targets.target import Target

EXISTS = "astronomer/astronomer-providers#1055 (GitHub)"
DELETE_SOURCE = "matched by Terraform's delete and by the Kubernetes controller of SageMaker"
DESCRIBED = "aws/sagemaker-python-sdk and hashicorp/terraform-provider-aws, which fail on members that were not set"
PAGE_SOURCE = "CreateModel page"
WIRE = "aws/aws-sdk#486 (GitHub)"
TAGS_SOURCE = "CreateModel page, Tags"
LISTS = "botocore service-2.json, ListModels"
ERRORS = "CreateModel page, Errors"
TWO = "aws-samples/sagemaker-ml-workflow-with-apache-airflow#3 (GitHub)"

BEHAVIOURS: list[Check] = []
"""The checks of this module, in its order."""


def behaviour(
    check_id: str, sentence: str, evidence: Evidence, source: str, *, needs: tuple[str, ...] = ("creation",), rule: str | None = None
) -> Callable[[RunCheck], RunCheck]:
    """Return a decorator that adds a function to `BEHAVIOURS` as a check; the arguments are those of `Check`."""
    unknown = [need for need in needs if need not in CAPABILITIES]
    if unknown:
        raise ValueError(f"{check_id} needs an unknown capability {unknown[0]!r}; expected one of: {', '.join(CAPABILITIES)}")

    def register(run: RunCheck) -> RunCheck:
        BEHAVIOURS.append(Check(check_id, sentence, check_id.partition("/")[0], evidence, source, run, needs, rule))
        return run

    return register


# Creating, describing and deleting models.


def _create(target: Target, suffix: str = "", **overrides: Any) -> str:
    """Create a model and return its ARN."""
    request = target.request(ModelName=target.name_of(suffix), **overrides)
    return str(expect_accepted(target.send("CreateModel", request), request)["ModelArn"])


def _describe(target: Target, suffix: str = "", region: str | None = None) -> dict[str, Any]:
    """Return the description of a model."""
    description: dict[str, Any] = expect_accepted(target.send("DescribeModel", {"ModelName": target.name_of(suffix)}, region=region))
    return description


def _expect_missing(target: Target, suffix: str = "") -> None:
    """Check that a model does not exist."""
    expect_rejected(target.send("DescribeModel", {"ModelName": target.name_of(suffix)}), "ValidationException", "Could not find model ...")


@behaviour(
    "create/response",
    "CreateModel answers 200 with the ARN of the model, in this region and account, and no other member.",
    "documented",
    PAGE_SOURCE,
)
def _response(target: Target) -> None:
    request = target.request()
    reply = target.send("CreateModel", request)
    members = expect_accepted(reply, request)
    expect_equal("the members of the answer", sorted(json.loads(reply.body)), ["ModelArn"], request)
    partition, service, region, account, resource = members["ModelArn"].split(":", 5)[1:]
    expect_equal(
        "the service, region and resource of the ARN",
        [service, region, resource],
        ["sagemaker", target.region, f"model/{target.name_of()}"],
    )
    expect_equal("the start of the partition", partition[:3], "aws")
    if target.account is not None:
        expect_equal("the account of the ARN", account, target.account)


@behaviour("create/headers", "A response is JSON 1.1 and has a request id.", "observed", WIRE)
def _headers(target: Target) -> None:
    reply = target.send("CreateModel", target.request())
    expect_accepted(reply)
    expect_equal("the content type", reply.headers.get("content-type"), "application/x-amz-json-1.1")
    expect_equal("whether there is a request id", bool(reply.headers.get("x-amzn-requestid")), True)


@behaviour(
    "create/same-name",
    "A second model of the same name is rejected, and the first stays as it is.",
    "observed",
    EXISTS,
    rule="CreateModel/ModelName:not-taken",
)
def _same_name(target: Target) -> None:
    arn = _create(target)
    before = _describe(target)
    request = target.request(EnableNetworkIsolation=True)
    expect_rejected(target.send("CreateModel", request), "ValidationException", f'Cannot create already existing model "{arn}".', request)
    expect_equal("the description of the first model", _describe(target), before)


@behaviour(
    "create/case-of-names",
    "Names that differ only in upper and lower case belong to different models.",
    "assumed",
    "names are unique by exact case",
)
def _case_of_names(target: Target) -> None:
    arns = {_create(target, "a"), _create(target, "A")}
    expect_equal("the number of ARNs", len(arns), 2)


@behaviour(
    "create/leaves-nothing", "A rejected CreateModel creates no model, and the name stays free.", "assumed", "the meaning of a rejection"
)
def _leaves_nothing(target: Target) -> None:
    request = target.request(ExecutionRoleArn="x")
    expect_rejected(target.send("CreateModel", request), "ValidationException", None, request)
    _expect_missing(target)
    _create(target)


@behaviour("create/unknown-members", "An unknown member of a request is ignored.", "assumed", "other JSON services of AWS")
def _unknown_members(target: Target) -> None:
    request = target.request() | {"NoSuchMember": {"a": 1}}
    expect_accepted(target.send("CreateModel", request), request)
    expect_equal("whether the description has the member", "NoSuchMember" in _describe(target), False)


@behaviour(
    "describe/echo",
    "DescribeModel returns name, ARN, role and containers as they were sent, and the creation time.",
    "reported",
    DESCRIBED,
)
def _echo(target: Target) -> None:
    request = target.request(EnableNetworkIsolation=True)
    request["PrimaryContainer"] |= {"Environment": {"LEVEL": "1"}, "ContainerHostname": "first"}
    arn = expect_accepted(target.send("CreateModel", request), request)["ModelArn"]
    found = _describe(target)
    expect_equal("the ARN", found.get("ModelArn"), arn)
    for member in ("ModelName", "ExecutionRoleArn", "EnableNetworkIsolation"):
        expect_equal(member, found.get(member), request[member], request)
    container = found.get("PrimaryContainer", {})
    for member, value in request["PrimaryContainer"].items():
        expect_equal(f"{member} of the container", container.get(member), value, request)
    expect_equal("the type of CreationTime", type(found.get("CreationTime")).__name__, "datetime")


@behaviour(
    "describe/absent",
    "DescribeModel leaves out members that were not set: VpcConfig and Containers; it never returns tags.",
    "reported",
    DESCRIBED,
)
def _absent(target: Target) -> None:
    _create(target, Tags=[{"Key": "team", "Value": "growth"}])
    found = _describe(target)
    expect_equal("the members that should be absent", [name for name in ("VpcConfig", "Containers", "Tags") if name in found], [])


@behaviour(
    "describe/defaults",
    "DescribeModel fills in the mode of a container, an empty environment, and no network isolation.",
    "reported",
    DESCRIBED,
)
def _defaults(target: Target) -> None:
    _create(target)
    found = _describe(target)
    container = found.get("PrimaryContainer", {})
    expect_equal("the mode", container.get("Mode"), "SingleModel")
    expect_equal("the environment", container.get("Environment"), {})
    expect_equal("EnableNetworkIsolation", found.get("EnableNetworkIsolation"), False)


@behaviour(
    "describe/pipeline",
    "DescribeModel of a pipeline returns its containers and the mode Serial, and no primary container.",
    "reported",
    DESCRIBED,
)
def _pipeline(target: Target) -> None:
    request = target.request(PrimaryContainer=None, Containers=[{"Image": target.image}] * 2)
    expect_accepted(target.send("CreateModel", request), request)
    found = _describe(target)
    expect_equal("the images", [container.get("Image") for container in found.get("Containers", ())], [target.image] * 2, request)
    expect_equal("whether there is a primary container", "PrimaryContainer" in found, False)
    expect_equal("InferenceExecutionConfig", found.get("InferenceExecutionConfig"), {"Mode": "Serial"})


@behaviour("describe/missing", "DescribeModel rejects a name that no model has.", "reported", DELETE_SOURCE, needs=())
def _missing(target: Target) -> None:
    _expect_missing(target, "nobody")


@behaviour(
    "delete/answer",
    "DeleteModel answers 200 with an empty body, and the model no longer exists.",
    "reported",
    "the service's other deletions",
)
def _delete(target: Target) -> None:
    _create(target)
    reply = target.send("DeleteModel", {"ModelName": target.name_of()})
    expect_accepted(reply)
    expect_equal("the body", reply.body.decode("utf-8", "replace"), "")
    _expect_missing(target)


@behaviour("delete/missing", "DeleteModel rejects a name that no model has.", "reported", DELETE_SOURCE, needs=())
def _delete_missing(target: Target) -> None:
    request = {"ModelName": target.name_of("nobody")}
    expect_rejected(target.send("DeleteModel", request), "ValidationException", "Could not find model ...", request)


@behaviour(
    "regions/apart",
    "A model exists only in the region in which it was created.",
    "documented",
    "ARNs name a region",
    needs=("creation", "regions"),
)
def _apart(target: Target) -> None:
    arn = _create(target)
    reply = target.send("DescribeModel", {"ModelName": target.name_of()}, region=target.other_region)
    expect_rejected(reply, "ValidationException", "Could not find model ...")
    other = target.request(PrimaryContainer={"Image": target.image.replace(f".{target.region}.", f".{target.other_region}.")})
    there = expect_accepted(target.send("CreateModel", other, region=target.other_region), other)["ModelArn"]
    expect_equal("the region of the second ARN", there.split(":")[3], target.other_region)
    expect_equal("whether the two ARNs differ", arn != there, True)


# Tags of models.


def _tags(target: Target, arn: str) -> dict[str, str]:
    """Return all tags of a model except the tag of the run."""
    pages = target.pages("ListTags", {"ResourceArn": arn})
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"] if tag["Key"] != target.run_tag}


def _expect_tags(target: Target, arn: str, expected: dict[str, str], request: object = None) -> None:
    """Compare the tags of a model with the expected tags; the target may read again until they agree."""
    expect_equal("the tags", target.eventually(lambda: _tags(target, arn), expected), expected, request)


@behaviour("tags/of-creation", "ListTags returns the tags of CreateModel.", "documented", TAGS_SOURCE)
def _of_creation(target: Target) -> None:
    arn = _create(target, Tags=[{"Key": "team", "Value": "growth"}, {"Key": "stage", "Value": ""}])
    _expect_tags(target, arn, {"team": "growth", "stage": ""})


@behaviour("tags/merge", "AddTags adds tags, and replaces the value of an existing key.", "documented", "botocore service-2.json, AddTags")
def _merge(target: Target) -> None:
    arn = _create(target, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
    request = {"ResourceArn": arn, "Tags": [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]}
    expect_accepted(target.send("AddTags", request), request)
    _expect_tags(target, arn, {"a": "1", "b": "2", "c": "3"}, request)


@behaviour(
    "tags/delete",
    "DeleteTags removes the given keys, and ignores a key that the model does not have.",
    "assumed",
    "the service's other tag lists",
)
def _delete_tags(target: Target) -> None:
    arn = _create(target, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
    request = {"ResourceArn": arn, "TagKeys": ["a", "nobody"]}
    expect_accepted(target.send("DeleteTags", request), request)
    _expect_tags(target, arn, {"b": "1"}, request)


@behaviour("tags/all-fifty", "ListTags returns all 50 tags that a model may have, also after one was replaced.", "documented", TAGS_SOURCE)
def _all_fifty(target: Target) -> None:
    tags = [{"Key": f"key-{number:02}", "Value": ""} for number in range(50)]
    arn = _create(target, UNTAGGED, Tags=tags)
    more = [{"Key": "key-00", "Value": "again"}]
    expect_accepted(target.send("AddTags", {"ResourceArn": arn, "Tags": more}))
    _expect_tags(target, arn, {tag["Key"]: tag["Value"] for tag in [*tags, *more]})


@behaviour(
    "tags/fifty-in-all",
    "A model has at most 50 tags, from CreateModel and AddTags together.",
    "assumed",
    TAGS_SOURCE,
    rule="AddTags/Tags:in-all",
)
def _fifty_in_all(target: Target) -> None:
    arn = _create(target, UNTAGGED, Tags=[{"Key": f"key-{number}", "Value": ""} for number in range(50)])
    request = {"ResourceArn": arn, "Tags": [{"Key": "one-more", "Value": ""}]}
    expect_rejected(target.send("AddTags", request), "ValidationException", None, request)
    expect_equal("the number of tags", len(_tags(target, arn)), 50)


@behaviour(
    "tags/missing",
    "ListTags, AddTags and DeleteTags reject the ARN of a deleted model.",
    "observed",
    "boto/boto3#4606 (GitHub), of ListTags",
)
def _tags_missing(target: Target) -> None:
    arn = _create(target)
    expect_accepted(target.send("DeleteModel", {"ModelName": target.name_of()}))
    expect_rejected(target.send("ListTags", {"ResourceArn": arn}), "ValidationException", "Resource does not exist")
    expect_rejected(target.send("AddTags", {"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "1"}]}), "ValidationException")
    expect_rejected(target.send("DeleteTags", {"ResourceArn": arn, "TagKeys": ["a"]}), "ValidationException")


@behaviour(
    "tags/go-with-the-model",
    "The name of a deleted model is free again, and a new model has none of the old tags.",
    "assumed",
    "the meaning of a deletion",
)
def _go_with_the_model(target: Target) -> None:
    _create(target, Tags=[{"Key": "team", "Value": "growth"}])
    expect_accepted(target.send("DeleteModel", {"ModelName": target.name_of()}))
    _expect_tags(target, _create(target), {})


# Lists of models: their order, filters and pages.


def _listed_names(target: Target, **request: Any) -> list[str]:
    """Return the names of this run's models in a list, without the start that they share."""
    start = target.name_of("")
    # If the account may have many other models, the largest pages need the fewest calls.
    size = {} if target.supports("alone") else {"MaxResults": 100}
    pages = target.pages("ListModels", size | request)
    found = [model["ModelName"] for page in pages for model in page["Models"]]
    return [name.removeprefix(f"{start}-") for name in found if belongs(name, start)]


@behaviour("list/newest-first", "ListModels returns the newest model first.", "documented", LISTS)
def _newest_first(target: Target) -> None:
    for suffix in ("b", "a", "c"):
        _create(target, suffix)
    expect_equal("the order", _listed_names(target, NameContains=target.name_of()), ["c", "a", "b"])


@behaviour("list/by-name", "ListModels sorts by name, ascending and descending.", "modelled", LISTS)
def _by_name(target: Target) -> None:
    for suffix in ("b", "a", "c"):
        _create(target, suffix)
    for order, expected in {"Ascending": ["a", "b", "c"], "Descending": ["c", "b", "a"]}.items():
        request = {"SortBy": "Name", "SortOrder": order, "NameContains": target.name_of()}
        expect_equal(f"the order, {order}", _listed_names(target, **request), expected, request)


@behaviour("list/summaries", "ListModels returns name, ARN and creation time of each model, and no other member.", "modelled", LISTS)
def _summaries(target: Target) -> None:
    arn = _create(target)
    request = {"NameContains": target.name_of(), "MaxResults": 100}
    reply = target.send("ListModels", request)
    expect_accepted(reply, request)
    # Read from the body, since botocore leaves out unknown members.
    found = [model for model in json.loads(reply.body)["Models"] if model["ModelName"] == target.name_of()]
    expect_equal("the members", [sorted(model) for model in found], [["CreationTime", "ModelArn", "ModelName"]])
    expect_equal("the ARN", found[0]["ModelArn"], arn)


@behaviour("list/name-contains", "NameContains selects names that contain a text; upper and lower case matter.", "modelled", LISTS)
def _name_contains(target: Target) -> None:
    for suffix in ("red", "RED", "blue"):
        _create(target, suffix)
    expect_equal("the models", _listed_names(target, NameContains=f"{target.name_of()}-red"), ["red"])
    expect_equal("models of another name", _listed_names(target, NameContains=target.name_of("nobody")), [])


@behaviour("list/by-time", "CreationTimeAfter and CreationTimeBefore select models by their creation time.", "modelled", LISTS)
def _by_time(target: Target) -> None:
    _create(target, "a")
    found = expect_accepted(target.send("ListModels", {"NameContains": target.name_of("a"), "MaxResults": 100}))["Models"]
    created = next(model["CreationTime"].timestamp() for model in found if model["ModelName"] == target.name_of("a"))
    scope = {"NameContains": target.name_of()}
    expect_equal("models created after the day before", _listed_names(target, CreationTimeAfter=created - 86400, **scope), ["a"])
    expect_equal("models created after the next day", _listed_names(target, CreationTimeAfter=created + 86400, **scope), [])
    expect_equal("models created before the next day", _listed_names(target, CreationTimeBefore=created + 86400, **scope), ["a"])
    expect_equal("models created before the day before", _listed_names(target, CreationTimeBefore=created - 86400, **scope), [])


@behaviour(
    "list/pages",
    "A page has at most MaxResults models, and the tokens lead to each model once.",
    "modelled",
    LISTS,
    needs=("creation", "alone"),
)
def _pages(target: Target) -> None:
    for number in range(5):
        _create(target, str(number))
    page = expect_accepted(target.send("ListModels", {"MaxResults": 2}))
    expect_equal("the models on a page of 2", len(page["Models"]), 2)
    expect_equal("whether there is a token", "NextToken" in page, True)
    expect_equal("all of them", _listed_names(target, MaxResults=2), ["4", "3", "2", "1", "0"])
    expect_equal("a page of 5", "NextToken" in expect_accepted(target.send("ListModels", {"MaxResults": 5})), False)


@behaviour(
    "list/filtered-after",
    "Filters apply after a page is cut: a page can be short or empty and still have a token.",
    "reported",
    "a public log, no stable address",
    needs=("creation", "alone"),
)
def _filtered_after(target: Target) -> None:
    for suffix in ("red", "blue", "green"):
        _create(target, suffix)
    request = {"MaxResults": 1, "NameContains": "red"}
    page = expect_accepted(target.send("ListModels", request), request)
    expect_equal("the models on the first page", page["Models"], [], request)
    expect_equal("whether there is a token", "NextToken" in page, True, request)
    expect_equal("all of them", _listed_names(target, **request), ["red"], request)


@behaviour(
    "list/bad-token", "ListModels rejects a token that the service did not create.", "assumed", "the service's other lists", needs=()
)
def _bad_token(target: Target) -> None:
    request = {"NextToken": "nobody"}
    expect_rejected(target.send("ListModels", request), "ValidationException", None, request)


# Errors, limits and injected faults.


@behaviour(
    "errors/all-at-once",
    "One message lists all violated constraints of a request, in the order of the members.",
    "observed",
    TWO,
    needs=(),
)
def _all_at_once(target: Target) -> None:
    request = target.request(ModelName=f"{target.name_of():-<64}", ExecutionRoleArn="x")
    reply = target.send("CreateModel", request)
    expect_rejected(reply, "ValidationException", "4 validation errors detected: ...", request)
    paths = ["'modelName'", "'modelName'", "'executionRoleArn'", "'executionRoleArn'"]
    clauses = reply.message.split("; ")
    if len(clauses) != len(paths) or not all(path in clause for path, clause in zip(paths, clauses, strict=True)):
        raise Difference(f"clauses at {', '.join(paths)}", reply.message, request)


@behaviour(
    "errors/length-before-pattern",
    "For one member the message names the length before the pattern.",
    "observed",
    TWO,
    needs=(),
)
def _length_before_pattern(target: Target) -> None:
    request = target.request(ModelName=f"{target.name_of()}-".ljust(64, "_"))
    reply = target.send("CreateModel", request)
    expect_rejected(reply, "ValidationException", "2 validation errors detected: ...", request)
    length, pattern = reply.message.find("have length"), reply.message.find("regular expression pattern")
    if not 0 <= length < pattern:
        raise Difference("the length, then the pattern", reply.message, request)


@behaviour("errors/form", "An error has status 400, a JSON body with `__type` and a message, and a request id.", "observed", WIRE, needs=())
def _form(target: Target) -> None:
    reply = target.send("CreateModel", target.request(ModelName=f"{target.name_of()}-"))
    expect_rejected(reply, "ValidationException")
    expect_equal("the status", reply.status, 400)
    expect_equal("the content type", reply.headers.get("content-type"), "application/x-amz-json-1.1")
    body = json.loads(reply.body)
    expect_equal("the name of the error in the body", body.get("__type", "").rpartition("#")[2], "ValidationException")
    expect_equal("whether there is a message", bool(body.get("message") or body.get("Message")), True)
    expect_equal("whether there is a request id", bool(reply.headers.get("x-amzn-requestid")), True)


@behaviour(
    "errors/no-json", "A body that is not JSON is rejected with SerializationException.", "reported", "JSON services of AWS", needs=()
)
def _no_json(target: Target) -> None:
    expect_rejected(target.send("CreateModel", b'{"ModelName": '), "SerializationException")


@behaviour(
    "errors/wrong-type", "A value of the wrong type is rejected with SerializationException.", "reported", "JSON services of AWS", needs=()
)
def _wrong_type(target: Target) -> None:
    request = target.request(ModelName=[target.name_of()])
    expect_rejected(target.send("CreateModel", request), "SerializationException", None, request)


@behaviour(
    "limits/reached",
    "CreateModel above a limit is rejected with ResourceLimitExceeded, which reports the utilization, and creates nothing.",
    "documented",
    ERRORS,
    needs=("creation", "alone", "limits"),
)
def _reached(target: Target) -> None:
    _create(target, "a")
    with target.limit("models", 1):
        request = target.request(ModelName=target.name_of("b"))
        reply = target.send("CreateModel", request)
        expect_rejected(reply, "ResourceLimitExceeded", "The account-level service limit ...", request)
        expect_equal("the status", reply.status, 400)
        for text in ("is 1 ", "with current utilization of 1 ", "a request delta of 1 "):
            expect_equal(f"whether the text says {text.strip()!r}", text in reply.message, True)
        expect_equal("the models", _listed_names(target), ["a"])
        expect_accepted(target.send("DeleteModel", {"ModelName": target.name_of("a")}))
        _create(target, "b")


@behaviour(
    "faults/throttled",
    "A throttled call is retried, and succeeds after the throttling ends.",
    "documented",
    "Common Errors of the API reference",
    needs=("faults",),
)
def _throttled(target: Target) -> None:
    with target.fail("ListModels", "ThrottlingException", attempts=2):
        expect_equal("the number of retries", target.client().list_models()["ResponseMetadata"]["RetryAttempts"], 2)
    with target.fail("ListModels", "ThrottlingException"):
        expect_rejected(target.send("ListModels", {}), "ThrottlingException", "Rate exceeded")


@behaviour(
    "faults/not-retried",
    "ResourceLimitExceeded is not retried, and is raised as the exception class of the SDK's model.",
    "documented",
    ERRORS,
    needs=("faults",),
)
def _not_retried(target: Target) -> None:
    client = target.client()
    with target.fail("CreateModel", "ResourceLimitExceeded"):
        try:
            client.create_model(**target.request())
        except client.exceptions.ClientError as error:
            expect_equal("the class of the error", type(error).__name__, "ResourceLimitExceeded")
            expect_equal("the number of retries", error.response["ResponseMetadata"]["RetryAttempts"], 0)
        else:
            raise Difference("a ResourceLimitExceeded", "the model was created")


@behaviour(
    "faults/lost-answer",
    "If the response of CreateModel is lost, the retry is rejected because the model already exists.",
    "observed",
    "CreateModel has no idempotency token",
    needs=("creation", "faults"),
)
def _lost_answer(target: Target) -> None:
    with target.fail("CreateModel", "connection-reset", attempts=1, effect="after"):
        expect_rejected(target.send("CreateModel", target.request()), "ValidationException", "Cannot create already existing model ...")
