"""What may not be done, on purpose: by the caller of an operation, by a role, by SageMaker itself."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from pytest_smfake.rules.inputs import shown
from pytest_smfake.rules.service_model import is_operation, noun_of, operation_names, words

from .arns import arn, partition_of
from .errors import ServiceError
from .faults import InForce, Register
from .resources import Place

Policy = Literal[
    "identity-based policy",
    "explicit deny in an identity-based policy",
    "permissions boundary",
    "explicit deny in a permissions boundary",
    "service control policy",
    "explicit deny",
]

BECAUSE: dict[Policy, str] = {
    "identity-based policy": "because no identity-based policy allows the {action} action",
    "explicit deny in an identity-based policy": "with an explicit deny in an identity-based policy",
    "permissions boundary": "because no permissions boundary allows the {action} action",
    "explicit deny in a permissions boundary": "with an explicit deny in a permissions boundary",
    "service control policy": "with an explicit deny in a service control policy",
    "explicit deny": "with an explicit deny",
}
"""How the text ends, by what denies. In this order: observed, aws/amazon-sagemaker-feedback#61; reported of CreateEndpointConfig (a
public log, no stable address); observed, aws/amazon-sagemaker-feedback#88; documented of ListModels (IAM User Guide, Troubleshooting
access denied error messages); observed, aws/amazon-sagemaker-examples-community#13; observed until 2021,
aws-samples/aws-modern-application-workshop#253."""

PASS_ROLE = "iam:PassRole"  # noqa: S105  # an action, not a password
ADD_TAGS = "sagemaker:AddTags"
ELSEWHERE = ("ecr:BatchGetImage", "sts:AssumeRole")
"""What is denied to a role, or to SageMaker, and shows later: a role may not pull an image, SageMaker may not assume a role."""

_ROLES = ("ExecutionRoleArn", "RoleArn")
_CONFIGURED = ("CreateEndpoint", "UpdateEndpoint")
"""What needs its action on the endpoint configuration, too: documented (Service Authorization Reference), of UpdateEndpoint also observed
(aws/aws-cdk#11594, aws-controllers-k8s/community#1889)."""
_LISTS = {"ListDomains": "domain/*"}
"""Lists whose denial names a resource (reported: a public log, no stable address); that of others names none (reported of four, and
documented of ListModels in the IAM User Guide)."""


@dataclass(eq=False)
class Denial(InForce):
    """A denial in force, until `stop()` or the end of its `with` block.

    Attributes:
        action: what is denied, such as `iam:PassRole`.
        resource: on what; `*` stands for any characters.
        policy: what denies it.
        principal: the ARN of who is denied, as the text names it; None for a made-up user of the account.
        hits: how often it was met.
    """

    action: str
    resource: str
    policy: Policy = "identity-based policy"
    principal: str | None = None
    hits: int = 0

    @property
    def label(self) -> str:
        """How a test would write it."""
        return f"deny({self.action!r}{'' if self.resource == '*' else f', resource={self.resource!r}'})"


class Denials:
    """The denials of a fake."""

    def __init__(self) -> None:
        self._denials: Register[Denial] = Register()

    def add(self, action: str, resource: str, policy: Policy, principal: str | None) -> Denial:
        """Deny an action; see `FakeSageMaker.deny`."""
        if not isinstance(action, str):
            raise ValueError(f"{shown(action)} is not an action: one is denied at a time, such as sagemaker:CreateModel")
        service, _, name = action.rpartition(":")
        if action not in (PASS_ROLE, *ELSEWHERE) and (service != "sagemaker" or not is_operation(name)):
            near = [f"sagemaker:{match}" for match in difflib.get_close_matches(name, operation_names(), n=2)]
            actions = ", ".join([PASS_ROLE, *ELSEWHERE, *(near or ["sagemaker:CreateModel"])])
            raise ValueError(
                f"{shown(action)} is not an action that can be denied; there are: {actions}, and every other sagemaker:OPERATION"
            )
        if policy not in get_args(Policy):
            raise ValueError(f"{shown(policy)} is not what can deny; there are: {', '.join(get_args(Policy))}")
        if not (isinstance(resource, str) and resource):
            raise ValueError(f"resource={shown(resource)} is not an ARN, in which * stands for any characters")
        if principal is not None and not isinstance(principal, str):
            raise ValueError(f"principal={shown(principal)} is not the ARN of a caller")
        return self._denials.add(Denial(action, resource, policy, principal))

    def forbid(self, action: str, resource: str) -> bool:
        """Whether an action on a resource is denied."""
        return self._met(action, resource) is not None

    def _met(self, action: str, resource: str) -> Denial | None:
        for denial in self._denials:
            if denial.action == action and fnmatchcase(resource, denial.resource):
                denial.hits += 1
                return denial
        return None

    def authorize(self, operation: str, request: Any, place: Place, principal: str | None = None) -> None:
        """Refuse a call that a denial meets; the text names the denial's principal, else the caller.

        Raises:
            ServiceError: `AccessDeniedException`.
        """
        if self._denials:
            for action, resource in actions_of(operation, request, place):
                denial = self._met(action, resource)
                if denial is not None:
                    text = denied(action, resource, place, denial.policy, denial.principal or principal)
                    raise ServiceError("AccessDeniedException", text, because=denial.label)


def actions_of(operation: str, request: Any, place: Place) -> Iterator[tuple[str, str]]:
    """Yield the actions that a call needs, and on what.

    That tags given at a creation need `sagemaker:AddTags` is reported (Terraform's and the SDK's issues), that a role needs
    `iam:PassRole` is documented (the page, ExecutionRoleArn); their order is assumed. Of an endpoint and its configuration the
    endpoint comes first (observed: aws/aws-cdk#11594 is denied the second alone).
    """
    resource = resource_of(operation, request, place)
    yield f"sagemaker:{operation}", resource
    if not isinstance(request, dict):
        return
    if operation in _CONFIGURED and isinstance(request.get("EndpointConfigName"), str):
        yield f"sagemaker:{operation}", arn(place.region, place.account, f"endpoint-config/{request['EndpointConfigName']}")
    if operation.startswith("Create") and request.get("Tags"):
        yield ADD_TAGS, resource
    for member in _ROLES:
        if isinstance(request.get(member), str):
            yield PASS_ROLE, request[member]


def resource_of(operation: str, request: Any, place: Place) -> str:
    """Return the ARN of what a call is about, `*` where it names nothing; of kinds that the fake does not keep it is assumed."""
    if not isinstance(request, dict):
        request = {}
    if isinstance(request.get("ResourceArn"), str):
        return str(request["ResourceArn"])
    if operation in _LISTS:
        return arn(place.region, place.account, _LISTS[operation])
    noun = noun_of(operation)
    if operation.startswith("InvokeEndpoint") or operation == "UpdateEndpointWeightsAndCapacities":
        noun = "Endpoint"
    name = request.get(f"{noun}Name")
    if not isinstance(name, str):
        return "*"
    return arn(place.region, place.account, f"{words(noun, '-')}/{name}")


def denied(action: str, resource: str, place: Place, policy: Policy = "identity-based policy", principal: str | None = None) -> str:
    """Return the service's text for a denied action; who the user is, is made up unless it is given."""
    user = principal or f"arn:{partition_of(place.region)}:iam::{place.account}:user/smfake"
    on = "" if resource == "*" and action.startswith("sagemaker:List") else f" on resource: {resource}"
    return f"User: {user} is not authorized to perform: {action}{on} {BECAUSE[policy].format(action=action)}"
