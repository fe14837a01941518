"""Answers of the real service that no schema states, reproduced.

`answers.json` holds what people who deploy models reported, and what documentation says, each with its source: requests with the calls before
them, and the answer, as far as its text is known. Each entry is reproduced here through HTTP, in each edition, or `WAITING` says what it waits for.
"""

from __future__ import annotations

import json
import re
import threading
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_smfake import FakeSageMaker, validate
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.rules.service_model import service_model
from pytest_smfake.service.service import OPERATIONS

ROOT = Path(__file__).parent.parent
ANSWERS = {entry["id"]: entry for entry in json.loads((Path(__file__).parent / "answers.json").read_text("utf-8"))}

WAITING: dict[str, str] = {
    "cpj-empty-message": "CreateProcessingJob",
    "inv-async": "InvokeEndpointAsync",
    "cmp-additional-source": "CreateModelPackage",
    "cic-model-endpoint": "CreateInferenceComponent",
    "dmp-wrong-region-operation": "DescribeModelPackage",
    "tc-duplicate-tag-operation": "CreateTrialComponent",
    "del-scalable-target": "application-autoscaling",
    "fr-download": "s3",
    "fr-extract": "s3",
    "conditions-of-other-services": "ecr",
    "cm-modeldata-access": "s3",
    "cm-role-invalid": "iam",
    "ctj-accessdenied-2018": "a text of another time",
    "limit-trialcomponents": "AssociateTrialComponent",
    "dmp-notexist": "DescribeModelPackage",
    "auth-expired-kinesis-body": "kinesis",
    "proto-unknown-op-athena": "athena",
    "proto-serialization-type-athena": "athena",
    "proto-null-required-athena": "athena",
}
"""The entries that cannot be reproduced, each with the operation, or the service, that it waits for."""
ELSEWHERE = ("s3", "ecr", "iam", "application-autoscaling", "kinesis", "athena", "a text of another time")
FACTS: dict[str, str] = {
    "list-namecontains-pages": "tests/service/test_operations.py::test_the_page_is_cut_before_the_name_filter",
    "de-statuses": "tests/service/test_endpoints.py::test_statuses",
    "de-pending-while-creating": "tests/service/test_endpoints.py::test_pending_deployment",
    "de-resolved-image": "tests/service/test_endpoints.py::test_resolved_images",
    "tags-unique-documented": "tests/rules/test_grades.py::test_grades_of_single_rules",
    "container-required-documented": "tests/rules/test_grades.py::test_grades_of_single_rules",
    "wire-error-headers": "tests/protocol/test_wire.py::test_headers_of_an_error",
    "boundary-plain-http": "tests/clients/test_guard.py::test_a_client_is_refused_once",
    "sagemaker-enum-order": "tests/rules/test_messages.py::test_order_of_enum_values",
    "doc-image-region": "tests/test_answers.py::test_the_answer_is_that_of_the_service",
    "doc-eula": "tests/test_answers.py::test_the_answer_is_that_of_the_service",
    "doc-artifact-suffix": "docs/documented.md",
    "doc-batch-strategy": "docs/documented.md",
}
"""The entries that name no request, each with the test that holds the package to it."""
GPU_TYPES = {"rules": {"CreateEndpointConfig/ProductionVariants[].InstanceType:multi-model-type": True}}
SETTINGS: dict[str, dict[str, Any]] = {"cec-multi-model-type": GPU_TYPES, "cec-multi-model-type-2020": GPU_TYPES}
"""The settings of the fake for entries of a region or year that the package does not assume."""
BEFORE: dict[str, Any] = {
    "auth-expired": lambda fake: fake.fail("CreateModel", "ExpiredTokenException"),
    "limit-second-form": lambda fake: fake.limit("Size of EBS volume for a processing job instance", 1024),
    "ce-features-not-in-region": lambda fake: fake.unavailable("asynchronous-inference", region="eu-south-1"),
    "cec-type-not-in-region": lambda fake: fake.unavailable("ml.inf2.8xlarge", region="us-east-1"),
    "cec-scale-to-zero-not-in-region": lambda fake: fake.unavailable("scale-to-zero", region="eu-west-3"),
}
"""What a test of such an entry does with the fake first."""
ONLY: dict[str, tuple[str, ...]] = {"cm-constraint-role-pattern-unanchored": ("sdk",)}
"""The editions of entries that do not belong to all."""


