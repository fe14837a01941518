"""Test redaction of messages, responses and requests: by pattern, by member, and by the values that a check sent."""

from __future__ import annotations

import json
import re
import string
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_smfake.contract import EndpointTarget, FakeTarget, Reply, run_contract
from pytest_smfake.contract.targets.emulators import aws_target
from pytest_smfake.contract.targets.redaction import TOKEN, Redaction, Tokens, replace_identifiers, value_of
from pytest_smfake.strategies import create_model_requests

pytestmark = pytest.mark.once

ACCOUNT = "998877665544"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/hidden-path/JaneDoeRole"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/hidden-repository:jane"


def aws(account=ACCOUNT, role=ROLE, image=IMAGE, prefix="acme"):
    told = {"account": account, "region": "us-east-1", "prefix": prefix, "role": role, "image": image, "run": "abcdefgh"}
    return aws_target(told)


def reply(body, operation="ListModels", status=400):
    text = body if isinstance(body, str) else json.dumps(body)
    code = None if status == 200 else "ValidationException"
    return Reply(operation, status, {}, text.encode("utf-8", "surrogatepass"), code, "", {})


def token(kind, _):
    return f"{{{kind}-1}}"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (
            "User: arn:aws:sts::111122223333:assumed-role/Admin/jo is not authorized to perform: sagemaker:ListModels on resource: "
            "arn:aws-cn:sagemaker:cn-north-1:111122223333:model/fraud because",
            "User: arn:aws:sts::{account-1}:assumed-role/{name-1}/{name-1} is not authorized to perform: sagemaker:ListModels on resource: "
            "arn:aws-cn:sagemaker:cn-north-1:{account-1}:model/{name-1} because",
        ),
        ("arn:aws:iam::111122223333:user/dep/jo,doe@acme.example.", "arn:aws:iam::{account-1}:user/{name-1}/{name-1}."),
        ('"arn:aws:s3:::bucket/my secret.txt"', '"arn:aws:s3:::{name-1}/{name-1}"'),
        ("arn:aws:kms:us-east-1:111122223333:key/0A1B2C3D-1111-2222-3333-444455556666", "arn:aws:kms:us-east-1:{account-1}:key/{name-1}"),
        ("arn:aws:iam::aws:policy/ReadOnly", "arn:aws:iam::aws:policy/{name-1}"),
        (r"{\"arn\":\"arn:aws:iam::111122223333:role\/Jo\"}", r"{\"arn\":\"arn:aws:iam::{account-1}:role/{name-1}\"}"),
        (r"jo\u0040acme.example", "{mail-1}"),
        ("arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FJo", "arn:aws:iam::{account-1}:role/{name-1}"),
        ("to%2540 jo%2540acme.example", "to%2540 {mail-1}"),
        ("s3://acme-data/a/b.tar.gz, then", "s3://{place-1}, then"),
        ("https://jo:pw@acme.example:8080/a?b=c)", "https://{place-1})"),
        ("https://docs.aws.amazon.com/a.html", "https://docs.aws.amazon.com/a.html"),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/acme/model:1 is", "{image-1} is"),
        ("AKIAIOSFODNN7EXAMPLE, asiaiosfodnn7example", "{key-1}, {key-1}"),
        ("AROAIOSFODNN7EXAMPLE:jo.doe", "{key-1}"),
        ("0a1b2c3d-1111-2222-3333-444455556666 0A1B2C3D-1111-2222-3333-44445555666F", "{id-1} {id-1}"),
        ("vpc-0a1b2c3d4e5f67890, SG-12345678; vpce-svc-0a1b2c3d4e5f67890", "{resource-1}, {resource-1}; {resource-1}"),
        ("from 10.1.2.3 and 2001:db8::ff00:42:8329, fe80::1.", "from {address-1} and {address-1}, {address-1}."),
        ("at 12:30:45 in Add::Tags", "at 12:30:45 in Add::Tags"),
        ("ip-10-1-2-3.ec2.internal and build-7.acme.local", "{address-1} and {host-1}"),
        ("vpce-1-a.api.sagemaker.us-east-1.vpce.amazonaws.com", "{host-1}"),
        (
            "api.sagemaker.us-east-1.amazonaws.com and sagemaker.amazonaws.com",
            "api.sagemaker.us-east-1.amazonaws.com and sagemaker.amazonaws.com",
        ),
        ("account 1111-2222-3333, 111122223333; 1684437521362", "account {account-1}, {account-1}; {digits-1}"),
        ("acme-111122223333-data", "{text-1}"),
        ("/home/jo/model.py and C:\\Users\\jo\\model.py", "{path-1} and {path-1}"),
        ("IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==", "{text-1}"),
        (f"{'1' * 24}/+{'0' * 24}== and {'f' * 24}/+{'A' * 24}==", "{text-1} and {text-1}"),
        (r'User: "\"' + "1" * 48 + r"\/+" + "1" * 32 + r'==\"" is', r'User: "\"{text-1}\"" is'),
        ("the user jo.doe, role: Admin; bucket 'acme'", "the user {name-1}, role: {name-1}; bucket 'acme'"),
        ("Value 'a' at 'primaryContainer.image' failed", "Value 'a' at 'primaryContainer.image' failed"),
        (
            r"pattern: arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
            r"pattern: arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
        ),
        ("a" * 64, "a" * 64),
        ("less than or equal to 9223372036854775807", "less than or equal to 9223372036854775807"),
    ],
)
def test_what_is_known_by_its_form(text, redacted):
    assert replace_identifiers(text, token) == redacted
    assert replace_identifiers(redacted, lambda kind, value: pytest.fail(f"{kind} {value}")) == redacted


