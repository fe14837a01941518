"""Test replies that prove nothing, and endless lists: no check passes with them, and a run stops in time."""

from __future__ import annotations

import itertools
import json
from io import BytesIO

import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.contract import Difference, FakeTarget, checks
from pytest_smfake.contract.check import Reply
from pytest_smfake.contract.run import run_check, run_checks
from pytest_smfake.contract.session import Session, add_to_ledger
from pytest_smfake.contract.targets.aws import AwsTarget
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.contract.targets.names import name_in
from pytest_smfake.contract.targets.target import Budget, PreflightError, StoppedError, UnprovedError
from pytest_smfake.rules.ledger import Ledger, read

pytestmark = pytest.mark.once

ACCOUNT = "123456789012"
TOLD = {"account": ACCOUNT, "region": "us-east-1", "prefix": "ci", "rate": 1_000_000}
USABLE = {"role": f"arn:aws:iam::{ACCOUNT}:role/SageMaker", "image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"}
CREDENTIALS = ["ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException"]
OTHERS = {"AccessDenied": 403, "AccessDeniedException": 400, "ThrottlingException": 400, "InternalFailure": 500, "ServiceUnavailable": 503}


@pytest.fixture
def target(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    with mock_aws(), FakeSageMaker():
        yield aws_target(TOLD | USABLE)


def answer(target, respond):
    """Answer all calls of a target with a function of attempt number and operation: None for the fake's answer, or status and body."""
    numbers = itertools.count(1)

    def respond_to(request, **_):
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        found = respond(next(numbers), operation)
        return None if found is None else response(request.url, *found)

    target.client().meta.events.register_first("before-send.sagemaker", respond_to)


def response(url, status, body):
    class Raw(BytesIO):
        def stream(self):
            yield self.read()

    return AWSResponse(url, status, {"content-type": "application/x-amz-json-1.1"}, Raw(json.dumps(body).encode()))


def error(code, status=400):
    return status, {"__type": code, "message": "no"}


@pytest.mark.parametrize(("code", "status"), [*((code, 400) for code in CREDENTIALS), *OTHERS.items()], ids=str)
def test_no_check_passes_on_a_service_that_answers_nothing_else(monkeypatch, tmp_path, code, status):
    target = aws_target(TOLD | USABLE)
    target._is_known = True

    def send(_, operation, *__, **___):
        return Reply(operation, status, {}, b"{}", code, "no", {})

    monkeypatch.setattr(AwsTarget.__base__, "send", send)
    results = []
    tried = 0
    for check in checks():
        target.stopped, target._in_a_row = "", 0  # so that the run continues with each check
        try:
            results.append(run_check(check, target))
        except UnprovedError:
            tried += 1
    assert tried == sum(target.why_not(check) is None for check in checks()) > 500
    assert {result.outcome for result in results} == {"skipped"}
    path = tmp_path / "ledger.json"
    assert add_to_ledger(path, target, results, "page") == 0
    assert read(path) == Ledger()


@pytest.mark.parametrize("code", CREDENTIALS)
def test_a_run_stops_at_the_first_answer_about_credentials(target, code):
    answer(target, lambda number, _: error(code) if number > 30 else None)
    report = run_checks(checks(), [target], "page")
    assert target.sent < 35
    assert target.stopped.startswith("the credentials are not, or no longer, accepted (")
    assert code in target.stopped
    assert report.counts("aws")["failed"] == 0
    assert report.counts("aws")["not run"] > 700
    lines, clean = Session("page", [target]).end(report.results)
    assert not clean
    assert [line for line in lines if code in line] == [f"aws: stopped: {target.stopped}"]


@pytest.mark.parametrize(("code", "status"), OTHERS.items(), ids=str)
def test_a_run_stops_once_three_answers_prove_nothing(target, code, status):
    answer(target, lambda number, _: error(code, status) if number > 30 else None)
    report = run_checks(checks(), [target], "page")
    assert 1 <= len(target.unproved) <= 3  # a deletion without proof counts, too
    assert code in target.stopped
    assert target.sent < 30 + 7 * 8  # three checks, and deletions of three models, with all retries
    assert report.counts("aws")["not run"] > 700


def test_one_answer_that_proves_nothing_costs_one_check(target):
    denied = iter([1])
    answer(target, lambda _, operation: error("AccessDeniedException") if operation == "ListTags" and next(denied, None) else None)
    report = run_checks(checks(["tags/*"]), [target], "page")
    assert list(target.unproved) == ["tags/of-creation"]
    assert target.unproved["tags/of-creation"] == (
        "a permission is missing; `smfake contract --print-policy` prints those that the run needs "
        "(ListTags: rejected, 400 AccessDeniedException: no)"
    )
    assert dict(report.counts("aws")) == {"passed": 6, "not run": 1}
    lines, clean = Session("page", [target]).end(report.results)
    assert not clean
    assert lines[0] == f"aws: no result of tags/of-creation: {target.unproved['tags/of-creation']}"


def page(number):
    return 200, {"Models": [], "NextToken": f"token-{number}"}


def test_a_list_that_never_ends_refuses_the_run(target):
    answer(target, lambda number, _: page(number))
    with pytest.raises(
        ValueError, match="the models of the account cannot be listed, nothing was created: ListModels still has a token after 100"
    ):
        Session("page", [target]).begin(checks())
    assert target.sent == 100


def test_a_list_that_never_ends_stops_the_run(target):
    session = Session("page", [target])
    session.begin(checks())
    answer(target, lambda number, operation: page(number) if operation == "ListModels" else None)
    report = run_checks(checks(), [target], "page")
    assert target.stopped == "ListModels still has a token after 7 pages"
    lines, clean = session.end(report.results)
    assert not clean
    assert target.sent <= target.budget.limit
    assert f"aws: stopped: {target.stopped}" in lines


@pytest.mark.parametrize("select", [[], ["create/response"]], ids=["all", "one"])
def test_never_more_attempts_than_the_budget(target, select):
    session = Session("page", [target])
    (_, counts, *_) = session.begin(checks(select))
    announced, limit = target.budget.announced, target.budget.limit
    assert f"{announced} requests, at most {limit} with retries" in counts
    assert limit == max(int(1.2 * announced), announced + 10)
    # Every second attempt fails and is repeated, so that each check has a result.
    before = target.sent
    answer(target, lambda number, _: error("InternalFailure", 500) if number % 3 else None)
    report = run_checks(checks(select), [target], "page")
    lines, clean = session.end(report.results)
    assert target.sent - before <= limit + 3  # the deletion of the last model is never refused, with all its retries
    if not select:
        assert not clean
        assert target.stopped == (
            f"the budget of {limit} attempts is spent ({announced} requests were announced): "
            "the service does not answer as documented, or needs many retries"
        )
        assert len([line for line in lines if "the budget" in line]) == 1


def test_a_budget_keeps_something_for_the_end():
    budget = Budget(1e9)
    budget.take(of_run=False, last=False)
    budget.announce(100, 2)
    for _ in range(111):
        budget.take(of_run=True, last=False)
    with pytest.raises(StoppedError, match="the budget of 120 attempts is spent"):
        budget.take(of_run=True, last=False)
    budget.take(of_run=False, last=False)  # a test of the user
    for _ in range(8):
        budget.take(of_run=True, last=True)
    with pytest.raises(StoppedError, match="the budget of 120 attempts is spent"):
        budget.take(of_run=True, last=True)
    budget.take(of_run=True, last=True, deletes=True)  # the deletion of a model of the run is never refused
    assert budget.sent == 122


def test_tests_of_a_project_use_up_nothing_of_the_budget(target):
    session = Session("page", [target])
    session.begin(checks(["create/response"]))
    for number in range(30):
        with target:
            target.send("CreateModel", target.request(ModelName=target.name_of(str(number))))
    report = run_checks(checks(["create/response"]), [target], "page")
    lines, clean = session.end(report.results)
    assert (clean, target.stopped, report.counts("aws")["passed"]) == (True, "", 1), lines
    assert target.sent > 60 > target.budget.limit


def test_what_a_run_created_is_deleted_when_the_budget_is_spent(target):
    session = Session("page", [target])
    session.begin(checks(["create/*"]))
    target.check = "by-hand"

    def create_for_ever():
        while True:
            target.send("CreateModel", target.request(ModelName=target.name_of(str(len(target.created())))))

    with target:
        with pytest.raises(StoppedError, match="the budget of"):
            create_for_ever()
        assert len(target.created()) > 10
    assert target.known_left() == []


def test_what_cannot_be_deleted_is_told(target):
    answer(target, lambda _, operation: error("AccessDeniedException") if operation == "DeleteModel" else None)
    run_checks(checks(["create/response"]), [target], "page")
    assert target.known_left() == [target.name_of()]
    assert target.finish() == [target.name_of()]


def test_nothing_is_deleted_by_what_an_answer_says(target):
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/ci-production"
    deleted = []

    def respond(_, operation):
        if operation == "DeleteModel":
            deleted.append(operation)
        return (200, {"ModelArn": arn}) if operation == "CreateModel" else None

    answer(target, respond)
    with target:
        target.send("CreateModel", target.request())
        assert target.created() == [("us-east-1", target.name_of())]
        target.send("CreateModel", {"ModelName": None})
        target.send("CreateModel", {"ModelName": [target.name_of("a")]})
        assert target.created() == [("us-east-1", target.name_of())]
    assert len(deleted) == 1
    assert target.unnamed == [arn, arn]
    assert target.finish() == [arn]


@pytest.mark.parametrize(
    ("sent", "told", "name"),
    [
        ({"ModelName": "a"}, "production", "a"),
        ({"ModelName": 1}, "1", "1"),
        ({"ModelName": ["a"]}, "a", "a"),
        ({"ModelName": 1}, "production", None),
        ({"ModelName": None}, "None", None),
        ({}, "production", None),
        ([], "production", None),
        (b"{}", "production", None),
    ],
    ids=repr,
)
def test_the_name_of_what_was_accepted_is_one_that_was_sent(sent, told, name):
    assert name_in(sent, told) == name


def test_a_list_that_never_ends_is_a_difference_of_any_target(monkeypatch):
    target = FakeTarget()
    tokens = itertools.count()

    def send(operation, *_):
        return Reply(operation, 200, {}, b"", None, "", {"Models": [], "NextToken": str(next(tokens))})

    monkeypatch.setattr(target, "send", send)
    with pytest.raises(Difference, match="expected: the pages of ListModels end\nactual: page 1000 still has a token"):
        list(target.pages("ListModels", {}))
    assert next(tokens) == 1000


STRANGE = [(200, {}), (200, {"Models": None}), (200, {"Models": {"a": 1}}), (400, [1]), (200, [1])]


@pytest.mark.parametrize(("status", "body"), STRANGE, ids=str)
def test_a_list_of_another_shape_refuses_the_run(target, status, body):
    answer(target, lambda *_: (status, body))
    with pytest.raises(PreflightError, match="the models of the account cannot be listed, nothing was created: .*ListModels") as refused:
        Session("page", [target]).begin(checks())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("status", "body"), STRANGE, ids=str)
def test_a_list_of_another_shape_at_the_end_is_told(target, status, body):
    session = Session("page", [target])
    session.begin(checks(["create/response"]))
    answer(target, lambda _, operation: {"ListModels": (status, body), "DeleteModel": error("AccessDeniedException")}.get(operation))
    report = run_checks(checks(["create/response"]), [target], "page")
    lines, clean = session.end(report.results)
    assert (clean, report.counts("aws")["passed"]) == (False, 1)
    told = ("aws: no result of the list of left models: ", "aws: stopped: ")  # stopped if it is the third in a row
    assert any(line.startswith(told) and "ListModels" in line for line in lines)
    assert any(line.startswith(f"aws: models left: {target.name_of()}. Remove them: ") for line in lines)
