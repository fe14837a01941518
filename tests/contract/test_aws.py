"""Test the target aws against the fake and the STS of moto: the first call, the requests, and the models that are left."""

from __future__ import annotations

import re

import boto3
import pytest
from moto import mock_aws

from pytest_smfake import FakeSageMaker
from pytest_smfake.contract import checks
from pytest_smfake.contract.report import rule_coverage
from pytest_smfake.contract.run import run_check, run_checks
from pytest_smfake.contract.targets.aws import AwsSettings, AwsTarget
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.contract.targets.target import PreflightError, UnprovedError

TOLD = {"account": "123456789012", "region": "us-east-1", "prefix": "ci", "rate": 10_000}
USABLE = {"role": "arn:aws:iam::123456789012:role/SageMaker", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"}


@pytest.fixture
def service():
    with mock_aws(), FakeSageMaker() as fake:
        yield fake


@pytest.fixture
def target(service):
    return aws_target(TOLD | USABLE)


def check(check_id):
    return checks([check_id])[0]


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"account": ""}, "the target aws needs account: the id of the account that the credentials must belong to, 12 digits; got ''"),
            ({"account": "1234"}, "got '1234'"),
            ({"region": "mars"}, "the target aws needs region: a region such as us-east-1; got 'mars'"),
            (
                {"prefix": "-a"},
                "the target aws needs prefix: the start of names, up to 30 lower-case letters and digits, with hyphens between them; got '-a'",
            ),
            ({"prefix": "a" * 31}, "got 'aaa"),
            ({"prefix": "a" + "-" * 29 + "a"}, "got 'a--"),
            ({"prefix": "Acme"}, "up to 30 lower-case letters and digits, with hyphens between them; got 'Acme'"),
            ({"prefix": "acme\n"}, "got 'acme"),
            ({"role": "*"}, "needs a role ARN of its account, such as arn:aws:iam::123456789012:role/SageMaker, got '\\*'"),
            ({"role": "arn:aws:iam::123456789012:role/*"}, "needs a role ARN of its account"),
            ({"role": "arn:aws:iam::123456789012:user/jane"}, "needs a role ARN of its account"),
            ({"role": "arn:aws:iam::999999999999:role/SageMaker"}, "needs a role ARN of its account"),
            ({"region": "cn-north-1"}, "such as arn:aws-cn:iam::123456789012:role/SageMaker, got 'arn:aws:iam"),
            ({"image": "a b"}, "needs an image of up to 255 characters without spaces, got 'a b'"),
            ({"image": "a" * 256}, "needs an image of up to 255 characters"),
            ({"role": ""}, "needs a role and an image together"),
            ({"image": ""}, "needs a role and an image together"),
            ({"rate": "0"}, "needs a rate above 0 calls per second, got 0.0"),
            ({"rate": "fast"}, "the rate of the target aws must be a number of calls per second, got 'fast'"),
        ],
        ids=str,
    )
    def test_what_it_has_to_be_told(self, change, sentence):
        with pytest.raises(ValueError, match=sentence):
            aws_target(TOLD | USABLE | change)

    def test_credentials_of_another_account(self, service):
        target = aws_target(TOLD | {"account": "999999999999"})
        with pytest.raises(PreflightError, match="the credentials belong to account 123456789012, expected 999999999999"):
            target.preflight()
        assert len(service.calls) == 0

    def test_credentials_that_sts_refuses(self, service, monkeypatch):
        target = aws_target(TOLD)

        def refuse(request, **_):
            body = (
                b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token is expired</Message></Error></ErrorResponse>"
            )
            return boto3_response(request, 403, body)

        original = boto3.client

        def client(*arguments, **keywords):
            made = original(*arguments, **keywords)
            made.meta.events.register_first("before-send.sts", refuse)
            return made

        monkeypatch.setattr(boto3, "client", client)
        with pytest.raises(PreflightError, match="STS rejects the credentials: The security token is expired"):
            target.preflight()

    def test_nobody_answers(self, monkeypatch):
        # Nothing listens on the port; the option makes the variable apply.
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        with pytest.raises(PreflightError, match="sts:GetCallerIdentity failed: Could not connect"):
            aws_target(TOLD | {"configured_endpoints": True}).preflight()

    def test_no_credentials(self, monkeypatch):
        monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _: None)
        with pytest.raises(PreflightError, match="sts:GetCallerIdentity failed: Unable to locate credentials"):
            aws_target(TOLD).preflight()


