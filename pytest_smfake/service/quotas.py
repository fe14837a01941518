"""The quotas of an account: their names and units in the service's text, and what they are where no test has set a limit."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from pytest_smfake.rules.inputs import did_you_mean, shown
from pytest_smfake.rules.rule import Evidence
from pytest_smfake.rules.service_model import enum_of


@dataclass(frozen=True, slots=True)
class Quota:
    """What the service says of a limit where no test has set one.

    Attributes:
        name, unit: as its text names them.
        default: how much an account may have.
        evidence, source: how the default is known.
    """

    name: str
    unit: str
    default: int
    evidence: Evidence = "assumed"
    source: str = "made up: no figure is published"


MODELS = "models"
ENDPOINT_CONFIGS = "endpoint-configs"
ENDPOINTS = "endpoints"
SERVERLESS_MEMORY = "Memory size in MB per serverless endpoint"
QUOTAS = {
    MODELS: Quota("Total number of models", "Models", 1000),
    ENDPOINT_CONFIGS: Quota("Total number of endpoint configurations", "Endpoint Configurations", 1000),
    ENDPOINTS: Quota("Total number of endpoints", "Endpoints", 100),
    SERVERLESS_MEMORY: Quota(SERVERLESS_MEMORY, "MBs", 3072, "reported", "of an account, about 2024: a public log, no stable address"),
}
"""The quota behind each limit. Name and unit of the memory of a serverless endpoint are reported (a public log, no stable address);
those of the others are assumed, after the form reported for trial components ('Total number of trial components ...' is 50 Trial
Components)."""
OTHER = 100
"""The default of what this fake does not count (made up)."""


def quota_of_instances(name: str) -> Quota:
    """Return the quota on instances of a type, which bears its own name; that new accounts have none is observed of many types."""
    source = "aws/amazon-sagemaker-examples#307, awsdocs/amazon-sagemaker-developer-guide#70 (GitHub)"
    return Quota(name, "Instances", 0, "observed", source)


USAGES = {"endpoint": "ProductionVariantInstanceType", "transform job": "TransformInstanceType"}
"""What instances are counted for, and the shape that lists the types."""
INSTANCES = re.compile(rf"(?P<type>ml\.\S+) for (?P<usage>{'|'.join(USAGES)}) usage")

TEXT = (
    "The account-level service limit '{name}' is {bound} {unit}, with current utilization of {used} {unit} and a request delta of "
    "{delta} {unit}. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, "
    "contact AWS support to request an increase for this quota."
)
"""Reported of CreateEndpoint in 2025 (a public log, no stable address); observed with its older ending of CreateTrainingJob
(gabehollombe-aws/jupyter-notebooks#1)."""


def instances(instance_type: str, usage: str) -> str:
    """Return the limit on the instances of a type.

    Example:
        >>> instances("ml.m5.xlarge", "endpoint")
        'ml.m5.xlarge for endpoint usage'
    """
    return f"{instance_type} for {usage} usage"


def quota(key: str) -> Quota:
    """Return the quota behind a limit.

    Raises:
        ValueError: there is no such limit; the sentence names those that there are.
    """
    match = INSTANCES.fullmatch(key) if isinstance(key, str) else None
    if match is None:
        if isinstance(key, str) and key in QUOTAS:
            return QUOTAS[key]
        known = ", ".join((*QUOTAS, *(instances("ml.m5.xlarge", usage) for usage in USAGES)))
        kind = str(key).partition(" ")[0]
        near = did_you_mean(key, [*QUOTAS, *(instances(kind, usage) for usage in USAGES)])
        raise ValueError(f"{shown(key)} is not a limit{near}; there are: {known}, or of another type (for one region: models@eu-west-1)")
    types = enum_of(USAGES[match["usage"]])
    if match["type"] not in types:
        near = ", ".join(difflib.get_close_matches(match["type"], types, n=3))
        raise ValueError(f"{shown(match['type'])} is not an instance type for {match['usage']} usage; near it: {near or 'none'}")
    return quota_of_instances(key)
