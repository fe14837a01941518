"""State machines that create, describe, list, tag, delete and recreate models, and the targets that they drive."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from pytest_smfake.generate.requests import maker
from pytest_smfake.rules.rule import Edition

from .requests import Drawn, InvalidRequest, Parameters, invalid_create_model_requests, tags

MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The outcome of a call, without values that differ between accounts, regions and times.

    Attributes:
        code: the error's code, None where the call was accepted; `Invalid` for any error about the request itself, whether the
            client or the service found it.
        answer: the answer, as far as it is comparable.
    """

    code: str | None = None
    answer: Any = None


INVALID = {"ValidationException", "SerializationException"}


def outcome(call: Callable[[], Any]) -> CallOutcome:
    """Return the outcome of a call to a client."""
    from botocore.exceptions import ClientError, ParamValidationError

    try:
        return CallOutcome(answer=call())
    except ParamValidationError:
        return CallOutcome("Invalid")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return CallOutcome("Invalid" if code in INVALID else code)


class ClientTarget:
    """Drives a boto3 client.

    Args:
        target: a client, or an object with a method `client()`. A context manager, such as a `FakeSageMaker`, is entered
            for each call.
        prefix: how the names begin of all models that may be looked at.
    """

    def __init__(self, target: Any, prefix: str) -> None:
        self.target = target
        self.prefix = prefix

    def _active(self) -> AbstractContextManager[Any]:
        return self.target if hasattr(self.target, "__enter__") else nullcontext()

    def call(self, operation: str, parameters: Parameters) -> CallOutcome:
        """Make a call, and return its outcome."""
        with self._active():
            client = self.target.client() if callable(getattr(self.target, "client", None)) else self.target
            return outcome(lambda: getattr(self, operation)(client, parameters))

    def create_model(self, client: Any, parameters: Parameters) -> str:
        """Create a model, and return what follows the account in its ARN."""
        return _resource(client.create_model(**parameters)["ModelArn"])

    def describe_model(self, client: Any, parameters: Parameters) -> Parameters:
        """Return the description of a model, without times and what the service works out."""
        described = client.describe_model(**parameters)
        for volatile in ("ResponseMetadata", "CreationTime", "DeploymentRecommendation"):
            described.pop(volatile, None)
        return dict(described) | {"ModelArn": _resource(described["ModelArn"])}

    def delete_model(self, client: Any, parameters: Parameters) -> None:
        """Delete a model."""
        client.delete_model(**parameters)

    def list_models(self, client: Any, parameters: Parameters) -> list[str]:
        """Return the names on all pages, in the order of names unless they are sorted by name."""
        names: list[str] = []
        page = client.list_models(**parameters)
        while True:
            if len(page["Models"]) > parameters.get("MaxResults", 100):
                raise AssertionError(f"a page of {parameters.get('MaxResults')} holds {len(page['Models'])} models")
            names += [model["ModelName"] for model in page["Models"] if model["ModelName"].startswith(self.prefix)]
            if "NextToken" not in page:
                return names if parameters.get("SortBy") == "Name" else sorted(names)
            page = client.list_models(**parameters, NextToken=page["NextToken"])

    def add_tags(self, client: Any, parameters: Parameters) -> None:
        """Add tags to a model that is there."""
        client.add_tags(ResourceArn=self._arn(client, parameters), Tags=parameters["Tags"])

    def delete_tags(self, client: Any, parameters: Parameters) -> None:
        """Delete tags of a model that is there."""
        client.delete_tags(ResourceArn=self._arn(client, parameters), TagKeys=parameters["TagKeys"])

    def list_tags(self, client: Any, parameters: Parameters) -> dict[str, str]:
        """Return the tags of a model that is there."""
        pages = client.get_paginator("list_tags").paginate(ResourceArn=self._arn(client, parameters))
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def _arn(self, client: Any, parameters: Parameters) -> str:
        arn: str = client.describe_model(ModelName=parameters["ModelName"])["ModelArn"]
        return arn


def _resource(arn: str) -> str:
    return arn.split(":", 5)[5]


