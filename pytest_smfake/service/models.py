"""Models and their operations."""

from __future__ import annotations

from typing import Any

from pytest_smfake.rules.models import containers
from pytest_smfake.rules.preconditions import NOT_TAKEN, PACKAGE_REGION

from .context import Answer, Context
from .limits import Quota
from .records import add, describe
from .resources import Kind, Resource


class Model(Resource):
    """A model: a read-only mapping of its CreateModel request, with `name`, `arn`, `created` and `tags`."""

    __slots__ = ()


def create_model(request: dict[str, Any], context: Context) -> Answer:
    """Create a model. The order of the preconditions is assumed: the name, the region of the model package, the limit."""
    world = context.world
    context.refuse_taken(world[MODEL], request["ModelName"])
    if context.catalogue.get(PACKAGE_REGION.id):
        for where, container in containers(request):
            package = container.get("ModelPackageName", "").split(":")
            if len(package) > 3 and package[3] != world.scope.region:
                text = f"ARN should be scoped to correct region: {world.scope.region}"
                raise context.breach(PACKAGE_REGION, (*where, "ModelPackageName"), container["ModelPackageName"], text)
    return add(MODEL, request, context)


def describe_model(request: dict[str, Any], context: Context) -> Answer:
    """Describe a model: absent members stay absent, defaults are filled in (reported)."""
    answer = describe(MODEL, request, context)
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
    return answer | {"DeploymentRecommendation": recommendation}


def _described_container(container: dict[str, Any]) -> dict[str, Any]:
    described = {"Mode": "SingleModel", "Environment": {}} | container
    url = container.get("ModelDataUrl")
    if url is not None and "ModelDataSource" not in container:
        source = {"S3Uri": url, "S3DataType": "S3Object", "CompressionType": "Gzip"}
        described["ModelDataSource"] = {"S3DataSource": source}
    return described


# The text is reported: Terraform and the Kubernetes controller match its start. The quota's name and unit are assumed.
MODEL = Kind(
    noun="Model",
    label="model",
    holds=Model,
    missing='Could not find model "{arn}".',
    taken=NOT_TAKEN["model"],
    quotas={"models": Quota("Total number of models", "Models", 1000)},
    operations={"CreateModel": create_model, "DescribeModel": describe_model},
)
