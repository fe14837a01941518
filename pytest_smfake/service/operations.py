"""The operations that this fake implements: CreateModel and what belongs to a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_smfake.spec.catalogue import Catalogue
from pytest_smfake.spec.conditions import NAME_TAKEN, PACKAGE_REGION, TAGS_IN_ALL
from pytest_smfake.spec.crossfield import containers
from pytest_smfake.spec.rules import Rule, Violation

from .clock import Clock
from .errors import ServiceError, rejected
from .limits import MODELS, Limits
from .paging import cut, decode_token, encode_token
from .store import Model, World

Answer = dict[str, Any] | None
"""What an operation returns: the response's members, or None for an empty body."""

PAGE_SIZE = 10
"""Models on a page of ListModels where MaxResults does not say (assumed; documented as the default of sibling lists)."""
TAGS_PAGE_SIZE = 50
"""Tags on a page of ListTags where MaxResults does not say (assumed; the least that MaxResults may be)."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation works with."""

    world: World
    catalogue: Catalogue
    limits: Limits
    clock: Clock

    def breach(self, rule: Rule, where: tuple[str | int, ...], value: Any, text: str) -> ServiceError:
        """Return the error for a condition that does not hold."""
        current = self.catalogue.rule(rule.id)
        return rejected([Violation(current, where, value, text=text)])


def create_model(request: dict[str, Any], context: Context) -> Answer:
    """Keep a model. The order of the conditions is assumed: the name, the package's region, the limit."""
    world, name = context.world, request["ModelName"]
    if name in world.models and context.catalogue.get(NAME_TAKEN.id):
        text = f'Cannot create already existing model "{world.arn(name)}".'
        raise context.breach(NAME_TAKEN, ("ModelName",), name, text)
    if context.catalogue.get(PACKAGE_REGION.id):
        for where, container in containers(request):
            package = container.get("ModelPackageName", "").split(":")
            if len(package) > 3 and package[3] != world.place.region:
                text = f"ARN should be scoped to correct region: {world.place.region}"
                raise context.breach(PACKAGE_REGION, (*where, "ModelPackageName"), container["ModelPackageName"], text)
    context.limits.check(MODELS, world.place, len(world.models))
    # The service's timestamps have milliseconds.
    return {"ModelArn": world.add(request, round(context.clock.now(), 3)).arn}


def describe_model(request: dict[str, Any], context: Context) -> Answer:
    """Return a model as the service describes it: absent members stay absent, defaults are filled in (reported)."""
    model = _find(request["ModelName"], context.world)
    answer = dict(model)
    answer.pop("Tags", None)
    if "PrimaryContainer" in answer:
        answer["PrimaryContainer"] = _described_container(answer["PrimaryContainer"])
        recommendation: dict[str, Any] = {"RecommendationStatus": "COMPLETED", "RealTimeInferenceRecommendations": []}
    else:
        answer["Containers"] = [_described_container(container) for container in answer["Containers"]]
        answer.setdefault("InferenceExecutionConfig", {"Mode": "Serial"})
        recommendation = {"RecommendationStatus": "NOT_APPLICABLE"}
    for member in ("Containers", "VpcConfig"):
        if not answer.get(member, True):
            del answer[member]
    answer.setdefault("EnableNetworkIsolation", False)
    return answer | {"ModelArn": model.arn, "CreationTime": model.created, "DeploymentRecommendation": recommendation}


def _described_container(container: dict[str, Any]) -> dict[str, Any]:
    described = {"Mode": "SingleModel", "Environment": {}} | container
    url = container.get("ModelDataUrl")
    if url is not None and "ModelDataSource" not in container:
        source = {"S3Uri": url, "S3DataType": "S3Object", "CompressionType": "Gzip"}
        described["ModelDataSource"] = {"S3DataSource": source}
    return described


