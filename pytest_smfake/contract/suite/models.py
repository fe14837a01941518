"""Creating, describing and deleting models: what a service does beside keeping the rules of requests."""

from __future__ import annotations

import json
from typing import Any

from pytest_smfake.contract.check import Check, accepted, behaviours, rejected, same
from pytest_smfake.contract.targets.target import Target

CHECKS: list[Check] = []
behaviour = behaviours(CHECKS)

EXISTS = "astronomer/astronomer-providers#1055 (GitHub)"
DELETE_SOURCE = "matched by Terraform's delete and by the Kubernetes controller of SageMaker"
DESCRIBED = "aws/sagemaker-python-sdk and hashicorp/terraform-provider-aws, which fail on members that were not set"
PAGE_SOURCE = "CreateModel page"
WIRE = "aws/aws-sdk#486 (GitHub)"


def create(target: Target, suffix: str = "", **overrides: Any) -> str:
    """Create a model and return its ARN."""
    request = target.request(ModelName=target.name_of(suffix), **overrides)
    return str(accepted(target.send("CreateModel", request), request)["ModelArn"])


def describe(target: Target, suffix: str = "", region: str | None = None) -> dict[str, Any]:
    """Return a model's description."""
    description: dict[str, Any] = accepted(target.send("DescribeModel", {"ModelName": target.name_of(suffix)}, region=region))
    return description


def refuse_missing(target: Target, suffix: str = "") -> None:
    """See that a model is not there."""
    rejected(target.send("DescribeModel", {"ModelName": target.name_of(suffix)}), "ValidationException", "Could not find model ...")


@behaviour(
    "create/response",
    "CreateModel answers 200 with the ARN of the model in region and account, and nothing else.",
    "documented",
    PAGE_SOURCE,
)
def _response(target: Target) -> None:
    request = target.request()
    reply = target.send("CreateModel", request)
    members = accepted(reply, request)
    same("the members of the answer", sorted(json.loads(reply.body)), ["ModelArn"], request)
    partition, service, region, account, resource = members["ModelArn"].split(":", 5)[1:]
    same(
        "the service, region and resource of the ARN",
        [service, region, resource],
        ["sagemaker", target.region, f"model/{target.name_of()}"],
    )
    same("the start of the partition", partition[:3], "aws")
    if target.account is not None:
        same("the account of the ARN", account, target.account)


@behaviour("create/headers", "An answer is JSON 1.1 and has a request id.", "observed", WIRE)
def _headers(target: Target) -> None:
    reply = target.send("CreateModel", target.request())
    accepted(reply)
    same("the content type", reply.headers.get("content-type"), "application/x-amz-json-1.1")
    same("whether there is a request id", bool(reply.headers.get("x-amzn-requestid")), True)


@behaviour(
    "create/same-name",
    "A second model of the same name is rejected, and the first stays as it is.",
    "observed",
    EXISTS,
    rule="CreateModel/ModelName:not-taken",
)
def _same_name(target: Target) -> None:
    arn = create(target)
    before = describe(target)
    request = target.request(EnableNetworkIsolation=True)
    rejected(target.send("CreateModel", request), "ValidationException", f'Cannot create already existing model "{arn}".', request)
    same("the description of the first model", describe(target), before)


@behaviour("create/case-of-names", "Names that differ in case alone are names of two models.", "assumed", "names are unique by exact case")
def _case_of_names(target: Target) -> None:
    arns = {create(target, "a"), create(target, "A")}
    same("the number of ARNs", len(arns), 2)


@behaviour("create/leaves-nothing", "A rejected creation leaves no model, and its name stays free.", "assumed", "what rejected means")
def _leaves_nothing(target: Target) -> None:
    request = target.request(ExecutionRoleArn="x")
    rejected(target.send("CreateModel", request), "ValidationException", None, request)
    refuse_missing(target)
    create(target)


@behaviour("create/unknown-members", "A member that the service does not know is read past.", "assumed", "what JSON services of AWS do")
def _unknown_members(target: Target) -> None:
    request = target.request() | {"NoSuchMember": {"a": 1}}
    accepted(target.send("CreateModel", request), request)
    same("whether the description has the member", "NoSuchMember" in describe(target), False)


