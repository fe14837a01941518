"""Why an endpoint cannot come into service."""

from __future__ import annotations

from pytest_smfake.spec.crossfield import containers

from .context import Context
from .endpoint import Deployment
from .serving import unhealthy


def failure_of(deployment: Deployment, context: Context) -> str | None:
    """Return the FailureReason of a deployment, None where its images can be pulled and its containers are healthy."""
    hosting = context.hosting
    for variant in deployment.variants:
        if variant.model is None:
            continue
        role = variant.model.get("ExecutionRoleArn")
        for _, container in containers(variant.model):
            if "Image" in container and hosting.denials.forbid("ecr:BatchGetImage", container["Image"]):
                # Observed: aws/sagemaker-python-sdk#2002.
                return f"The role '{role}' does not have BatchGetImage permission for the image: '{container['Image']}'."
        if name := unhealthy(variant.model, hosting.stand_ins, context.world.place):
            # Observed of the primary container: aws/amazon-sagemaker-examples#1113; with another name assumed.
            return (
                f"The {name} container for production variant {variant.name} did not pass the ping health check. Please check "
                "CloudWatch logs for this endpoint."
            )
    return None