word = st.text(string.ascii_lowercase, min_size=5, max_size=9).map("zq{}".format)
digits = st.integers(100_000_000_000, 999_999_999_999).map(str)
hexadecimal = st.integers(16**31, 16**32 - 1).map("{:x}".format)
capitals = st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=16)
CASE = st.sampled_from([str, str.upper])
PLANTED = {
    "account": digits,
    "arn": st.builds("arn:aws:iam::{}:role/{}/{}".format, digits, word, word),
    "session": st.builds("arn:aws:sts::{}:assumed-role/{}/{}@{}.com".format, digits, word, word, word),
    "image": st.builds("{}.dkr.ecr.eu-west-1.amazonaws.com/{}/{}:{}".format, digits, word, word, word),
    "bucket": st.builds("s3://{}-{}/{}/{}.tar.gz".format, word, digits, word, word),
    "host": st.builds("{}.{}.internal".format, word, word),
    "mail": st.builds("{}.{}@{}.org".format, word, word, word),
    "key": st.builds("{}{}".format, st.sampled_from(["AKIA", "ASIA", "AROA", "AIDA"]), capitals),
    "address": st.one_of(st.ip_addresses(v=4, network="10.0.0.0/8"), st.ip_addresses(v=6, network="2001:db8::/32")).map(str),
    "uuid": st.builds(lambda text, case: case("-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])), hexadecimal, CASE),
    "resource": st.builds(lambda kind, text: f"{kind}-{text[:17]}", st.sampled_from(["vpc", "subnet", "sg", "eni"]), hexadecimal),
    "token": st.builds("{}{}/+{}==".format, hexadecimal, capitals, hexadecimal),
}
"""Strategies for values that must not be in a redacted text."""
AROUND = ("User: {} is not authorized", 'Could not find model "{}".', "not found: {}, try again", "({})", "{}", "[a, {}]", "at '{}' of it")


@st.composite
def planted(draw):
    """Draw a text with secrets, some of them encoded, and the parts of each that must not remain."""
    secrets, texts = [], []
    for _ in range(draw(st.integers(1, 4))):
        secret = draw(PLANTED[draw(st.sampled_from(sorted(PLANTED)))])
        secrets += re.findall(r"zq[a-z]+|\d{12}|[A-Za-z0-9]{16,}", secret) or [secret]
        encode = draw(
            st.sampled_from([str, lambda text: quote(text, safe=""), lambda text: json.dumps(json.dumps(text)).replace("/", r"\/")])
        )
        texts.append(draw(st.sampled_from(AROUND)).format(encode(secret)))
    return "; ".join(texts), secrets


def forms(text):
    return (text, text.replace("\\", ""), unquote(text), unquote(unquote(text)))


@settings(deadline=None)
@given(planted())
def test_nothing_that_was_planted_is_left_and_nothing_is_done_twice(found):
    text, secrets = found

    def message(redaction, text):
        return redaction.answer(reply({"__type": "ValidationException", "message": text}))["json"]["message"]

    for redact in (Redaction.text, message):
        redaction = Redaction(aws())
        once = redact(redaction, text)
        assert redact(redaction, once) == once
        for form in forms(once):
            assert not [secret for secret in secrets if secret.lower() in form.lower()], once


@settings(deadline=None)
@given(planted(), planted())
def test_whatever_an_answer_holds_of_others(first, second):
    body = {"Models": [{"ModelName": first[0], "ModelArn": second[0], "CreationTime": 1.7e9, first[0]: {second[0]: [first[0]]}}]}
    redaction = Redaction(aws())
    for status in (200, 400):
        found = redaction.answer(reply(body, status=status))
        for form in forms(json.dumps(found)):
            assert not [secret for secret in first[1] + second[1] if secret.lower() in form.lower()], found
    found = redaction.answer(reply(f"<html>{first[0]}<p>{second[0]}", status=500))["text"]
    assert not [secret for secret in first[1] + second[1] if secret.lower() in found.lower()]


@settings(deadline=None)
@given(st.lists(word, min_size=2, max_size=8, unique=True))
def test_each_value_has_a_token_of_its_own(names):
    redaction = Redaction(aws())
    models = [{"ModelName": name, "ModelArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/{name}"} for name in names]
    found = redaction.answer(reply({"Models": models}, status=200))["json"]["Models"]
    tokens = [model["ModelName"] for model in found]
    assert len(set(tokens)) == len(names)
    assert [model["ModelArn"] for model in found] == [f"arn:aws:sagemaker:us-east-1:{{account}}:model/{one}" for one in tokens]
    assert redaction.text(f"it is {json.dumps(names)}") == f"it is {json.dumps(tokens)}"
    assert len({value_of(one) for one in tokens}) == len(names)


@settings(deadline=None)
@given(create_model_requests())
def test_a_request_is_the_same_whoever_makes_it_and_its_echo_comes_back(drawn):
    targets = aws(), aws("111122223333", "arn:aws:iam::111122223333:role/b", "111122223333.dkr.ecr.us-east-1.amazonaws.com/b:1", "other")
    both = [drawn | {"ModelName": target.name_of("x"), "ExecutionRoleArn": target.role_arn} for target in targets]
    one, other = (Redaction(target) for target in targets)
    assert one.request("CreateModel", both[0]) == other.request("CreateModel", both[1])
    echo = one.answer(reply(both[0], "DescribeModel", 200))["json"]
    assert other.restore(echo) == both[1]
    message = one.answer(
        reply({"message": f"1 validation error detected: Value '{both[0]['ExecutionRoleArn']}' at 'executionRoleArn' failed"})
    )
    assert f"Value '{targets[1].role_arn}' at 'executionRoleArn'" in other.restore(message["json"]["message"])


def test_the_names_of_others_are_told_apart_from_words_of_the_service():
    redaction = Redaction(aws())
    names = ["Could", "model", "length", "modelName", "a", "fraud"]
    found = redaction.answer(reply({"Models": [{"ModelName": name} for name in names]}, status=200))["json"]["Models"]
    assert all(TOKEN.fullmatch(model["ModelName"]) for model in found)
    redaction.request("CreateModel", {"ModelName": "a"})
    text = "1 validation error detected: Value 'a' at 'modelName' failed to satisfy constraint: Member must have length less than or equal to 63"
    assert redaction.answer(reply({"message": text}))["json"]["message"] == text
    assert redaction.text("Could not find model fraud") == f"Could not find model {found[-1]['ModelName']}"


def test_what_was_cut_is_not_left_in_part():
    redaction = Redaction(aws())
    redaction.begin()
    redaction.request("CreateModel", {"ModelName": "b" * 63})
    for shown, redacted in (
        (f'accepted, 200: {{"ModelArn": "{ROLE[:25]}... (300 characters)', 'accepted, 200: {"ModelArn": "{cut}... (300 characters)'),
        ('{"Models": [{"ModelName": "jane secr... (300 characters)', '{"Models": [{"ModelName": "{cut}... (300 characters)'),
        (f'{{"ModelName": "{"b" * 30}... (300 characters)', f'{{"ModelName": "{"b" * 30}... (300 characters)'),
        ("no JSON, of jane-d... (300 characters) and more", "no JSON, of {cut}... (300 characters) and more"),
    ):
        assert redaction.text(shown) == redacted


def test_what_flows_from_an_answer_into_a_request_has_its_token():
    redaction = Redaction(EndpointTarget("http://127.0.0.1:1"))
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/fraud"
    page = redaction.answer(
        reply({"NextToken": "opaque", "Models": [{"ModelName": "fraud", "ModelArn": arn, "CreationTime": 1.7e9}]}, status=200)
    )
    request = {"NextToken": "opaque", "ResourceArn": arn, "ModelName": "fraud", "CreationTimeAfter": 1.7e9 + 60}
    made = redaction.request("ListModels", request)
    (model,) = page["json"]["Models"]
    assert made == {
        "NextToken": page["json"]["NextToken"],
        "ResourceArn": model["ModelArn"],
        "ModelName": model["ModelName"],
        "CreationTimeAfter": "{time+60.000}",
    }
    playing = Redaction(EndpointTarget("http://127.0.0.1:1"))
    restored = playing.restore(page["json"])
    again = {
        "NextToken": restored["NextToken"],
        "ResourceArn": restored["Models"][0]["ModelArn"],
        "ModelName": restored["Models"][0]["ModelName"],
        "CreationTimeAfter": restored["Models"][0]["CreationTime"] + 60,
    }
    assert playing.request("ListModels", again) == made


def test_parts_of_what_a_target_has_of_its_own():
    redaction = Redaction(aws())
    redaction.request("CreateModel", {"ModelName": "x"})
    told = redaction.answer(reply({"message": "JaneDoeRole of hidden-path cannot pull hidden-repository for acme"}))["json"]["message"]
    assert re.sub(r"\{name-\d+\}", "*", told) == "* of * cannot pull * for *"


def test_what_a_target_adds_to_requests_is_its_own():
    class Vpc(FakeTarget):
        def request(self, **overrides):
            return super().request(**overrides) | {"VpcConfig": {"Subnets": ["subnet-jane"], "SecurityGroupIds": ["sg-jane"]}}

    redaction = Redaction(Vpc())
    assert "jane" not in json.dumps(redaction.request("CreateModel", Vpc().request()))
    assert "jane" not in redaction.text("subnet-jane is not there")


def test_times_are_told_from_the_first_one_however_they_are_written():
    redaction = Redaction(aws())
    for text, token in ((1.7e9, "{time+0.000}"), ("2023-11-14T22:13:21Z", "{time+1.000}"), ("not a time", "{text-1}")):
        found = redaction.answer(reply({"CreationTime": text, "ModelName": ""}, "DescribeModel", 200))["json"]
        assert found == {"CreationTime": token, "ModelName": ""}
    assert redaction.restore("{time+1.000}") == 1_700_000_001.0


def test_tokens_of_two_workers_differ():
    assert Tokens("gw1").of("name", "jane") == "{name-gw1.1}"
    assert TOKEN.fullmatch("{name-gw1.1}")


class Leaky(FakeTarget):
    """Answer with values of other users."""

    def _call(self, client, operation):
        code, message, members = super()._call(client, operation)
        return code, message and f"{message} User: arn:aws:sts::{ACCOUNT}:assumed-role/Jane/jane is not authorized", members


class TestReport:
    def test_it_says_that_it_is_redacted_and_what_differed(self, tmp_path):
        target = Leaky("leaky=http://jane.acme.example", rules={"CreateModel/ModelName:max": None})
        select = ["CreateModel/ModelName:*", "delete/missing", "create/same-name"]
        report = run_contract(target, select=select, redacted=True)
        assert report.redacted
        assert report.targets == ["leaky=1"]
        assert {result.target for result in report.results} == {"leaky=1"}
        failed = {result.check: result for result in report.failed}
        longer = failed["CreateModel/ModelName:max-64"]
        assert longer.expected.endswith("Member must have length less than or equal to 63")
        assert longer.actual.startswith('accepted, 200: {"ModelArn": "arn:aws:sagemaker:us-east-1:{account}:model/aaaa')
        assert '"ExecutionRoleArn": "{role}"' in longer.request
        taken = failed["create/same-name"]
        assert 'Cannot create already existing model "arn:aws:sagemaker:us-east-1:{account}:model/{name}".' in taken.expected
        assert "User: arn:aws:sts::{account-" in taken.actual
        for suffix in ("json", "html", "md"):
            report.write(tmp_path / f"it.{suffix}")
            text = (tmp_path / f"it.{suffix}").read_text("utf-8")
            assert not re.search(f"jane|{ACCOUNT}|123456789012|SageMakerExecutionRole", text, re.IGNORECASE)
        assert str(report).endswith("\nredacted: tokens such as {account} replace values that identify an account")

    def test_without_it_nothing_is(self):
        target = Leaky(rules={"CreateModel/ModelName:max": None})
        before = run_contract(target, select=["CreateModel/ModelName:*"], redacted=True)
        report = run_contract(target, select=["CreateModel/ModelName:*"])
        assert (before.redacted, report.redacted, target.listeners) == (True, False, [])
        assert "role/SageMakerExecutionRole" in report.failed[0].request
        assert "redacted" not in str(report)
        assert "Not redacted: responses are shown unchanged." in report.to_markdown()
        assert "Redacted: tokens such as {account} replace" in before.to_markdown()
        assert '"redacted":"not redacted: responses are shown unchanged"' in report.to_html()
        assert '"redacted":"redacted: tokens such as {account} replace' in before.to_html()

    def test_targets_of_a_kind_are_told_apart(self):
        report = run_contract(FakeTarget("a=x"), FakeTarget("a=y"), FakeTarget(), select=["create/response"], redacted=True)
        assert report.targets == ["a=1", "a=2", "fake"]
