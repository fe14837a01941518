"""How calls are refused: the form of an error, limits, and failures on purpose."""

from __future__ import annotations

import json

from pytest_smfake.contract.check import Check, Difference, accepted, behaviours, rejected, same
from pytest_smfake.contract.targets.target import Target

from .lists import names
from .models import WIRE, create

CHECKS: list[Check] = []
behaviour = behaviours(CHECKS)

ERRORS = "CreateModel page, Errors"
TWO = "aws-samples/sagemaker-ml-workflow-with-apache-airflow#3 (GitHub)"


@behaviour(
    "errors/all-at-once",
    "All constraints that a request violates are told in one message, in the order of the members.",
    "observed",
    TWO,
    needs=(),
)
def _all_at_once(target: Target) -> None:
    request = target.request(ModelName=f"{target.name_of():-<64}", ExecutionRoleArn="x")
    reply = target.send("CreateModel", request)
    rejected(reply, "ValidationException", "4 validation errors detected: ...", request)
    paths = ["'modelName'", "'modelName'", "'executionRoleArn'", "'executionRoleArn'"]
    clauses = reply.message.split("; ")
    if len(clauses) != len(paths) or not all(path in clause for path, clause in zip(paths, clauses, strict=True)):
        raise Difference(f"clauses at {', '.join(paths)}", reply.message, request)


@behaviour(
    "errors/length-before-pattern",
    "Of one member the length is told before the pattern.",
    "observed",
    TWO,
    needs=(),
)
def _length_before_pattern(target: Target) -> None:
    request = target.request(ModelName=f"{target.name_of()}-".ljust(64, "_"))
    reply = target.send("CreateModel", request)
    rejected(reply, "ValidationException", "2 validation errors detected: ...", request)
    length, pattern = reply.message.find("have length"), reply.message.find("regular expression pattern")
    if not 0 <= length < pattern:
        raise Difference("the length, then the pattern", reply.message, request)


@behaviour("errors/form", "An error is JSON with `__type` and a message, of status 400, and has a request id.", "observed", WIRE, needs=())
def _form(target: Target) -> None:
    reply = target.send("CreateModel", target.request(ModelName=f"{target.name_of()}-"))
    rejected(reply, "ValidationException")
    same("the status", reply.status, 400)
    same("the content type", reply.headers.get("content-type"), "application/x-amz-json-1.1")
    body = json.loads(reply.body)
    same("the name of the error in the body", body.get("__type", "").rpartition("#")[2], "ValidationException")
    same("whether there is a message", bool(body.get("message") or body.get("Message")), True)
    same("whether there is a request id", bool(reply.headers.get("x-amzn-requestid")), True)


@behaviour("errors/no-json", "A body that is no JSON is a SerializationException.", "reported", "JSON services of AWS", needs=())
def _no_json(target: Target) -> None:
    rejected(target.send("CreateModel", b'{"ModelName": '), "SerializationException")


@behaviour("errors/wrong-type", "A value of a wrong type is a SerializationException.", "reported", "JSON services of AWS", needs=())
def _wrong_type(target: Target) -> None:
    request = target.request(ModelName=[target.name_of()])
    rejected(target.send("CreateModel", request), "SerializationException", None, request)


@behaviour(
    "limits/reached",
    "What exceeds a limit is a ResourceLimitExceeded that tells the utilisation, and creates nothing.",
    "documented",
    ERRORS,
    needs=("creation", "alone", "limits"),
)
def _reached(target: Target) -> None:
    create(target, "a")
    with target.limit("models", 1):
        request = target.request(ModelName=target.name_of("b"))
        reply = target.send("CreateModel", request)
        rejected(reply, "ResourceLimitExceeded", "The account-level service limit ...", request)
        same("the status", reply.status, 400)
        for text in ("is 1 ", "with current utilization of 1 ", "a request delta of 1 "):
            same(f"whether the text says {text.strip()!r}", text in reply.message, True)
        same("the models", names(target), ["a"])
        accepted(target.send("DeleteModel", {"ModelName": target.name_of("a")}))
        create(target, "b")


@behaviour(
    "faults/throttled",
    "Throttling is retried, and succeeds once it ends.",
    "documented",
    "Common Errors of the API reference",
    needs=("faults",),
)
def _throttled(target: Target) -> None:
    with target.fail("ListModels", "ThrottlingException", attempts=2):
        same("the number of retries", target.client().list_models()["ResponseMetadata"]["RetryAttempts"], 2)
    with target.fail("ListModels", "ThrottlingException"):
        rejected(target.send("ListModels", {}), "ThrottlingException", "Rate exceeded")


@behaviour(
    "faults/not-retried",
    "A limit error is not retried, and is the class that the SDK models.",
    "documented",
    ERRORS,
    needs=("faults",),
)
def _not_retried(target: Target) -> None:
    client = target.client()
    with target.fail("CreateModel", "ResourceLimitExceeded"):
        try:
            client.create_model(**target.request())
        except client.exceptions.ClientError as error:
            same("the class of the error", type(error).__name__, "ResourceLimitExceeded")
            same("the number of retries", error.response["ResponseMetadata"]["RetryAttempts"], 0)
        else:
            raise Difference("a ResourceLimitExceeded", "the model was created")


@behaviour(
    "faults/lost-answer",
    "A creation whose answer is lost is sent again, and finds its own model.",
    "observed",
    "CreateModel has no idempotency token",
    needs=("creation", "faults"),
)
def _lost_answer(target: Target) -> None:
    with target.fail("CreateModel", "connection-reset", attempts=1, effect="after"):
        rejected(target.send("CreateModel", target.request()), "ValidationException", "Cannot create already existing model ...")
