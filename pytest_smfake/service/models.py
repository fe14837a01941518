"""The operations on models: CreateModel and what belongs to it."""

from __future__ import annotations

from typing import Any

from pytest_smfake.rules.models import containers
from pytest_smfake.rules.preconditions import PACKAGE_REGION

from .context import Answer, Context
from .paging import list_page
from .quotas import MODELS
from .resources import Model


def create_model(request: dict[str, Any], context: Context) -> Answer:
    """Keep a model. The order of the conditions is assumed: the name, the package's region, the limit."""
    world, name = context.world, request["ModelName"]
    context.refuse_taken(world.models, name)
    if context.catalogue.get(PACKAGE_REGION.id):
        for where, container in containers(request):
            package = container.get("ModelPackageName", "").split(":")
            if len(package) > 3 and package[3] != world.place.region:
                text = f"ARN should be scoped to correct region: {world.place.region}"
                raise context.breach(PACKAGE_REGION, (*where, "ModelPackageName"), container["ModelPackageName"], text)
    context.limits.check(MODELS, world)
    model = world.models.add(Model(name, request, world.models.arn(name), context.now()))
    return {"ModelArn": model.arn}


def describe_model(request: dict[str, Any], context: Context) -> Answer:
    """Return a model as the service describes it: absent members stay absent, defaults are filled in (reported)."""
    model = context.world.models.find(request["ModelName"])
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
    """Return a page of models."""
    models, token = list_page("ListModels", context.world.models, request)
    summaries = [{"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created} for model in models]
    return {"Models": summaries} | token


def delete_model(request: dict[str, Any], context: Context) -> Answer:
    """Drop a model, also one that is in use; the service answers with an empty body."""
    models = context.world.models
    models.remove(models.find(request["ModelName"]).name)
    return None