def boto3_response(request, status, body):
    from io import BytesIO

    from botocore.awsrequest import AWSResponse

    class Raw(BytesIO):
        def stream(self):
            yield self.read()

    return AWSResponse(request.url, status, {}, Raw(body))


def test_the_right_account(target):
    target.preflight()


def test_configured_endpoints_are_ignored_unless_they_are_to_count(service, target, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert target.client().meta.endpoint_url == "https://api.sagemaker.us-east-1.amazonaws.com"
    told = aws_target(TOLD | {"configured_endpoints": True})
    assert told.client().meta.endpoint_url == "http://127.0.0.1:9"
    assert (target.is_service, told.is_service) == (True, False)


def test_the_plan_says_what_is_going_to_happen(service, target):
    plan = target.plan(checks())
    assert plan[0] == f"account 123456789012, region us-east-1, run {target.run}: every name starts with ci-{target.run}"
    runs = sum(target.why_not(check) is None for check in checks())
    counts = re.fullmatch(
        rf"{runs} of {len(checks())} checks, ([0-9]+) requests, at most ([0-9]+) with retries, 10000 per second at most", plan[1]
    )
    assert counts
    assert runs < int(counts[1]) < int(counts[2]) <= 1.2 * int(counts[1])
    assert "checks create and delete models, which are free of charge" in plan[2]
    assert plan[2].partition(" rules can be proved")[0].isdecimal()
    assert "nothing is created, unless the service accepts a wrong request" in aws_target(TOLD).plan(checks())[2]


@pytest.mark.parametrize("told", [TOLD, TOLD | USABLE], ids=["without a role", "with a role"])
def test_as_many_rules_are_announced_as_are_proved(service, told):
    target = aws_target(told)
    chosen = checks(["CreateModel/ModelName:*", "CreateModel/EnableNetworkIsolation:*", "DescribeModel/*", "create/*"])
    announced = int(target.plan(chosen)[2].partition(" rules can be proved")[0])
    assert announced == rule_coverage(run_checks(chosen, [target], "page"), "aws")["proved"] > 0


def test_without_a_role_only_the_checks_that_create_nothing_are_run(service):
    target = aws_target(TOLD)
    results = [run_check(one, target) for one in checks(["create/*", "errors/*", "CreateModel/ModelName:*"])]
    reasons = {result.check: result.reason for result in results if result.outcome == "skipped"}
    assert {"create/response", "CreateModel/ModelName:max-63", "CreateModel/ModelName:not-taken-taken"} <= reasons.keys()
    assert set(reasons.values()) == {"without a role and an image nothing is created; only checks that reject a request run"}
    assert not any(call.error is None for call in service.calls)


def test_a_whole_run_leaves_nothing(service, target):
    results = [run_check(one, target) for one in checks()]
    assert [result for result in results if result.outcome == "failed"] == []
    assert len(service.models) == 0
    assert target.finish() == []
    created = [call.parameters for call in service.calls if call.operation == "CreateModel" and call.error is None]
    assert len(created) > 90
    assert all(request["ModelName"].startswith(target.name_of()) for request in created)
    tag = {"Key": "smfake-run", "Value": target.run}
    untagged = [request for request in created if tag not in request["Tags"]]
    assert 0 < len(untagged) < 10
    assert {request["ModelName"] for request in untagged} == {target.name_of("untagged")}


def test_only_names_of_this_run_are_deleted(service, target):
    service.add_model(ModelName="production")
    run_check(check("create/response"), target)
    with target:
        target.send("CreateModel", target.request())
    assert list(service.models) == ["production"]
    deleted = [call.parameters["ModelName"] for call in service.calls if call.operation == "DeleteModel"]
    assert set(deleted) == {target.name_of()}


def test_what_should_have_been_rejected_is_deleted(target, service):
    with FakeSageMaker(rules={f"{operation}/ModelName:max": None for operation in ("CreateModel", "DeleteModel")}) as lax:
        result = run_check(check("CreateModel/ModelName:max-64"), target)
        assert (result.outcome, list(lax.models)) == ("failed", [])


def test_where_the_page_is_behind_the_service(service, target):
    with FakeSageMaker(edition="sdk"):
        six, required = (
            run_check(check("CreateModel/Containers:max-6"), target),
            run_check(check("CreateModel/ExecutionRoleArn:required-missing"), target),
        )
        emulator = aws_target(TOLD | USABLE | {"configured_endpoints": True})
        assert run_check(check("CreateModel/Containers:max-6"), emulator).outcome == "failed"
    assert (six.outcome, required.outcome) == ("outdated", "outdated")
    assert six.actual.startswith("accepted, 200")


def test_interrupted_within_a_check(service, target, monkeypatch):
    original = AwsTarget.send

    def send(self, operation, request, **keywords):
        reply = original(self, operation, request, **keywords)
        if operation == "DescribeModel":
            raise KeyboardInterrupt
        return reply

    monkeypatch.setattr(AwsTarget, "send", send)
    with pytest.raises(KeyboardInterrupt):
        run_check(check("describe/echo"), target)
    assert len(service.models) == 0


def test_a_model_whose_answer_was_lost_is_removed(service, target):
    service.fail("CreateModel", "connection-reset", effect="after")
    service.add_model(ModelName="ci-production")
    with pytest.raises(UnprovedError, match="the service still fails after all retries"), target:
        target.send("CreateModel", target.request())
    assert list(service.models) == ["ci-production"]
    assert target.finish() == []


def test_a_creation_that_was_repeated_is_removed(service, target):
    """The response to the first attempt is lost, and the second attempt finds the model of the first."""
    service.fail("CreateModel", "connection-reset", attempts=1, effect="after")
    with target:
        assert "already existing" in target.send("CreateModel", target.request()).message
        assert list(service.models) == [target.name_of()]
    assert len(service.models) == 0


def test_a_refused_creation_is_not_deleted(service, target):
    with target:
        target.send("CreateModel", target.request(ExecutionRoleArn="x"))
        assert target.created() == []
    assert [call.operation for call in service.calls] == ["CreateModel"]


def test_tags_that_show_late_are_waited_for(service, target, monkeypatch):
    slept = []
    monkeypatch.setattr("pytest_smfake.contract.targets.aws.time.sleep", slept.append)
    answers = iter([{}, {}, {"team": "growth"}])
    assert target.eventually(lambda: next(answers), {"team": "growth"}) == {"team": "growth"}
    assert slept == [1, 2]


def test_calls_are_sent_at_a_rate(service, monkeypatch):
    slept = []
    monkeypatch.setattr("pytest_smfake.contract.targets.aws.time.sleep", slept.append)
    target = aws_target(TOLD | {"rate": 0.5})
    for _ in range(3):
        target.send("ListModels", {})
    assert len(slept) == 2
    assert all(0 < seconds <= 2 for seconds in slept)
    assert target.client().meta.config.retries == {"mode": "adaptive", "total_max_attempts": 8}


def test_settings_are_what_they_are_called():
    settings = AwsSettings("123456789012", "us-east-1", "ci")
    assert (settings.role_arn, settings.rate, settings.configured_endpoints) == ("", 4.0, False)
