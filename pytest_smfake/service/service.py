"""The service side of a call: the operations, and the way of a call through constraints, conditions and the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_smfake.rules.catalogue import Catalogue
from pytest_smfake.rules.models import CROSS_FIELD, tagged
from pytest_smfake.rules.preconditions import CONDITIONS
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.rules.service_model import is_operation
from pytest_smfake.rules.validator import at

from .calls import Call, Calls
from .clock import Clock, Schedule
from .context import Answer, Context, Dependencies, Hosting
from .endpoints import ENDPOINT, ENDPOINT_CONFIG
from .errors import ServiceError, not_implemented, rejected
from .faults import Faults, skewed
from .invoke import invoke_endpoint
from .limits import Limits
from .locks import lock
from .models import MODEL
from .permissions import Denials, denied, resource_of
from .records import TAG_OPERATIONS, operations_of, slug_of
from .resources import Kind, Operation, Place, Store
from .stand_ins import StandIns
from .transform_jobs import TRANSFORM_JOB

KINDS: list[Kind[Any]] = []
"""Every kind of resource that this fake keeps."""
OPERATIONS: dict[str, Operation] = {"InvokeEndpoint": invoke_endpoint, **TAG_OPERATIONS}
"""Every operation that this fake implements: those of SageMaker, and InvokeEndpoint of its runtime."""


def keep(kind: Kind[Any]) -> None:
    """Let fakes that are made from now on keep resources of a kind, and answer its operations.

    Raises:
        ValueError: the kind has no operation that creates one, or its quotas none on their number.
    """
    if not is_operation(f"Create{kind.noun}"):
        raise ValueError(f"noun={kind.noun!r}: the installed botocore has no operation Create{kind.noun}")
    if kind.quotas and kind.plural not in kind.quotas:
        raise ValueError(f"quotas={sorted(kind.quotas)}: there is none for {kind.plural!r}, the limit on how many there are")
    KINDS.append(kind)
    CONDITIONS[kind.taken.id] = (kind.taken, EDITIONS)
    creation = f"Create{kind.noun}"
    if not any(rule.rule.operation == creation and rule.rule.path == "Tags" for rule in CROSS_FIELD):
        tagged(creation)
    OPERATIONS.update(operations_of(kind))


for _kind in (MODEL, ENDPOINT_CONFIG, ENDPOINT, TRANSFORM_JOB):
    keep(_kind)


def keeps(operation: str, request: Any) -> bool:
    """Whether the fake implements an operation; those on tags it implements for the resources that it keeps."""
    if operation not in OPERATIONS:
        return False
    return operation not in TAG_OPERATIONS or slug_of(request["ResourceArn"]) in {kind.slug for kind in KINDS}


class Service:
    """A SageMaker that holds everything in memory; it knows nothing of HTTP.

    Args:
        catalogue: the rules to enforce.
        limits: bounds by what they limit, from the start.
        clock: whose time it is.
        dependencies: the other services that it looks into.
    """

    def __init__(self, catalogue: Catalogue, limits: Mapping[str, int], clock: Clock, dependencies: Dependencies) -> None:
        self.catalogue = catalogue
        self.clock = clock
        self._initial_limits = dict(limits)
        self._lock = lock()
        self._dependencies = dependencies
        self.stand_ins = StandIns()
        self.kept: int | None = None
        """How many calls the log keeps from the next reset on; None for all."""
        self.reset()

    def reset(self) -> None:
        """Forget every resource, call, stand-in, denial, failure and limit but the limits given at the start.

        Raises:
            RuntimeError: a stand-in failed at its shutdown; everything is forgotten all the same.
        """
        self.store = Store(KINDS)
        self.calls = Calls(self.kept)
        before, self.stand_ins = self.stand_ins, StandIns()
        self.denials = Denials()
        self.hosting = Hosting(Schedule(self.clock), self.stand_ins, self.denials, self._lock, self._dependencies)
        self.limits = Limits(self.store)
        self.faults = Faults(self.clock, self.calls, self._words())
        for key, bound in self._initial_limits.items():
            self.limits.set(key, bound)
        before.close()

    def check(self, operation: str, request: Any) -> None:
        """Refuse a request that breaks a rule, and take out what the service reads past: unknown members and nulls.

        Raises:
            ServiceError: `ValidationException` with every violated constraint, or `SerializationException`.
        """
        try:
            found = self.catalogue.find(operation, request)
        except RecursionError:
            raise ServiceError("SerializationException", "The request is nested too deeply") from None
        if found.violations:
            raise rejected(found.violations, found.left_out)
        for *way, last in found.ignored:
            del at(request, way)[last]

    def _words(self) -> dict[str, Callable[[Call], str]]:
        """Return the texts that depend on the call, for failures on purpose."""

        def access(call: Call) -> str:
            place = Place(call.account, call.region)
            return denied(f"sagemaker:{call.operation}", resource_of(str(call.operation), call.parameters, place), place)

        def limit(call: Call) -> str:
            with self._lock:
                return self.limits.refusal(str(call.operation), call.parameters, self.store.world(Place(call.account, call.region)))

        return {"AccessDeniedException": access, "ResourceLimitExceeded": limit, "InvalidSignatureException": skewed}

    def keeps(self, operation: str, request: Any) -> bool:
        """Whether this service executes the call itself, given that the request is sound."""
        return keeps(operation, request)

    def execute(self, operation: str, request: Any, place: Place) -> Answer:
        """Run an operation on a sound request.

        Raises:
            ServiceError: what the service answers instead.
        """
        if not self.keeps(operation, request):
            arn = f" for {request['ResourceArn']}" if operation in OPERATIONS else ""
            raise not_implemented(operation + arn)
        schedule = self.hosting.schedule
        schedule.run()
        with self._lock:
            context = Context(self.store.world(place), self.catalogue, self.limits, self.clock, self.hosting)
            answer = OPERATIONS[operation](request, context)
        if callable(answer):
            answer = answer()
        schedule.run()
        return answer
