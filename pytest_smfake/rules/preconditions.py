"""Rules that need the state of the account: looked at by the service once the request itself is sound.

They stand in the catalogue like every other rule, so that they can be listed, cited and overridden. The texts take
their blanks from the service.
"""

from __future__ import annotations

from typing import Any

from .rule import EDITIONS, Edition, Evidence, Rule


def condition(operation: str, path: str, keyword: str, evidence: Evidence, source: str, bound: Any = True) -> Rule:
    """Return a rule that needs the state of the account."""
    place = f"{operation}/{path}" if path else operation
    return Rule(f"{place}:{keyword}", operation, path, keyword, bound, "condition", evidence, source)


NOT_TAKEN = {
    "model": condition("CreateModel", "ModelName", "not-taken", "observed", "astronomer/astronomer-providers#1055 (GitHub)"),
    "endpoint-config": condition(
        "CreateEndpointConfig",
        "EndpointConfigName",
        "not-taken",
        "observed",
        "awslabs/spot-tagging-bot-for-digital-assets#2 (GitHub)",
    ),
    "endpoint": condition("CreateEndpoint", "EndpointName", "not-taken", "observed", "aws/sagemaker-python-sdk#101 (GitHub)"),
    "transform-job": condition(
        "CreateTransformJob",
        "TransformJobName",
        "not-taken",
        "reported",
        "text reported of a processing job, a public log; that names are never free again: aws/amazon-sagemaker-examples#633 (GitHub)",
    ),
}
"""For each kind of resource the rule that its name be free."""
PACKAGE_REGION = condition("CreateModel", "", "package-region", "observed", "aws/amazon-sagemaker-examples#1444 (GitHub)")
TAGS_IN_ALL = condition("AddTags", "Tags", "in-all", "assumed", "the page's bound on Tags, held for the resource; text assumed", bound=50)
SERVERLESS_ISOLATION = condition("CreateEndpointConfig", "", "serverless-isolation", "reported", "a public log, no stable address")
TRANSFORM_INPUT = condition(
    "CreateTransformJob",
    "TransformInput.DataSource.S3DataSource.S3Uri",
    "objects-found",
    "observed",
    "aws/amazon-sagemaker-examples#2414 (GitHub)",
)

CONDITIONS: dict[str, tuple[Rule, tuple[Edition, ...]]] = {
    rule.id: (rule, EDITIONS) for rule in (*NOT_TAKEN.values(), PACKAGE_REGION, TAGS_IN_ALL, SERVERLESS_ISOLATION, TRANSFORM_INPUT)
}