class Expected:
    """A model of the service in plain Python: a dict of models, and of their tags."""

    def __init__(self) -> None:
        self.models: dict[str, Parameters] = {}
        self.tags: dict[str, dict[str, str]] = {}

    def call(self, operation: str, parameters: Parameters) -> CallOutcome:
        """Return the expected outcome of a call."""
        about_one = operation not in ("create_model", "list_models")
        if about_one and parameters["ModelName"] not in self.models:
            return CallOutcome("Invalid")
        outcome: CallOutcome = getattr(self, operation)(parameters)
        return outcome

    def create_model(self, parameters: Parameters) -> CallOutcome:
        """Expect a model, unless its name is taken."""
        name = parameters["ModelName"]
        if name in self.models:
            return CallOutcome("Invalid")
        self.models[name] = parameters
        self.tags[name] = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())}
        return CallOutcome(answer=f"model/{name}")

    def describe_model(self, parameters: Parameters) -> CallOutcome:
        """Expect what was sent, without tags and empty lists."""
        name = parameters["ModelName"]
        described = {member: value for member, value in self.models[name].items() if member != "Tags" and value != []}
        return CallOutcome(answer=described | {"ModelArn": f"model/{name}"})

    def delete_model(self, parameters: Parameters) -> CallOutcome:
        """Expect the model to go, and its tags with it."""
        del self.models[parameters["ModelName"]], self.tags[parameters["ModelName"]]
        return CallOutcome()

    def list_models(self, parameters: Parameters) -> CallOutcome:
        """Expect the names that contain what is asked for."""
        names = sorted(name for name in self.models if parameters.get("NameContains", "") in name)
        backwards = parameters.get("SortBy") == "Name" and parameters.get("SortOrder", "Descending") == "Descending"
        return CallOutcome(answer=names[::-1] if backwards else names)

    def add_tags(self, parameters: Parameters) -> CallOutcome:
        """Expect tags to be merged by key, unless they become too many."""
        name = parameters["ModelName"]
        merged = self.tags[name] | {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
        if len(merged) > MOST_TAGS:
            return CallOutcome("Invalid")
        self.tags[name] = merged
        return CallOutcome()

    def delete_tags(self, parameters: Parameters) -> CallOutcome:
        """Expect tags to go; a key that is not there is passed over."""
        for key in parameters["TagKeys"]:
            self.tags[parameters["ModelName"]].pop(key, None)
        return CallOutcome()

    def list_tags(self, parameters: Parameters) -> CallOutcome:
        """Expect the tags."""
        return CallOutcome(answer=dict(self.tags[parameters["ModelName"]]))


def agree(expected: Any, actual: Any) -> bool:
    """Whether an answer holds everything expected; it may hold more, such as defaults of the service."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(name in actual and agree(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(agree(one, other) for one, other in zip(expected, actual, strict=True))
    return bool(expected == actual)


MODEL_NAMES = st.sampled_from(("a", "A", "b", "a-b", "z" * 40))
"""Few names, so that they meet again: some differ in case alone, some are within others."""
KEYS = st.sampled_from(("a", "A", "k/1", "ñ"))


class _Machine(RuleBasedStateMachine):
    """The rules that draw calls; `step` makes them."""

    prefix = ""
    edition: Edition = "page"

    def step(self, operation: str, parameters: Parameters) -> None:
        """Make a call, and check its outcome."""
        raise NotImplementedError

    def name(self, suffix: str) -> str:
        """Return the name of a model of this machine."""
        return f"{self.prefix}{suffix}"

    @rule(suffix=MODEL_NAMES, data=st.data())
    def create(self, suffix: str, data: st.DataObject) -> None:
        """Create a model, or try to create an existing one."""
        strategy = _requests(self.edition, self.name(suffix))
        self.step("create_model", data.draw(strategy, label="request"))

    @rule(data=st.data())
    def create_invalid(self, data: st.DataObject) -> None:
        """Send a request that breaks a rule."""
        record: InvalidRequest = data.draw(invalid_create_model_requests(edition=self.edition), label="record")
        if isinstance(record.request, dict):  # boto3 takes nothing else
            self.refused(record)

    def refused(self, record: InvalidRequest) -> None:
        """Check that a request is refused."""
        raise NotImplementedError

    @rule(suffix=MODEL_NAMES)
    def describe(self, suffix: str) -> None:
        """Describe a model, which need not exist."""
        self.step("describe_model", {"ModelName": self.name(suffix)})

    @rule(suffix=MODEL_NAMES)
    def delete(self, suffix: str) -> None:
        """Delete a model, which need not exist."""
        self.step("delete_model", {"ModelName": self.name(suffix)})

    @rule(contains=st.sampled_from((None, "a", "z", "-", "nothing")), size=st.sampled_from((None, 1, 2, 3, 100)), order=st.integers(0, 5))
    def list(self, contains: str | None, size: int | None, order: int) -> None:
        """List models by pages of a size, filtered and sorted."""
        by = (None, "Name", "CreationTime")[order % 3]
        direction = (None, "Ascending")[order // 3]
        parameters = {"NameContains": contains, "MaxResults": size, "SortBy": by, "SortOrder": direction}
        self.step("list_models", {name: value for name, value in parameters.items() if value is not None})

    @rule(suffix=MODEL_NAMES, added=tags() | KEYS.map(lambda key: [{"Key": key, "Value": "v"}]))
    def tag(self, suffix: str, added: Any) -> None:
        """Add tags to a model, which need not exist."""
        self.step("add_tags", {"ModelName": self.name(suffix), "Tags": added})

    @rule(suffix=MODEL_NAMES, keys=st.lists(KEYS, min_size=1, max_size=3))
    def untag(self, suffix: str, keys: Any) -> None:
        """Delete tags of a model, which need not exist."""
        self.step("delete_tags", {"ModelName": self.name(suffix), "TagKeys": keys})

    @rule(suffix=MODEL_NAMES)
    def look_at_tags(self, suffix: str) -> None:
        """List the tags of a model, which need not exist."""
        self.step("list_tags", {"ModelName": self.name(suffix)})


@st.composite
def _requests(draw: st.DrawFn, edition: Edition, name: str) -> Parameters:
    request: Parameters = maker(edition, "CreateModel").request(Drawn(draw), given={"ModelName": name})
    return request


class ModelLifecycle(_Machine):
    """A state machine that compares a client with a model of the service in plain Python.

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
        """Make a call, and compare its outcome with the expected one."""
        expected, actual = self.expected.call(operation, parameters), self.target.call(operation, parameters)
        _compare(operation, parameters, ("expected", expected), ("actual", actual), agree(expected.answer, actual.answer))

    def refused(self, record: InvalidRequest) -> None:
        """Check that a request is refused, and creates nothing."""
        actual = self.target.call("create_model", record.request)
        if actual.code is None:
            name = record.request["ModelName"]
            self.target.call("delete_model", {"ModelName": name})
            raise AssertionError(f"CreateModel accepted a request that breaks {record.rule.id}: {record!r}")
        _compare("create_model", record.request, ("expected", CallOutcome("Invalid")), ("actual", actual), True)

    def teardown(self) -> None:
        """Delete the remaining models, after a check that they are the expected ones."""
        try:
            self.step("list_models", {"NameContains": self.prefix} if self.prefix else {})
        finally:
            for name in list(self.expected.models):
                self.target.call("delete_model", {"ModelName": name})


class ModelComparison(_Machine):
    """A state machine that makes the same calls to two targets, and compares their outcomes.

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
        """Check that both targets answer an invalid request alike."""
        self.step("create_model", record.request)

    def teardown(self) -> None:
        """Delete the remaining models."""
        for name in sorted(self.names):
            for target in (self.left, self.right):
                target.call("delete_model", {"ModelName": name})


def _compare(operation: str, parameters: Parameters, one: tuple[str, CallOutcome], other: tuple[str, CallOutcome], answers: bool) -> None:
    if one[1].code != other[1].code or (one[1].code is None and not answers):
        raise AssertionError(f"{operation} with {parameters!r}\n{one[0]}: {one[1]}\n{other[0]}: {other[1]}")
