"""What state machines drive: a client, and a model of the service in plain Python, both with the same interface."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

Parameters = dict[str, Any]
MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call, without what differs between accounts, regions and moments.

    Attributes:
        code: the error's code, None where the call was accepted; `Invalid` for any error about the request itself, whether the
            client or the service found it.
        answer: the answer, as far as it is comparable.
    """

    code: str | None = None
    answer: Any = None


INVALID = {"ValidationException", "SerializationException"}


def outcome(call: Callable[[], Any]) -> Outcome:
    """Return what comes of a call to a client."""
    from botocore.exceptions import ClientError, ParamValidationError

    try:
        return Outcome(answer=call())
    except ParamValidationError:
        return Outcome("Invalid")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return Outcome("Invalid" if code in INVALID else code)


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

    def call(self, operation: str, parameters: Parameters) -> Outcome:
        """Make a call, and return what came of it."""
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
    """What the service is expected to do, in plain Python: a dict of models, and of their tags."""

    def __init__(self) -> None:
        self.models: dict[str, Parameters] = {}
        self.tags: dict[str, dict[str, str]] = {}

    def call(self, operation: str, parameters: Parameters) -> Outcome:
        """Return what is to come of a call."""
        about_one = operation not in ("create_model", "list_models")
        if about_one and parameters["ModelName"] not in self.models:
            return Outcome("Invalid")
        outcome: Outcome = getattr(self, operation)(parameters)
        return outcome

    def create_model(self, parameters: Parameters) -> Outcome:
        """Expect a model, unless its name is taken."""
        name = parameters["ModelName"]
        if name in self.models:
            return Outcome("Invalid")
        self.models[name] = parameters
        self.tags[name] = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())}
        return Outcome(answer=f"model/{name}")

    def describe_model(self, parameters: Parameters) -> Outcome:
        """Expect what was sent, without tags and empty lists."""
        name = parameters["ModelName"]
        described = {member: value for member, value in self.models[name].items() if member != "Tags" and value != []}
        return Outcome(answer=described | {"ModelArn": f"model/{name}"})

    def delete_model(self, parameters: Parameters) -> Outcome:
        """Expect the model to go, and its tags with it."""
        del self.models[parameters["ModelName"]], self.tags[parameters["ModelName"]]
        return Outcome()

    def list_models(self, parameters: Parameters) -> Outcome:
        """Expect the names that contain what is asked for."""
        names = sorted(name for name in self.models if parameters.get("NameContains", "") in name)
        backwards = parameters.get("SortBy") == "Name" and parameters.get("SortOrder", "Descending") == "Descending"
        return Outcome(answer=names[::-1] if backwards else names)

    def add_tags(self, parameters: Parameters) -> Outcome:
        """Expect tags to be merged by key, unless they become too many."""
        name = parameters["ModelName"]
        merged = self.tags[name] | {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
        if len(merged) > MOST_TAGS:
            return Outcome("Invalid")
        self.tags[name] = merged
        return Outcome()

    def delete_tags(self, parameters: Parameters) -> Outcome:
        """Expect tags to go; a key that is not there is passed over."""
        for key in parameters["TagKeys"]:
            self.tags[parameters["ModelName"]].pop(key, None)
        return Outcome()

    def list_tags(self, parameters: Parameters) -> Outcome:
        """Expect the tags."""
        return Outcome(answer=dict(self.tags[parameters["ModelName"]]))


def agree(expected: Any, actual: Any) -> bool:
    """Whether an answer holds what is expected of it; it may hold more, such as defaults that the service fills in."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(name in actual and agree(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(agree(one, other) for one, other in zip(expected, actual, strict=True))
    return bool(expected == actual)
