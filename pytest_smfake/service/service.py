"""The service: all kinds and operations, and how a request is checked and executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.coded import coded_rules, register
from pytest_smfake.rules.service_model import is_operation
from pytest_smfake.rules.tags import tagged
from pytest_smfake.rules.validator import at

from .calls import Call, Calls
from .clock import Clock, Schedule
from .context import Answer, Context, Dependencies, Hosting
from .endpoints import ENDPOINT, ENDPOINT_CONFIG
from .errors import ServiceError, not_implemented, violation_error
from .faults import Faults, skewed
from .invoke import invoke_endpoint
from .limits import Limits
from .locks import lock
from .models import MODEL
from .permissions import Denials, Unavailabilities, denied_text, resource_of
from .records import TAG_OPERATIONS, operations_of, slug_of
from .resources import Kind, Operation, Scope, Store
from .stand_ins import StandIns
from .transform_jobs import TRANSFORM_JOB

KINDS: list[Kind[Any]] = []
"""Every kind of resource that this fake implements."""
OPERATIONS: dict[str, Operation] = {"InvokeEndpoint": invoke_endpoint, **TAG_OPERATIONS}
"""Every operation that this fake implements: those of SageMaker, and InvokeEndpoint of its runtime."""


def keep(kind: Kind[Any]) -> None:
    """Add a kind of resource and its operations to the fakes that are made from now on.

    Raises:
        ValueError: botocore has no operation that creates the kind, its quotas lack the limit on the number of resources, or the
            kind, or another of its noun, is kept already.
    """
    if not is_operation(f"Create{kind.noun}"):
        raise ValueError(f"noun={kind.noun!r}: the installed botocore has no operation Create{kind.noun}")
    if kind.quotas and kind.plural not in kind.quotas:
        raise ValueError(f"quotas={sorted(kind.quotas)}: there is none for {kind.plural!r}, the limit on how many there are")
    if any(kept.noun == kind.noun for kept in KINDS):
        raise ValueError(f"noun={kind.noun!r}: a kind of this noun is kept already")
    creation = f"Create{kind.noun}"
    if kind.taken not in coded_rules(creation):
        register(kind.taken)
    if not any(coded.rule.path == "Tags" for coded in coded_rules(creation)):
        tagged(creation)
    KINDS.append(kind)
    OPERATIONS.update(operations_of(kind))


for _kind in (MODEL, ENDPOINT_CONFIG, ENDPOINT, TRANSFORM_JOB):
    keep(_kind)


def keeps(operation: str, request: Any) -> bool:
    """Return whether the fake implements an operation; it implements operations on tags for its own kinds only."""
    if operation not in OPERATIONS:
        return False
    return operation not in TAG_OPERATIONS or slug_of(request["ResourceArn"]) in {kind.slug for kind in KINDS}


class Service:
    """An in-memory SageMaker; it knows nothing of HTTP.

    Args:
        catalogue: the rules to enforce.
        limits: the initial limits: bounds by the name of the limit.
        clock: its clock.
        dependencies: the other AWS services that it calls.
    """

    def __init__(self, catalogue: Catalogue, limits: Mapping[str, int], clock: Clock, dependencies: Dependencies) -> None:
        self.catalogue = catalogue
        self.clock = clock
        self._initial_limits = dict(limits)
        self._lock = lock()
        self._dependencies = dependencies
        self.stand_ins = StandIns()
        self.kept: int | None = None
        """The number of calls that the log keeps, from the next reset on; None keeps all."""
        self.reset()

    def reset(self) -> None:
        """Delete all resources, calls, stand-ins, denied permissions, faults and limits; then set the initial limits.

        Raises:
            RuntimeError: a stand-in failed at its shutdown. The reset is complete nevertheless.
        """
        self.store = Store(KINDS)
        self.calls = Calls(self.kept)
        before, self.stand_ins = self.stand_ins, StandIns()
        self.denials = Denials()
        self.unavailable = Unavailabilities()
        self.hosting = Hosting(Schedule(self.clock), self.stand_ins, self.denials, self.unavailable, self._lock, self._dependencies)
        self.limits = Limits(self.store)
        self.faults = Faults(self.clock, self.calls, self._injected_texts())
        for key, bound in self._initial_limits.items():
            self.limits.set(key, bound)
        before.close()

    def check(self, operation: str, request: Any) -> None:
        """Check a request against the rules, and remove unknown members and nulls from it, which the service ignores.

        Raises:
            ServiceError: `ValidationException` with every violation, or `SerializationException`.
        """
        try:
            found = self.catalogue.find(operation, request)
        except RecursionError:
            raise ServiceError("SerializationException", "The request is nested too deeply") from None
        if found.violations:
            raise violation_error(found.violations, found.left_out)
        for *path, last in found.ignored:
            del at(request, path)[last]

    def _injected_texts(self) -> dict[str, Callable[[Call], str]]:
        """Return, by error code, the functions for texts of injected errors that depend on the call."""

        def access(call: Call) -> str:
            scope = Scope(call.account, call.region)
            return denied_text(f"sagemaker:{call.operation}", resource_of(str(call.operation), call.parameters, scope), scope)

        def limit(call: Call) -> str:
            with self._lock:
                return self.limits.injected_text(str(call.operation), call.parameters, self.store.world(Scope(call.account, call.region)))

        return {"AccessDeniedException": access, "ResourceLimitExceeded": limit, "InvalidSignatureException": skewed}

    def keeps(self, operation: str, request: Any) -> bool:
        """Return whether this service executes an operation itself; the request must be valid."""
        return keeps(operation, request)

    def check_size(self, operation: str, request: Any, scope: Scope) -> None:
        """Check the limits on the size of a request to an operation that this service does not execute itself.

        Raises:
            ServiceError: `ResourceLimitExceeded`.
        """
        with self._lock:
            self.limits.check_size(operation, request, self.store.world(scope))

    def execute(self, operation: str, request: Any, scope: Scope) -> Answer:
        """Execute an operation with a valid request and return its answer.

        Raises:
            ServiceError: the error response.
        """
        if not self.keeps(operation, request):
            arn = f" for {request['ResourceArn']}" if operation in OPERATIONS else ""
            raise not_implemented(operation + arn)
        schedule = self.hosting.schedule
        schedule.run()
        with self._lock:
            context = Context(self.store.world(scope), self.catalogue, self.limits, self.clock, self.hosting)
            answer = OPERATIONS[operation](request, context)
        if callable(answer):
            answer = answer()
        schedule.run()
        return answer