def list_models(request: dict[str, Any], context: Context) -> Answer:
    """Return a page of models. The page is cut before any filter, so that it can be short, or empty, and still have a token.

    That order was reported of NameContains (boto/boto3#1966, #2521); that the time filters keep it too is assumed.
    """
    world = context.world
    by_name = request.get("SortBy") == "Name"
    descending = request.get("SortOrder", "Descending") == "Descending"
    filters = {name: request.get(name) for name in ("NameContains", "CreationTimeAfter", "CreationTimeBefore")}
    scope = ["ListModels", *world.place, by_name, descending, *filters.values()]
    after = decode_token(request["NextToken"], scope) if "NextToken" in request else None
    keys: Any = world.names() if by_name else world.by_time()
    if after is not None and not by_name:
        after = tuple(after)
    page, more = cut(keys, size=request.get("MaxResults", PAGE_SIZE), after=after, descending=descending)
    models = [world.models[key if by_name else key[2]] for key in page]
    answer: dict[str, Any] = {"Models": [_summary(model) for model in models if _passes(model, filters)]}
    if more:
        answer["NextToken"] = encode_token(scope, page[-1])
    return answer


def _passes(model: Model, filters: dict[str, Any]) -> bool:
    contains, after, before = filters["NameContains"], filters["CreationTimeAfter"], filters["CreationTimeBefore"]
    return (
        (contains is None or contains in model.name)
        and (after is None or model.created >= after)
        and (before is None or model.created < before)
    )


def _summary(model: Model) -> dict[str, Any]:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created}


def delete_model(request: dict[str, Any], context: Context) -> Answer:
    """Drop a model; the service answers with an empty body."""
    context.world.remove(_find(request["ModelName"], context.world).name)
    return None


def add_tags(request: dict[str, Any], context: Context) -> Answer:
    """Merge tags by key. A resource has at most 50 in all."""
    model = _tagged(request["ResourceArn"], context.world)
    tags = model.tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    rule = context.catalogue.get(TAGS_IN_ALL.id)
    if rule is not None and len(tags) > rule.bound:
        text = f"A resource can have at most {rule.bound} tags; with these it would have {len(tags)}."
        raise context.breach(TAGS_IN_ALL, ("Tags",), len(tags), text)
    model.set_tags(tags)
    return {"Tags": _tag_list(tags)}


def list_tags(request: dict[str, Any], context: Context) -> Answer:
    """Return a page of tags, in the order in which they were added (assumed)."""
    model = _tagged(request["ResourceArn"], context.world)
    tags = _tag_list(model.tags)
    scope = ["ListTags", model.arn]
    start = decode_token(request["NextToken"], scope) if "NextToken" in request else 0
    end = start + request.get("MaxResults", TAGS_PAGE_SIZE)
    answer: dict[str, Any] = {"Tags": tags[start:end]}
    if end < len(tags):
        answer["NextToken"] = encode_token(scope, end)
    return answer


def delete_tags(request: dict[str, Any], context: Context) -> Answer:
    """Drop tags by key; a key that is not there is passed over (assumed)."""
    model = _tagged(request["ResourceArn"], context.world)
    model.set_tags({key: value for key, value in model.tags.items() if key not in request["TagKeys"]})
    return {}


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _find(name: str, world: World) -> Model:
    if name not in world.models:
        # Terraform and the Kubernetes controller match the start of this text (reported).
        raise ServiceError("ValidationException", f'Could not find model "{world.arn(name)}".')
    return world.models[name]


def _tagged(arn: str, world: World) -> Model:
    name = arn.rpartition("/")[2]
    if name not in world.models or world.arn(name) != arn:
        # Observed of ListTags in boto/boto3#4606; assumed for AddTags and DeleteTags.
        raise ServiceError("ValidationException", "Resource does not exist")
    return world.models[name]


OPERATIONS: dict[str, Callable[[dict[str, Any], Context], Answer]] = {
    "CreateModel": create_model,
    "DescribeModel": describe_model,
    "ListModels": list_models,
    "DeleteModel": delete_model,
    "AddTags": add_tags,
    "ListTags": list_tags,
    "DeleteTags": delete_tags,
}
"""Every operation that this fake implements."""

TAGGED = ("model",)
"""The resources whose tags this fake keeps, as their ARNs name them."""


def keeps(operation: str, request: Any) -> bool:
    """Whether the fake implements an operation; those on tags it implements for the resources that it keeps."""
    if operation not in OPERATIONS:
        return False
    if not operation.endswith("Tags"):
        return True
    return request["ResourceArn"].split(":", 5)[5].split("/")[0] in TAGGED
