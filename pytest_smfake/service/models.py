"""Models and their operations."""

from __future__ import annotations

from typing import Any

from pytest_smfake.rules.models import model_not_taken

from .context import Answer, Context
from .limits import Quota
from .records import describe
from .resources import Kind, Resource


class Model(Resource):
    """A model: a read-only mapping of its CreateModel request, with `name`, `arn`, `created` and `tags`."""

    __slots__ = ()


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
    taken=model_not_taken,
    quotas={"models": Quota("Total number of models", "Models", 1000)},
    operations={"DescribeModel": describe_model},
)
