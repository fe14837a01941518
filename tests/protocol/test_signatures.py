"""Signature Version 4, against botocore's own signer and the requests that SDKs of other languages really sent."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from pytest_smfake import AccessKey, Clock, FakeSageMaker, ServiceError
from pytest_smfake.protocol.http import Request
from pytest_smfake.protocol.signatures import Signatures

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
URL = "https://api.sagemaker.us-east-1.amazonaws.com/"
CAPTURED = json.loads((Path(__file__).parent / "requests.json").read_text("utf-8"))["requests"]


def signed(body=b"{}", *, signer=SigV4Auth, key=KEY, secret=SECRET, token=None, service="sagemaker", url=URL, headers=(), **arguments):
    """Return a request that botocore signed."""
    names = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"} | dict(headers)
    request = AWSRequest("POST", url, names, body)
    signer(Credentials(key, secret, token), service, "us-east-1", **arguments).add_auth(request)
    prepared = request.prepare()
    return Request("POST", prepared.url, {name.lower(): str(value) for name, value in prepared.headers.items()}, body)


def changed(request: Request, *, url=None, body=None, **headers) -> Request:
    names = {name: value for name, value in (dict(request.headers) | headers).items() if value is not None}
    return Request(request.method, url or request.url, names, request.body if body is None else body)


def verdict(request: Request, clock: Clock | None = None, **keys) -> str:
    """Return the code by which a request is refused; empty for none."""
    try:
        Signatures("strict", keys or {KEY: SECRET}, clock or Clock()).verify(request)
    except ServiceError as error:
        return error.code
    return ""


@pytest.mark.parametrize("name", CAPTURED)
def test_requests_that_were_captured(name):
    captured = CAPTURED[name]
    headers = {header.lower(): value for header, value in captured["headers"]}
    request = Request(captured["method"], f"http://{headers['host']}{captured['path']}", headers, captured["body"].encode())
    moment = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)

    class Then(Clock):
        def now(self):
            return moment.timestamp()

    assert verdict(request, Then()) == ""
    assert verdict(changed(request, body=request.body + b" "), Then()) == "InvalidSignatureException"
    assert verdict(changed(request, **{"x-amz-target": "SageMaker.DeleteModel"}), Then()) == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("signer", "body"),
    # botocore's signer for queries moves the body into the query, too, so that there is none.
    [(SigV4Auth, b""), (SigV4Auth, b'{"a": 1}'), (SigV4Auth, "größe".encode()), (SigV4QueryAuth, b"")],
)
@pytest.mark.parametrize(
    "url", [URL, "http://127.0.0.1:8080/worlds/a/", "http://h/worlds/a//b/../x%20y/~z?b=2&a=%2F&a=1", "http://h:80/endpoints/e/invocations"]
)
def test_what_botocore_signs_is_right(signer, url, body):
    request = signed(body, signer=signer, url=url, headers={"X-Amz-Spaces": "  a   b "})
    assert verdict(request) == ""
    assert verdict(request, **{KEY: "other"}) == "InvalidSignatureException"
    assert verdict(changed(request, body=body + b"x")) == "InvalidSignatureException"


def test_an_unsigned_payload():
    class Unsigned(SigV4Auth):
        def payload(self, request):
            return "UNSIGNED-PAYLOAD"

    request = signed(b"{}", signer=Unsigned, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert verdict(changed(request, body=b"whatever")) == ""
    assert verdict(signed(b"{}", signer=Unsigned)) == "InvalidSignatureException"


def test_session_tokens():
    key = AccessKey(secret=SECRET, session_token="token", expires=time.time() + 60)
    assert verdict(signed(token="token"), **{KEY: key}) == ""
    assert verdict(signed(b"", token="token", signer=SigV4QueryAuth), **{KEY: key}) == ""
    assert verdict(signed(token="other"), **{KEY: key}) == "UnrecognizedClientException"
    assert verdict(signed(), **{KEY: key}) == "UnrecognizedClientException"
    assert verdict(signed(token="token")) == "UnrecognizedClientException"
    clock = Clock()
    clock.advance(61)
    assert verdict(signed(token="token"), clock, **{KEY: key}) == "ExpiredTokenException"


DATE = {"x-amz-date": None}
REFUSED = {
    "nothing": ({"authorization": None}, "MissingAuthenticationTokenException"),
    "empty": ({"authorization": " "}, "MissingAuthenticationTokenException"),
    "another algorithm": ({"authorization": "AWS4-ECDSA-P256-SHA256 Credential=a"}, "IncompleteSignature"),
    "basic": ({"authorization": "Basic dXNlcjpwYXNz"}, "IncompleteSignature"),
    "algorithm alone": ({"authorization": "AWS4-HMAC-SHA256"}, "IncompleteSignature"),
    "no date": (DATE, "IncompleteSignature"),
    "a date in no form": ({"x-amz-date": "yesterday"}, "IncompleteSignature"),
    "another day": ({"x-amz-date": "20200101T000000Z"}, "InvalidSignatureException"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_signatures_that_are_none(name):
    headers, code = REFUSED[name]
    assert verdict(changed(signed(), **headers)) == code


@pytest.mark.parametrize("part", ["Credential", "SignedHeaders", "Signature"])
def test_what_is_missing_is_named(part):
    request = signed()
    header = request.headers["authorization"].replace(f"{part}=", "Nothing=")
    with pytest.raises(ServiceError, match=f"Authorization header requires '{part}' parameter") as caught:
        Signatures("strict", {KEY: SECRET}, Clock()).verify(changed(request, authorization=header))
    assert (caught.value.code, caught.value.status) == ("IncompleteSignature", 400)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("host;", "", "IncompleteSignature"),
        ("/aws4_request", "", "IncompleteSignature"),
        ("/aws4_request", "/aws3_request", "InvalidSignatureException"),
        (KEY, "AKIAUNKNOWN", "UnrecognizedClientException"),
        ("Signature=", "Signature=é", "InvalidSignatureException"),
        ("host;", "host;nothing;", "InvalidSignatureException"),
    ],
)
def test_parts_that_are_wrong(old, new, code):
    request = signed()
    assert verdict(changed(request, authorization=request.headers["authorization"].replace(old, new))) == code


def test_another_service_and_both_forms():
    assert verdict(signed(service="s3")) == "InvalidSignatureException"
    query = signed(b"", signer=SigV4QueryAuth)
    assert verdict(changed(query, authorization=signed().headers["authorization"])) == "InvalidSignatureException"
    assert verdict(changed(query, url=query.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=0"))) == "IncompleteSignature"
    assert verdict(changed(query, url=query.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=999999"))) == "IncompleteSignature"
    assert verdict(changed(query, url=query.url.replace("X-Amz-Date=", "X-Amz-Dates="))) == "IncompleteSignature"


def test_the_date_header_will_do():
    request = signed()
    stamp = request.headers["x-amz-date"]
    form = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").strftime("%a, %d %b %Y %H:%M:%S GMT")
    # It is not what was signed, so the signature is wrong; but it is complete.
    assert verdict(changed(request, **DATE, date=form)) == "InvalidSignatureException"


@pytest.mark.parametrize(("hours", "text"), [(-1, "Signature expired: "), (1, "Signature not yet current: ")])
def test_skew(hours, text):
    import time_machine

    with time_machine.travel(time.time() + hours * 3600):
        request = signed()
    with pytest.raises(ServiceError, match=text) as caught:
        Signatures("strict", {KEY: SECRET}, Clock()).verify(request)
    assert (caught.value.code, caught.value.status) == ("InvalidSignatureException", 400)


def test_a_clock_that_was_advanced_suits_clients_of_either_time():
    import time_machine

    clock = Clock()
    clock.advance(3600)
    assert verdict(signed(), clock) == ""
    with time_machine.travel(time.time() + 3600, tick=True):
        later = signed()
    assert verdict(later, clock) == ""
    query = signed(b"", signer=SigV4QueryAuth, expires=60)
    assert verdict(query) == ""
    assert verdict(query, clock) == "InvalidSignatureException"


def test_a_strict_fake_knows_the_keys_it_lends_and_no_others():
    with FakeSageMaker(auth="strict") as fake:
        fake.client().create_model(**fake.request())
        fake.client(account="111122223333").create_model(**fake.request())
        boto3.client("sagemaker", region_name="us-east-1").list_models()  # the keys of the environment, while it is active
        stranger = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        with pytest.raises(ClientError) as caught:
            stranger.create_model(**fake.request(ModelName="b"))
        assert caught.value.response["Error"]["Code"] == "UnrecognizedClientException"
        unsigned = boto3.client("sagemaker", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
        with pytest.raises(ClientError, match="Missing Authentication Token") as caught:
            unsigned.create_model(**fake.request(ModelName="b"))
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert list(fake.models) == ["model"]
        fake.add_endpoint("churn")
        fake.stand_in("churn", lambda body, *_: body)
        assert fake.client("sagemaker-runtime").invoke_endpoint(EndpointName="churn", Body=b"a")["Body"].read() == b"a"


def test_known_keys_tell_account_and_principal():
    ann = "arn:aws:iam::111122223333:user/ann"
    keys = {KEY: {"secret": SECRET, "account": "111122223333", "principal": ann}}
    for auth in ("strict", "lenient"):
        with FakeSageMaker(auth=auth, keys=keys) as fake:
            client = fake.client(aws_access_key_id=KEY, aws_secret_access_key=SECRET)
            assert ":111122223333:" in client.create_model(**fake.request())["ModelArn"]
            assert fake.calls[0].principal == ann
            fake.deny("sagemaker:DeleteModel")
            with pytest.raises(ClientError, match=f"User: {ann} is not authorized to perform: sagemaker:DeleteModel"):
                client.delete_model(ModelName="model")


def test_the_text_of_a_wrong_signature_shows_what_was_signed():
    with FakeSageMaker(auth="strict", keys={KEY: SECRET}) as fake:
        client = fake.client(aws_access_key_id=KEY, aws_secret_access_key="wrong")
        with pytest.raises(ClientError, match="The Canonical String for this request should have been\n'POST\n/\n\ncontent-type:"):
            client.list_models()
        raw = AWSRequest("POST", URL, {"X-Amz-Target": "SageMaker.ListModels"}, b"{").prepare()
        assert json.loads(URLLib3Session().send(raw).content)["__type"] == "SerializationException"  # it is read before it is verified


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"auth": "loose"}, "unknown auth 'loose'; expected one of: lenient, strict"),
        ({"keys": ["a"]}, r"keys must be a dict of access key ids and secrets or AccessKeys, got \['a'\]"),
        ({"keys": {"a": 1}}, "value of 'a' must be a secret, an AccessKey, or a dict of its attributes, got 1"),
        ({"keys": {"a": {"secret": "b", "user": "c"}}}, "must be a secret, an AccessKey, or a dict"),
        ({"keys": {"a": AccessKey(secret="b", account="12")}}, "account of 'a' must be a string of 12 digits, got '12'"),
    ],
)
def test_settings_that_cannot_be(arguments, text):
    with pytest.raises(ValueError, match=text):
        FakeSageMaker(**arguments)


def test_secrets_are_not_shown():
    assert "s3cr3t" not in repr(AccessKey(secret="s3cr3t", session_token="s3cr3t"))
