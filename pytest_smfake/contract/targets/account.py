"""Check the settings and credentials of a run against the real service, and build the IAM policy that it needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pytest_smfake.service.arns import arn, partition_of

from .target import PreflightError

RATE = 4.0
"""The default maximum of attempts per second. The service documents no limit; adaptive retries slow down if it throttles."""


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Hold the settings of a run against the real service.

    Attributes:
        account: the id of the account that the credentials must belong to.
        region: the region of the run.
        prefix: the start of every name that is created: at most 30 characters, without capital letters.
        role_arn, image: the role and image of models. Give both or neither; without them only checks run that create nothing.
        rate: the maximum number of attempts per second.
        configured_endpoints: whether AWS_ENDPOINT_URL and similar settings apply. By default they are ignored; a run with them
            proves nothing about the real service.

    Raises:
        PreflightError: a setting is wrong; the error says what is expected.
    """

    account: str
    region: str
    prefix: str
    role_arn: str = ""
    image: str = ""
    rate: float = RATE
    configured_endpoints: bool = False

    def __post_init__(self) -> None:
        wanted = {
            "account": (r"[0-9]{12}", "the id of the account that the credentials must belong to, 12 digits"),
            "region": (r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "a region such as us-east-1"),
            # The service may convert names to lower case in the ARNs that it returns.
            "prefix": (
                r"(?=.{1,30}\Z)[a-z0-9](-*[a-z0-9])*",
                "the start of names, up to 30 lower-case letters and digits, with hyphens between them",
            ),
        }
        for name, (pattern, meaning) in wanted.items():
            value = getattr(self, name)
            if not re.fullmatch(pattern, value or ""):
                raise PreflightError(f"the target aws needs {name}: {meaning}; got {value!r}")
        if not 0 < self.rate < math.inf:
            raise PreflightError(f"the target aws needs a rate above 0 calls per second, got {self.rate!r}")
        self._check_models()

    def _check_models(self) -> None:
        """Check the role and the image. The role must not have a wildcard, since the IAM policy of the run names it."""
        partition = partition_of(self.region)
        role = rf"arn:{partition}:iam::{self.account}:role/[a-zA-Z_0-9+=,.@\-_/]+"
        if self.role_arn and not re.fullmatch(role, self.role_arn):
            raise PreflightError(
                f"the target aws needs a role ARN of its account, such as arn:{partition}:iam::{self.account}:role/SageMaker, "
                f"got {self.role_arn!r}"
            )
        if self.image and not re.fullmatch(r"\S{1,255}", self.image):
            raise PreflightError(f"the target aws needs an image of up to 255 characters without spaces, got {self.image!r}")
        if bool(self.role_arn) != bool(self.image):
            raise PreflightError("the target aws needs a role and an image together to create models, or neither to create none")


def check_credentials(settings: AwsSettings, config: Any) -> None:
    """Call sts:GetCallerIdentity and compare the account of the credentials with the expected one.

    Args:
        settings: the expected account, and the region.
        config: the botocore configuration of the STS client.

    Raises:
        PreflightError: the credentials belong to another account or are missing or rejected, or STS cannot be reached.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        identity = boto3.client("sts", region_name=settings.region, config=config).get_caller_identity()
    except ClientError as error:
        raise PreflightError(f"STS rejects the credentials: {error.response['Error']['Message']}") from None
    except BotoCoreError as error:
        raise PreflightError(f"sts:GetCallerIdentity failed: {error}") from None
    if identity["Account"] != settings.account:
        raise PreflightError(
            f"the credentials belong to account {identity['Account']}, expected {settings.account}; nothing was sent to SageMaker"
        )


WITH_CREATION = frozenset({"AddTags", "DeleteModel", "ListTags"})
"""Further operations that a run with CreateModel needs: models get the tag of the run, and `smfake cleanup` reads it."""
LISTING = "ListModels"
"""The operation for which IAM supports no resource."""
PASSED_TO = "sagemaker.amazonaws.com"


def policy(settings: AwsSettings, operations: Iterable[str]) -> dict[str, Any]:
    """Return the smallest IAM policy document for a run.

    The run needs no other permission: sts:GetCallerIdentity needs none.

    Args:
        settings: the account, region and prefix, and the role if models are created.
        operations: the operations that the run calls.

    Example:
        >>> document = policy(AwsSettings("123456789012", "us-east-1", "ci"), ["DescribeModel", "ListModels"])
        >>> [(statement["Action"], statement["Resource"]) for statement in document["Statement"]]  # doctest: +NORMALIZE_WHITESPACE
        [(['sagemaker:DescribeModel'], 'arn:aws:sagemaker:us-east-1:123456789012:model/ci-*'),
         (['sagemaker:ListModels'], '*')]
    """
    called = set(operations)
    on_models = called - {LISTING} | (WITH_CREATION if "CreateModel" in called else set())
    models = arn(settings.region, settings.account, f"model/{settings.prefix}-*")
    statements = [
        _statement("ModelsOfTheRun", sorted(f"sagemaker:{operation}" for operation in on_models), models),
        _statement("WhichModelsThereAre", [f"sagemaker:{LISTING}"], "*"),
    ]
    if settings.role_arn and "CreateModel" in called:
        condition = {"StringEquals": {"iam:PassedToService": PASSED_TO}}
        statements.append(_statement("RoleOfTheModels", ["iam:PassRole"], settings.role_arn) | {"Condition": condition})
    return {"Version": "2012-10-17", "Statement": [statement for statement in statements if statement["Action"]]}


def _statement(sid: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
