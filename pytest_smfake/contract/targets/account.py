"""What a run against the real service has to be told, whose credentials it has, and the IAM policy that it needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pytest_smfake.service.arns import arn, partition_of

from .target import PreflightError

RATE = 4.0
"""Attempts a second that are sent at the most, by default. The service's own limit is not documented; adaptive retries yield to it."""


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """What a run against the real service has to be told.

    Attributes:
        account: the id of the account that is expected; the credentials have to be of it.
        region: where to run.
        prefix: how every name begins that is created, at most 30 characters, without capital letters.
        role_arn, image: what models name; both, or neither: then nothing is created on purpose.
        rate: how many attempts a second are sent at the most.
        configured_endpoints: whether AWS_ENDPOINT_URL and its kind count. They are ignored by default, and a run with them proves
            nothing about the real service.

    Raises:
        PreflightError: one of them cannot be; the sentence says what would be right.
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
            "account": (r"[0-9]{12}", "the account id that the credentials have to be of, 12 digits"),
            "region": (r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "a region such as us-east-1"),
            # The service may write names in lower case where it answers them in an ARN.
            "prefix": (
                r"(?=.{1,30}\Z)[a-z0-9](-*[a-z0-9])*",
                "how names begin, up to 30 lower-case letters, digits and hyphens between them",
            ),
        }
        for name, (pattern, what) in wanted.items():
            value = getattr(self, name)
            if not re.fullmatch(pattern, value or ""):
                raise PreflightError(f"the target aws needs {name}: {what}; {value!r} is none")
        if not 0 < self.rate < math.inf:
            raise PreflightError(f"the target aws sends a number of calls a second above 0, not {self.rate!r}")
        self._check_models()

    def _check_models(self) -> None:
        """See that what models name is one role and one image: a policy allows to pass the role, and nothing with a wildcard."""
        partition = partition_of(self.region)
        role = rf"arn:{partition}:iam::{self.account}:role/[a-zA-Z_0-9+=,.@\-_/]+"
        if self.role_arn and not re.fullmatch(role, self.role_arn):
            raise PreflightError(
                f"the target aws takes the ARN of a role of its account, such as arn:{partition}:iam::{self.account}:role/SageMaker, "
                f"not {self.role_arn!r}"
            )
        if self.image and not re.fullmatch(r"\S{1,255}", self.image):
            raise PreflightError(f"the target aws takes an image of up to 255 characters without spaces, not {self.image!r}")
        if bool(self.role_arn) != bool(self.image):
            raise PreflightError("the target aws takes a role and an image together: with both models are created, with neither nothing is")


def check_credentials(settings: AwsSettings, config: Any) -> None:
    """Ask STS whose credentials the environment has.

    Args:
        settings: the account that is expected, and the region.
        config: how the client of STS is configured.

    Raises:
        PreflightError: they are of another account, are none, or nobody answers.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        identity = boto3.client("sts", region_name=settings.region, config=config).get_caller_identity()
    except ClientError as error:
        raise PreflightError(f"STS refuses the credentials: {error.response['Error']['Message']}") from None
    except BotoCoreError as error:
        raise PreflightError(f"STS could not be asked whose credentials these are: {error}") from None
    if identity["Account"] != settings.account:
        raise PreflightError(
            f"the credentials are of account {identity['Account']}, and not of {settings.account}, which is expected; "
            "nothing was sent to SageMaker"
        )


WITH_CREATION = frozenset({"AddTags", "DeleteModel", "ListTags"})
"""What whoever creates models needs besides: they bear the run's tag, and `smfake cleanup` looks at it."""
LISTING = "ListModels"
"""The operation for which IAM knows no resource."""
PASSED_TO = "sagemaker.amazonaws.com"


def policy(settings: AwsSettings, operations: Iterable[str]) -> dict[str, Any]:
    """Return the least policy for a run, as a document of IAM.

    Nothing else that the credentials may do is needed: sts:GetCallerIdentity needs no permission.

    Args:
        settings: account, region and prefix; the role, if models are created.
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
