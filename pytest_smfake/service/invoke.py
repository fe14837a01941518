"""InvokeEndpoint, the operation of the runtime service."""

from __future__ import annotations

from typing import Any

from pytest_smfake.rules.rule import Rule

from .arns import console_of, partition_of
from .context import Answer, Context
from .endpoints import ENDPOINT, Deployment, Endpoint, Variant
from .errors import ServiceError, not_implemented
from .models import Model
from .stand_ins import ContainerError, container_steps, invoke_containers, is_direct, is_multi_model

BODY = "InvokeEndpoint/Body:max"
SERVERLESS_BODY = 4 * 1024 * 1024
"""The most bytes that a serverless endpoint accepts (documented: developer guide, serverless endpoints, payload size)."""
MODEL_ERROR = 424
CLIENT_ERROR, SERVER_ERROR = "CLIENT_ERROR_FROM_MODEL", "INTERNAL_FAILURE_FROM_MODEL"


def too_large(rule: Rule | None, body: bytes) -> ServiceError | None:
    """Return the error for a body over the bound, or None. The text was observed with the bound of 2018: aws/sagemaker-python-sdk#171."""
    if rule is None or len(body) <= rule.bound:
        return None
    return ServiceError("", f"HTTP content length exceeded {rule.bound} bytes.", status=413)


def invoke_endpoint(request: dict[str, Any], context: Context) -> Answer:
    """Send the body to the stand-ins of the variant that the request names, or of one chosen by weight. Order of checks: assumed."""
    endpoint, deployment = _serving(request["EndpointName"], context)
    if deployment.config.get("AsyncInferenceConfig") is not None:
        # Code and status are reported: strands-agents/harness-sdk#1969. The text is assumed.
        raise _invalid(f"InvokeEndpoint cannot invoke endpoint {endpoint.name}, whose configuration has AsyncInferenceConfig.")
    variant = _variant(request.get("TargetVariant"), endpoint, deployment)
    if variant.model is None:
        # Observed: BerriAI/litellm#37766.
        text = (
            "Inference Component Name header is required for endpoints to which you plan to deploy inference components. Please "
            "include Inference Component Name header or consider using SageMaker models."
        )
        if "InferenceComponentName" in request:
            raise not_implemented("An inference component")
        raise _invalid(text, "INFERENCE_COMPONENT_NAME_MISSING")
    model, body = variant.model, request.get("Body", b"")
    _check_target_model(request.get("TargetModel"), model, endpoint)
    hostname = _check_hostname(request.get("TargetContainerHostname"), model, endpoint)
    if variant.serverless is not None and len(body) > SERVERLESS_BODY:
        # Observed: aws/sagemaker-python-sdk#4271; the id is the request's.
        raise ServiceError("ValidationError", "Request {request_id} has oversize body.")
    steps = container_steps(model, context.hosting.stand_ins, context.world.scope, hostname)

    def answer() -> dict[str, Any]:
        try:
            reply = invoke_containers(
                model,
                steps,
                body,
                request.get("ContentType"),
                request.get("Accept"),
                endpoint=endpoint.name,
                variant=variant.name,
                target_model=request.get("TargetModel"),
                custom_attributes=request.get("CustomAttributes"),
                inference_id=request.get("InferenceId"),
            )
        except ContainerError as error:
            raise _model_error(error, endpoint, context) from None
        answered = {"Body": reply.body, "ContentType": reply.content_type, "InvokedProductionVariant": variant.name}
        return answered | ({"CustomAttributes": reply.custom_attributes} if reply.custom_attributes is not None else {})

    return answer


def _invalid(text: str, error_code: str | None = None) -> ServiceError:
    members = {"ErrorCode": error_code} if error_code else {}
    return ServiceError("ValidationError", text, members=members)


def _serving(name: str, context: Context) -> tuple[Endpoint, Deployment]:
    endpoint = context.world[ENDPOINT].by_name.get(name)
    if endpoint is None or endpoint.deployment is None or endpoint.status == "Deleting":
        # Observed of a deleted endpoint (aws/amazon-sagemaker-examples#293, #559); assumed of an endpoint that is not in service.
        raise _invalid(f"Endpoint {name} of account {context.world.scope.account} not found.")
    return endpoint, endpoint.deployment


def _variant(name: str | None, endpoint: Endpoint, deployment: Deployment) -> Variant:
    if name is not None:
        variant = deployment.variant(name)
        if variant is None:
            raise _invalid(f"Variant {name} not found for endpoint {endpoint.name}.")  # the text is assumed
        return variant
    weights = [variant.weight for variant in deployment.variants]
    # If all weights are 0, each variant is equally likely (assumed).
    return endpoint.choices.choices(deployment.variants, weights if any(weights) else None)[0]


def _check_target_model(target: str | None, model: Model, endpoint: Endpoint) -> None:
    if target is not None and not is_multi_model(model):
        # Observed: aws/amazon-sagemaker-examples#1026, with its error code #1216.
        text = f"Endpoint {endpoint.name} is not a multi-model endpoint and does not support target model header."
        raise _invalid(text, "TARGET_MODEL_HEADER_NOT_SUPPORTED")
    if target is None and is_multi_model(model):
        # The start of the text is observed: aws/sagemaker-tensorflow-serving-container#166; its end is assumed.
        raise _invalid("Request {request_id} is missing a target model header.")


def _check_hostname(hostname: str | None, model: Model, endpoint: Endpoint) -> str | None:
    """Return the hostname of the container that a direct call invokes; None for a call through all containers.

    The three errors are documented (developer guide, multi-container endpoints with direct invocation); their texts are assumed.
    """
    if not is_direct(model):
        if hostname is not None:
            raise _invalid(f"Endpoint {endpoint.name} is not configured for direct invocation and takes no target container hostname.")
        return None
    known = [container["ContainerHostname"] for container in model["Containers"]]
    if hostname is None:
        raise _invalid(f"Endpoint {endpoint.name} is configured for direct invocation and needs a target container hostname.")
    if hostname not in known:
        raise _invalid(f"Container {hostname} not found in endpoint {endpoint.name}.")
    return hostname


def _model_error(error: ContainerError, endpoint: Endpoint, context: Context) -> ServiceError:
    """Return the error response for a container's error. Observed: aws/sagemaker-python-sdk#2955, aws/amazon-sagemaker-examples#1809.

    The ErrorCode of a server error is observed (aws/sagemaker-tensorflow-serving-container#109), and assumed of a container that did not
    answer in time; that of a client error is reported (a test of opensearch-project/ml-commons).
    """
    scope = context.world.scope
    side, code = ("client", CLIENT_ERROR) if 400 <= error.reply.status < 500 else ("server", SERVER_ERROR)
    group = f"/aws/sagemaker/Endpoints/{endpoint.name}"
    console = f"{console_of(scope.region)}/cloudwatch/home?region={scope.region}#logEventViewer:group={group}"
    text = (
        f'Received {side} error ({error.reply.status}) from {error.container} with message "{error.text}". See {console} '
        f"in account {scope.account} for more information."
    )
    members = {
        "ErrorCode": code,
        "LogStreamArn": f"arn:{partition_of(scope.region)}:logs:{scope.region}:{scope.account}:log-group:{group}",
        "OriginalMessage": error.text,
        "OriginalStatusCode": error.reply.status,
    }
    return ServiceError("ModelError", text, status=MODEL_ERROR, members=members)
