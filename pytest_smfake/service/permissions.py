"""What is not there for a caller: denied permissions of callers, roles and SageMaker itself, and what a region lacks."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from pytest_smfake.rules.inputs import near, shown
from pytest_smfake.rules.service_model import check_region, enum_of, is_operation, noun_of, operation_names, words

from .arns import arn, partition_of
from .errors import ServiceError
from .faults import Register, Stoppable
from .resources import Scope

Policy = Literal[
    "identity-based policy",
    "explicit deny in an identity-based policy",
    "permissions boundary",
    "explicit deny in a permissions boundary",
    "service control policy",
    "explicit deny",
]

DENIED_BY: dict[Policy, str] = {
    "identity-based policy": "because no identity-based policy allows the {action} action",
    "explicit deny in an identity-based policy": "with an explicit deny in an identity-based policy",
    "permissions boundary": "because no permissions boundary allows the {action} action",
    "explicit deny in a permissions boundary": "with an explicit deny in a permissions boundary",
    "service control policy": "with an explicit deny in a service control policy",
    "explicit deny": "with an explicit deny",
}
"""By policy, the end of the text. Sources in this order: observed, aws/amazon-sagemaker-feedback#61; reported of CreateEndpointConfig (a
public log, no stable address); observed, aws/amazon-sagemaker-feedback#88; documented of ListModels (IAM User Guide, Troubleshooting
access denied error messages); observed, aws/amazon-sagemaker-examples-community#13; observed until 2021,
aws-samples/aws-modern-application-workshop#253."""

PASS_ROLE = "iam:PassRole"  # noqa: S105  # an action, not a password
ADD_TAGS = "sagemaker:AddTags"
ELSEWHERE = ("ecr:BatchGetImage", "sts:AssumeRole")
"""Actions of a role or of SageMaker, denied after the call: a role pulls an image, SageMaker assumes a role."""

_ROLES = ("ExecutionRoleArn", "RoleArn")
_CONFIGURED = ("CreateEndpoint", "UpdateEndpoint")
"""Operations that also need their action on the endpoint configuration: documented (Service Authorization Reference), of UpdateEndpoint
also observed (aws/aws-cdk#11594, aws-controllers-k8s/community#1889)."""
_LISTS = {"ListDomains": "domain/*"}
"""Lists whose text names a resource (reported: a public log, no stable address). The text of other lists names none (reported of four,
and documented of ListModels in the IAM User Guide)."""


@dataclass(eq=False)
class Denial(Stoppable):
    """A denied permission, active until `stop()` or the end of its `with` block.

    Attributes:
        action: the denied action, such as `iam:PassRole`.
        resource: the ARN of the resource; `*` stands for any characters.
        policy: the policy that denies it.
        principal: the ARN of the caller in the text; None for a made-up user of the account.
        hits: how many times it was triggered.
    """

    action: str
    resource: str
    policy: Policy = "identity-based policy"
    principal: str | None = None
    hits: int = 0

    @property
    def label(self) -> str:
        """The expression by which a test denies it."""
        return f"deny({self.action!r}{'' if self.resource == '*' else f', resource={self.resource!r}'})"


FEATURES = ("asynchronous-inference", "serverless-inference", "scale-to-zero")
"""Features of endpoints that a region can lack: `scale-to-zero` is MinInstanceCount 0 of ManagedInstanceScaling."""


@dataclass(eq=False)
class Unavailability(Stoppable):
    """An instance type or feature that a region lacks. `stop()`, or the end of a `with` block, ends it.

    Attributes:
        thing: the instance type, such as `ml.inf2.8xlarge`, or the feature.
        region: the region; None for every region.
    """

    thing: str
    region: str | None = None

    @property
    def label(self) -> str:
        """The expression by which a test sets it."""
        return f"unavailable({self.thing!r}{'' if self.region is None else f', region={self.region!r}'})"


class Unavailabilities:
    """What regions lack in a fake; nothing by default, since that depends on the region and the year."""

    def __init__(self) -> None:
        self._things: Register[Unavailability] = Register()

    def add(self, thing: str, region: str | None) -> Unavailability:
        """Let a region lack an instance type or a feature; see `FakeSageMaker.unavailable`."""
        types = enum_of("ProductionVariantInstanceType")
        if not isinstance(thing, str) or thing not in (*FEATURES, *types):
            within = [name for name in (*FEATURES, *types) if isinstance(thing, str) and len(thing) > 2 and thing in name]
            nearest = ", ".join(near(thing, (*FEATURES, *types)) or within[:3]) or "none"
            text = f"{shown(thing)} is neither an instance type of endpoints nor a feature; near it: {nearest}"
            raise ValueError(f"{text}; the features are: {', '.join(FEATURES)}")
        check_region(region, stacklevel=4)
        return self._things.add(Unavailability(thing, region))

    def hold(self, thing: str, region: str) -> bool:
        """Return whether a region lacks something."""
        return any(one.thing == thing and one.region in (None, region) for one in self._things)


