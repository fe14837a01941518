"""The IAM policy that allows a run against the real service what it needs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytest_smfake.service.arns import arn

from .account import AwsSettings

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