@behaviour(
    "describe/echo",
    "DescribeModel returns name, ARN, role and containers as they were sent, and the time of creation.",
    "reported",
    DESCRIBED,
)
def _echo(target: Target) -> None:
    request = target.request(EnableNetworkIsolation=True)
    request["PrimaryContainer"] |= {"Environment": {"LEVEL": "1"}, "ContainerHostname": "first"}
    arn = accepted(target.send("CreateModel", request), request)["ModelArn"]
    found = describe(target)
    same("the ARN", found.get("ModelArn"), arn)
    for member in ("ModelName", "ExecutionRoleArn", "EnableNetworkIsolation"):
        same(member, found.get(member), request[member], request)
    container = found.get("PrimaryContainer", {})
    for member, value in request["PrimaryContainer"].items():
        same(f"{member} of the container", container.get(member), value, request)
    same("the type of CreationTime", type(found.get("CreationTime")).__name__, "datetime")


@behaviour("describe/absent", "What was not set is absent from a description: VPC, containers, tags.", "reported", DESCRIBED)
def _absent(target: Target) -> None:
    create(target, Tags=[{"Key": "team", "Value": "growth"}])
    found = describe(target)
    same("what is there of what was not set", [name for name in ("VpcConfig", "Containers", "Tags") if name in found], [])


@behaviour(
    "describe/defaults", "A description fills in the mode and an empty environment of a container, and no isolation.", "reported", DESCRIBED
)
def _defaults(target: Target) -> None:
    create(target)
    found = describe(target)
    container = found.get("PrimaryContainer", {})
    same("the mode", container.get("Mode"), "SingleModel")
    same("the environment", container.get("Environment"), {})
    same("EnableNetworkIsolation", found.get("EnableNetworkIsolation"), False)


@behaviour(
    "describe/pipeline", "A pipeline is described with its containers, runs in series, and has no primary one.", "reported", DESCRIBED
)
def _pipeline(target: Target) -> None:
    request = target.request(PrimaryContainer=None, Containers=[{"Image": target.image}] * 2)
    accepted(target.send("CreateModel", request), request)
    found = describe(target)
    same("the images", [container.get("Image") for container in found.get("Containers", ())], [target.image] * 2, request)
    same("whether there is a primary container", "PrimaryContainer" in found, False)
    same("InferenceExecutionConfig", found.get("InferenceExecutionConfig"), {"Mode": "Serial"})


@behaviour("describe/missing", "A model that is not there cannot be described.", "reported", DELETE_SOURCE, needs=())
def _missing(target: Target) -> None:
    refuse_missing(target, "nobody")


@behaviour(
    "delete/answer", "DeleteModel answers 200 with an empty body, and the model is gone.", "reported", "the service's other deletions"
)
def _delete(target: Target) -> None:
    create(target)
    reply = target.send("DeleteModel", {"ModelName": target.name_of()})
    accepted(reply)
    same("the body", reply.body.decode("utf-8", "replace"), "")
    refuse_missing(target)


@behaviour("delete/missing", "A model that is not there cannot be deleted.", "reported", DELETE_SOURCE, needs=())
def _delete_missing(target: Target) -> None:
    request = {"ModelName": target.name_of("nobody")}
    rejected(target.send("DeleteModel", request), "ValidationException", "Could not find model ...", request)


@behaviour("regions/apart", "A model exists in its region alone.", "documented", "ARNs name a region", needs=("creation", "regions"))
def _apart(target: Target) -> None:
    arn = create(target)
    reply = target.send("DescribeModel", {"ModelName": target.name_of()}, region=target.other_region)
    rejected(reply, "ValidationException", "Could not find model ...")
    other = target.request(PrimaryContainer={"Image": target.image})
    there = accepted(target.send("CreateModel", other, region=target.other_region), other)["ModelArn"]
    same("the region of the second ARN", there.split(":")[3], target.other_region)
    same("whether the ARNs are two", arn != there, True)