class Denials:
    """The denied permissions of a fake."""

    def __init__(self) -> None:
        self._denials: Register[Denial] = Register()

    def add(self, action: str, resource: str, policy: Policy, principal: str | None) -> Denial:
        """Deny an action; see `FakeSageMaker.deny`."""
        if not isinstance(action, str):
            raise ValueError(f"action must be one action as a string, such as 'sagemaker:CreateModel'; got {shown(action)}")
        service, _, name = action.rpartition(":")
        if action not in (PASS_ROLE, *ELSEWHERE) and (service != "sagemaker" or not is_operation(name)):
            near = [f"sagemaker:{match}" for match in difflib.get_close_matches(name, operation_names(), n=2)]
            actions = ", ".join([PASS_ROLE, *ELSEWHERE, *(near or ["sagemaker:CreateModel"])])
            raise ValueError(
                f"{shown(action)} is not an action that can be denied; there are: {actions}, and every other sagemaker:OPERATION"
            )
        if policy not in get_args(Policy):
            raise ValueError(f"unknown policy {shown(policy)}; expected one of: {', '.join(get_args(Policy))}")
        named = isinstance(resource, str) and resource
        if not named or (action.startswith("sagemaker:") and not resource.startswith(("arn:", "*", "?", "["))):
            right = "an ARN such as arn:aws:sagemaker:us-east-1:123456789012:model/churn; * stands for any characters"
            raise ValueError(f"resource={shown(resource)} is not {right}")
        if principal is not None and not isinstance(principal, str):
            raise ValueError(f"principal={shown(principal)} is not the ARN of a caller")
        return self._denials.add(Denial(action, resource, policy, principal))

    def is_denied(self, action: str, resource: str) -> bool:
        """Return whether an action on a resource is denied, and count the hit."""
        return self._triggered(action, resource) is not None

    def _triggered(self, action: str, resource: str) -> Denial | None:
        for denial in self._denials:
            if denial.action == action and fnmatchcase(resource, denial.resource):
                denial.hits += 1
                return denial
        return None

    def authorize(self, operation: str, request: Any, scope: Scope, principal: str | None = None) -> None:
        """Check that no action that a call needs is denied. The text names the principal of the denied permission, else the caller.

        Raises:
            ServiceError: `AccessDeniedException`: an action is denied.
        """
        if self._denials:
            for action, resource in needed_actions(operation, request, scope):
                denial = self._triggered(action, resource)
                if denial is not None:
                    text = denied_text(action, resource, scope, denial.policy, denial.principal or principal)
                    raise ServiceError("AccessDeniedException", text, because=denial.label)


def needed_actions(operation: str, request: Any, scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield each action that a call needs, and the resource.

    A creation with tags needs `sagemaker:AddTags` (reported: issues of Terraform and the SDK), a role needs `iam:PassRole`
    (documented: the page, ExecutionRoleArn); their order is assumed. The endpoint comes before its configuration (observed:
    aws/aws-cdk#11594 is denied the second alone).
    """
    resource = resource_of(operation, request, scope)
    yield f"sagemaker:{operation}", resource
    if not isinstance(request, dict):
        return
    if operation in _CONFIGURED and isinstance(request.get("EndpointConfigName"), str):
        yield f"sagemaker:{operation}", arn(scope.region, scope.account, f"endpoint-config/{request['EndpointConfigName']}")
    if operation.startswith("Create") and request.get("Tags"):
        yield ADD_TAGS, resource
    for member in _ROLES:
        if isinstance(request.get(member), str):
            yield PASS_ROLE, request[member]


def resource_of(operation: str, request: Any, scope: Scope) -> str:
    """Return the ARN of the resource that a call names, or `*`. For kinds that the fake does not hold the ARN is assumed."""
    if not isinstance(request, dict):
        request = {}
    if isinstance(request.get("ResourceArn"), str):
        return str(request["ResourceArn"])
    if operation in _LISTS:
        return arn(scope.region, scope.account, _LISTS[operation])
    noun = noun_of(operation)
    if operation.startswith("InvokeEndpoint") or operation == "UpdateEndpointWeightsAndCapacities":
        noun = "Endpoint"
    name = request.get(f"{noun}Name")
    if not isinstance(name, str):
        return "*"
    return arn(scope.region, scope.account, f"{words(noun, '-')}/{name}")


def denied_text(action: str, resource: str, scope: Scope, policy: Policy = "identity-based policy", principal: str | None = None) -> str:
    """Return the service's text for a denied action; without a principal, the user is made up."""
    user = principal or f"arn:{partition_of(scope.region)}:iam::{scope.account}:user/smfake"
    on = "" if resource == "*" and action.startswith("sagemaker:List") else f" on resource: {resource}"
    return f"User: {user} is not authorized to perform: {action}{on} {DENIED_BY[policy].format(action=action)}"