def call(fake: FakeSageMaker, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send a request without an SDK, which would refuse some of them, and return status and body."""
    if operation.startswith("InvokeEndpoint"):
        endpoint, body = request["EndpointName"], request.get("Body", "")
        url = f"https://runtime.sagemaker.{fake.region}.amazonaws.com/endpoints/{endpoint}/invocations"
        response = requests.post(url, data=body, headers={"Content-Type": request["ContentType"]}, timeout=30)
        if response.status_code == 200:
            return 200, {"Body": response.text}
        return response.status_code, response.json() | {"code": response.headers["x-amzn-ErrorType"].partition(":")[0]}
    headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    response = requests.post(f"https://api.sagemaker.{fake.region}.amazonaws.com/", json=request, headers=headers, timeout=30)
    return response.status_code, response.json() if response.content else {}


def stand_in(fake: FakeSageMaker, model: str, answers: Any = (200, "text/csv", ""), hangs: float = 0, timeout: float | None = None) -> None:
    status, content_type, body = answers

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/ping":
            start_response("200 OK", [])
            return [b""]
        threading.Event().wait(hangs)
        start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", content_type)])
        return [body.encode()]

    fake.stand_in(model, app, timeout=timeout)


def step(fake: FakeSageMaker, what: dict[str, Any]) -> None:
    match what:
        case {"call": operation, "request": request, **others}:
            status, body = call(fake, operation, request)
            assert status == 200, (operation, body)
            compare(others.get("shows", {}), body)
        case {"limit": [key, bound]}:
            fake.limit(key, bound)
        case {"deny": [action, resource]}:
            fake.deny(action, resource=resource)
        case {"take": durations}:
            for name, seconds in durations.items():
                getattr(fake, name).take(seconds=seconds)
        case {"advance": seconds}:
            fake.clock.advance(seconds)
        case {"fail_endpoint": [name, reason]}:
            fake.endpoints.fail(name, reason=reason)
        case {"stand_in": arguments}:
            stand_in(fake, **arguments)
        case _:
            raise ValueError(f"a step of another kind: {what}")


def compare(shows: dict[str, Any], body: dict[str, Any]) -> None:
    for path, expected in shows.items():
        value: Any = body
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list) else value.get(part)
        if isinstance(expected, dict) and expected.keys() == {"starts"}:
            assert value.startswith(expected["starts"])
        else:
            assert value == expected, path


def error_of(body: dict[str, Any]) -> tuple[str, str]:
    return body.get("__type", body.get("code", "")).rpartition("#")[2], body.get("message", body.get("Message", ""))


NO_POOLS = pytest.mark.skipif(
    "InstancePools" not in service_model().shape_for("ProductionVariant").members, reason="the installed botocore has no InstancePools"
)
REPRODUCED = [
    pytest.param(entry, edition, id=f"{identity}-{edition}", marks=NO_POOLS if "-pools" in identity else ())
    for identity, entry in ANSWERS.items()
    if identity not in WAITING and identity not in FACTS
    for edition in ONLY.get(identity, EDITIONS)
]


@pytest.mark.parametrize(("entry", "edition"), REPRODUCED)
@pytest.mark.filterwarnings("ignore::pytest_smfake.NothingRanWarning")
def test_the_answer_is_that_of_the_service(entry, edition):
    settings = {"region": entry.get("region", "us-east-1"), "edition": edition} | SETTINGS.get(entry["id"], {})
    with FakeSageMaker(**settings) as fake:
        BEFORE.get(entry["id"], lambda _: None)(fake)
        for what in entry.get("before", ()):
            step(fake, what)
        operation = entry.get("then", entry["operation"])
        status, body = call(fake, operation, entry["request"])
        if entry.get("accepted"):
            assert status == 200, body
            compare(entry.get("shows", {}), body)
            return
        code, text = error_of(body)
        assert (entry["code"] or code, entry.get("status", status)) == (code, status)
        match entry["text_known"]:
            case "whole":
                assert text == entry["message"]
            case "start":
                assert text.startswith(entry["message"])
            case "part":
                assert entry["message"] in text
            case _:
                assert text
        compare(entry.get("members", {}), body)
        if "enum" in entry:
            known = [value for value in re.findall(r"[\w.-]+", text.partition("enum value set: [")[2]) if value in entry["enum"]["values"]]
            assert known == entry["enum"]["values"]
        if "counterpart" in entry:
            status, body = call(fake, operation, entry["counterpart"])
            assert status == 200, body


def test_every_entry_is_reproduced_or_waits():
    assert set(WAITING) | set(FACTS) <= set(ANSWERS)
    assert not set(WAITING) & set(FACTS)
    for place in FACTS.values():
        path, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8") if name else (ROOT / path).exists(), place
    for identity, reason in WAITING.items():
        assert reason in ELSEWHERE or reason not in OPERATIONS, identity


def test_nothing_observed_is_left_out():
    waiting = {identity for identity in WAITING if ANSWERS[identity]["grade"] == "observed"}
    assert {WAITING[identity] for identity in waiting} & set(OPERATIONS) == set()


SENT = json.loads((ROOT / "tests" / "protocol" / "requests.json").read_text("utf-8"))["requests"]


@pytest.mark.parametrize("client", SENT)
def test_no_rule_refuses_what_sdks_send(client):
    body = SENT[client]["body"]
    assert validate("CreateModel", json.loads(body)) == []
    in_ecr = body.replace('"img:1"', '"123456789012.dkr.ecr.us-east-1.amazonaws.com/img:1"')
    assert validate("CreateModel", json.loads(in_ecr), edition="sdk", region="us-east-1") == []


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("instance_type", ["ml.g4dn.xlarge", "ml.g5.2xlarge", "ml.p3.2xlarge", "ml.m5.large"])
def test_multi_model_on_the_types_of_today(edition, instance_type):
    with FakeSageMaker(edition=edition) as fake:
        fake.add_model(ModelName="m", PrimaryContainer={"Image": fake.image, "Mode": "MultiModel", "ModelDataUrl": "s3://bucket/models/"})
        variant = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": instance_type, "InitialInstanceCount": 1}
        status, body = call(fake, "CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant]})
        assert status == 200, body
