"""State machines that create, describe, list, tag, delete and recreate models."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from pytest_smfake.spec.rules import Edition
from pytest_smfake.values.requests import maker

from .drawn import Drawn
from .invalid import InvalidRequest, invalid_create_model_requests
from .shapes import tags
from .targets import ClientTarget, Expected, Outcome, Parameters, agree

NAMES = st.sampled_from(("a", "A", "b", "a-b", "z" * 40))
"""Few names, so that they meet again: some differ in case alone, some are within others."""
KEYS = st.sampled_from(("a", "A", "k/1", "ñ"))


class _Machine(RuleBasedStateMachine):
    """Draws calls; what is done with one, `step` says."""

    prefix = ""
    edition: Edition = "page"

    def step(self, operation: str, parameters: Parameters) -> None:
        """Make a call, and see what comes of it."""
        raise NotImplementedError

    def name(self, suffix: str) -> str:
        """Return the name of a model of this machine."""
        return f"{self.prefix}{suffix}"

    @rule(suffix=NAMES, data=st.data())
    def create(self, suffix: str, data: st.DataObject) -> None:
        """Create a model, or try to create it once more."""
        strategy = _requests(self.edition, self.name(suffix))
        self.step("create_model", data.draw(strategy, label="request"))

    @rule(data=st.data())
    def create_invalid(self, data: st.DataObject) -> None:
        """Send a request that breaks a rule."""
        record: InvalidRequest = data.draw(invalid_create_model_requests(edition=self.edition), label="record")
        if isinstance(record.request, dict):  # boto3 takes nothing else
            self.refused(record)

    def refused(self, record: InvalidRequest) -> None:
        """See that a request is refused."""
        raise NotImplementedError

    @rule(suffix=NAMES)
    def describe(self, suffix: str) -> None:
        """Describe a model, or one that is not there."""
        self.step("describe_model", {"ModelName": self.name(suffix)})

    @rule(suffix=NAMES)
    def delete(self, suffix: str) -> None:
        """Delete a model, or one that is not there."""
        self.step("delete_model", {"ModelName": self.name(suffix)})

    @rule(contains=st.sampled_from((None, "a", "z", "-", "nothing")), size=st.sampled_from((None, 1, 2, 3, 100)), order=st.integers(0, 5))
    def list(self, contains: str | None, size: int | None, order: int) -> None:
        """List models by pages of a size, filtered and sorted."""
        by = (None, "Name", "CreationTime")[order % 3]
        direction = (None, "Ascending")[order // 3]
        parameters = {"NameContains": contains, "MaxResults": size, "SortBy": by, "SortOrder": direction}
        self.step("list_models", {name: value for name, value in parameters.items() if value is not None})

    @rule(suffix=NAMES, added=tags() | KEYS.map(lambda key: [{"Key": key, "Value": "v"}]))
    def tag(self, suffix: str, added: Any) -> None:
        """Add tags to a model, or to one that is not there."""
        self.step("add_tags", {"ModelName": self.name(suffix), "Tags": added})

    @rule(suffix=NAMES, keys=st.lists(KEYS, min_size=1, max_size=3))
    def untag(self, suffix: str, keys: Any) -> None:
        """Delete tags of a model, there or not."""
        self.step("delete_tags", {"ModelName": self.name(suffix), "TagKeys": keys})

    @rule(suffix=NAMES)
    def look_at_tags(self, suffix: str) -> None:
        """List the tags of a model, or of one that is not there."""
        self.step("list_tags", {"ModelName": self.name(suffix)})


@st.composite
def _requests(draw: st.DrawFn, edition: Edition, name: str) -> Parameters:
    request: Parameters = maker(edition, "CreateModel").request(Drawn(draw), given={"ModelName": name})
    return request


class ModelLifecycle(_Machine):
    """A state machine that holds a client against a model of the service in plain Python.

    Run it with Hypothesis's `run_state_machine_as_test`, which makes a machine, and so a world, for each example.

    Args:
        target: a boto3 client, or an object with a method `client()`; a context manager, such as a `FakeSageMaker` that is not
            active, is entered for each call.
        edition: the rules that the target keeps, `page` or `sdk`.
        prefix: how the names of this machine's models begin; others are left alone. Needed where the account holds others.

    Models that are left are deleted when an example ends.

    Example:
        >>> from hypothesis import settings
        >>> from hypothesis.stateful import run_state_machine_as_test
        >>> from pytest_smfake import FakeSageMaker
        >>> from pytest_smfake.strategies import ModelLifecycle
        >>> few = settings(max_examples=5, stateful_step_count=5, deadline=None)
        >>> run_state_machine_as_test(lambda: ModelLifecycle(FakeSageMaker()), settings=few)
    """

    def __init__(self, target: Any, *, edition: Edition = "page", prefix: str = "") -> None:
        super().__init__()
        self.edition = edition
        self.prefix = prefix
        self.target = ClientTarget(target, prefix)
        self.expected = Expected()

    def step(self, operation: str, parameters: Parameters) -> None:
        """Make a call, and hold it against what is expected."""
        expected, actual = self.expected.call(operation, parameters), self.target.call(operation, parameters)
        _compare(operation, parameters, ("expected", expected), ("actual", actual), agree(expected.answer, actual.answer))

    def refused(self, record: InvalidRequest) -> None:
        """See that a request is refused, and nothing is there that was not."""
        actual = self.target.call("create_model", record.request)
        if actual.code is None:
            name = record.request["ModelName"]
            self.target.call("delete_model", {"ModelName": name})
            raise AssertionError(f"CreateModel accepted a request that breaks {record.rule.id}: {record!r}")
        _compare("create_model", record.request, ("expected", Outcome("Invalid")), ("actual", actual), True)

    def teardown(self) -> None:
        """Delete the models that are left, after a look whether they are all."""
        try:
            self.step("list_models", {"NameContains": self.prefix} if self.prefix else {})
        finally:
            for name in list(self.expected.models):
                self.target.call("delete_model", {"ModelName": name})


class ModelComparison(_Machine):
    """A state machine that makes the same calls to two targets, and compares what comes of them.

    Codes are compared, names, descriptions and tags; accounts, regions and times are not.

    Args:
        left: a target, as of `ModelLifecycle`.
        right: the other.
        edition: the rules by which requests are made.
        prefix: as of `ModelLifecycle`.

    Example:
        >>> from hypothesis import settings
        >>> from hypothesis.stateful import run_state_machine_as_test
        >>> from pytest_smfake import FakeSageMaker
        >>> from pytest_smfake.strategies import ModelComparison
        >>> few = settings(max_examples=5, stateful_step_count=5, deadline=None)
        >>> run_state_machine_as_test(lambda: ModelComparison(FakeSageMaker(), FakeSageMaker(account="111122223333")), settings=few)
    """

    def __init__(self, left: Any, right: Any, *, edition: Edition = "page", prefix: str = "") -> None:
        super().__init__()
        self.edition = edition
        self.prefix = prefix
        self.left, self.right = ClientTarget(left, prefix), ClientTarget(right, prefix)
        self.names: set[str] = set()

    def step(self, operation: str, parameters: Parameters) -> None:
        """Make a call to both, and compare."""
        if operation == "create_model" and isinstance(parameters.get("ModelName"), str):
            self.names.add(parameters["ModelName"])
        left, right = self.left.call(operation, parameters), self.right.call(operation, parameters)
        _compare(operation, parameters, ("left", left), ("right", right), left.answer == right.answer)

    def refused(self, record: InvalidRequest) -> None:
        """See that both say the same of an invalid request."""
        self.step("create_model", record.request)

    def teardown(self) -> None:
        """Delete the models that are left."""
        for name in sorted(self.names):
            for target in (self.left, self.right):
                target.call("delete_model", {"ModelName": name})


def _compare(operation: str, parameters: Parameters, one: tuple[str, Outcome], other: tuple[str, Outcome], answers: bool) -> None:
    if one[1].code != other[1].code or (one[1].code is None and not answers):
        raise AssertionError(f"{operation} with {parameters!r}\n{one[0]}: {one[1]}\n{other[0]}: {other[1]}")
