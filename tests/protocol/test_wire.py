"""Bytes that no client sends: a service error with the right code, never a traceback, and the store unchanged."""

from __future__ import annotations

import gzip
import json

import pytest
import requests
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from pytest_smfake import FakeSageMaker
from pytest_smfake.protocol.wire import MAX_BODY, Request, is_sagemaker
from pytest_smfake.rules.service_model import runtime_model, service_model

HEADERS = {
    "X-Amz-Target": "SageMaker.CreateModel",
    "Content-Type": "application/x-amz-json-1.1",
    "Authorization": "AWS4-HMAC-SHA256 Credential=111122223333/20261123/eu-west-1/sagemaker/aws4_request, SignedHeaders=host, Signature=x",
}
URL = "https://api.sagemaker.us-east-1.amazonaws.com/"


def send(body: bytes | str, url: str = URL, method: str = "POST", **headers: str | None):
    """Send a raw request; return status, error code and text."""
    merged = {
        name: value for name, value in (HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}).items() if value
    }
    response = URLLib3Session().send(AWSRequest(method, url, merged, body).prepare())
    data = json.loads(response.content) if response.content else {}
    assert response.headers["Content-Length"] == str(len(response.content))
    assert response.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert response.headers["x-amzn-RequestId"]
    assert response.headers["Date"].endswith(" GMT")
    assert data.get("__type") == response.headers.get("x-amzn-ErrorType")
    return response.status_code, data.get("__type"), data.get("message", data.get("Message", ""))


SERIALIZATION = (400, "SerializationException")

BODIES = {
    "empty": b"",
    "no JSON": b"{",
    "text": b"hello",
    "two values": b"{} {}",
    "UTF-16": '{"ModelName": "a"}'.encode("utf-16"),
    "bad UTF-8": b'{"ModelName": "\xff"}',
    "NaN": b'{"ModelName": NaN}',
    "Infinity": b'{"MaxResults": -Infinity}',
    "lone surrogate": rb'{"ModelName": "\ud800"}',
    "lone surrogate as a key": rb'{"\udfff": 1}',
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "deep and whole": b"[" * 20_000 + b"]" * 20_000,
    "endless number": b"9" * 10_000,
    "array": b"[]",
    "null": b"null",
    "number": b"3",
    "string": b'"x"',
    "name a number": b'{"ModelName": 3}',
    "name a list": b'{"ModelName": ["a"]}',
    "name an object": b'{"ModelName": {"a": 1}}',
    "name a bool": b'{"ModelName": true}',
    "tags an object": b'{"Tags": {}}',
    "container a list": b'{"PrimaryContainer": []}',
    "environment a string": b'{"PrimaryContainer": {"Environment": "A=B"}}',
    "environment value a number": b'{"PrimaryContainer": {"Environment": {"A": 1}}}',
    "isolation a string": b'{"EnableNetworkIsolation": "true"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_cannot_be_read(name, smfake):
    status, code, _ = send(BODIES[name])
    assert (status, code) == SERIALIZATION
    assert smfake.at(region="eu-west-1", account="111122223333").models == {}
    assert smfake.calls[-1].error.code == code
    assert repr(smfake.calls[-1])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"ModelName": 3}', "NUMBER_VALUE can not be converted to a String"),
        (b'{"ModelName": 3.5}', "DECIMAL_VALUE can not be converted to a String"),
        (b'{"ModelName": true}', "TRUE_VALUE can not be converted to a String"),
        (b'{"ModelName": false}', "FALSE_VALUE can not be converted to a String"),
        (b'{"ModelName": {}}', "Start of structure or map found where not expected"),
        (b'{"ModelName": []}', "Start of list found where not expected"),
        (b'{"EnableNetworkIsolation": "x"}', "STRING_VALUE can not be converted to a Boolean"),
        (b'{"Tags": "x"}', "STRING_VALUE found where the start of a list was expected"),
        (b'{"VpcConfig": 3}', "NUMBER_VALUE found where the start of a structure or map was expected"),
    ],
)
def test_wrong_types(body, text, smfake):
    assert send(body) == (*SERIALIZATION, text)


def test_a_recursive_request_nested_too_deeply(smfake):
    depth = 150
    body = '{"Resource": "Endpoint", "SearchExpression": ' + '{"SubExpressions": [' * depth + "{}" + "]}" * depth + "}"
    status, code, _ = send(body, X_Amz_Target="SageMaker.Search")
    assert (status, code) in [(501, "NotImplemented"), SERIALIZATION]
    body = body.replace("{}", '{"SubExpressions": [' * 300 + "{}" + "]}" * 300)
    assert send(body, X_Amz_Target="SageMaker.Search")[:2] == SERIALIZATION


@pytest.mark.parametrize("target", ["SageMaker.Nonsense", "SageMaker.", "SageMaker.createmodel", None])
def test_unknown_operations(target, smfake):
    assert send(b"{}", X_Amz_Target=target) == (404, "UnknownOperationException", "")
    assert smfake.calls[-1].operation is None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_missing_target_with_another_method(method, smfake):
    assert send(b"", method=method, X_Amz_Target=None)[0] == 404


def test_a_huge_body(smfake):
    assert send(b" " * (MAX_BODY + 1))[:2] == (413, "RequestEntityTooLargeException")
    assert send(b" " * MAX_BODY)[:2] == SERIALIZATION


def test_a_refused_call_holds_no_frames(smfake):
    """They would hold the request, and what a server's log keeps would be large, and slow to look through for garbage."""
    assert send(b'{"ModelName": "_"}')[0] == 400
    assert smfake.calls[-1].error is not None
    assert smfake.calls[-1].error.__traceback__ is None


def test_a_huge_value(smfake):
    status, code, text = send(json.dumps({"ModelName": "a-" * 1_000_000}))
    assert (status, code) == (400, "ValidationException")
    assert "less than or equal to 63" in text
    # This pattern takes time that grows with the square of the length when it fails.
    status, code, text = send(json.dumps(smfake.request(PrimaryContainer={"Image": "i", "ModelDataUrl": "s3://" + "a\n" * 500_000})))
    assert (status, code) == (400, "ValidationException")
    assert "less than or equal to 1024" in text


def test_nul_and_control_characters(smfake):
    request = smfake.request(PrimaryContainer={"Image": "i", "Environment": {"A": "\x00\x01"}})
    assert send(json.dumps(request))[0] == 200
    request = smfake.request(ModelName="nul\x00")
    assert send(json.dumps(request))[:2] == (400, "ValidationException")


def test_text_of_any_language(smfake):
    request = smfake.request(Tags=[{"Key": "größe", "Value": "大𝟙"}])
    client = smfake.client()
    client.create_model(**request)
    assert client.list_tags(ResourceArn=smfake.models["model"].arn)["Tags"] == request["Tags"]
    with pytest.raises(ClientError, match="Value '🙂' at 'tags.1.member.key'"):
        client.create_model(**smfake.request(ModelName="b", Tags=[{"Key": "🙂", "Value": ""}]))


def test_duplicate_keys_the_last_one_wins(smfake):
    body = json.dumps(smfake.request(ModelName="a", PrimaryContainer={"Image": "model:1"}))[:-1] + ', "ModelName": "b"}'
    assert send(body)[0] == 200
    assert list(smfake.at(region="eu-west-1", account="111122223333").models) == ["b"]


def test_the_world_is_read_from_the_signature(smfake):
    assert send(json.dumps(smfake.request(ModelName="a", PrimaryContainer={"Image": "model:1"})))[0] == 200
    assert smfake.at(region="eu-west-1", account="111122223333").models["a"].arn == "arn:aws:sagemaker:eu-west-1:111122223333:model/a"


def test_the_world_is_read_from_a_query(smfake):
    url = URL + "?X-Amz-Credential=111122223333%2F20261123%2Feu-west-1%2Fsagemaker%2Faws4_request"
    assert send(json.dumps(smfake.request(ModelName="a", PrimaryContainer={"Image": "model:1"})), url=url, Authorization=None)[0] == 200
    assert "a" in smfake.at(region="eu-west-1", account="111122223333").models


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://api.sagemaker.eu-north-1.amazonaws.com/", "eu-north-1"),
        ("https://api-fips.sagemaker.us-gov-west-1.amazonaws.com/", "us-gov-west-1"),
        ("https://api.sagemaker.eu-north-1.api.aws/", "eu-north-1"),
        ("https://vpce-1.api.sagemaker.eu-north-1.vpce.amazonaws.com/", "eu-north-1"),
        ("http://models.internal/", "us-east-1"),
    ],
)
def test_the_region_of_an_unsigned_request(url, region, smfake):
    assert send(json.dumps(smfake.request(ModelName="a", PrimaryContainer={"Image": "model:1"})), url=url, Authorization=None)[0] == 200
    assert list(smfake.at(region=region).models) == ["a"]


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ("https://x/", {"x-amz-target": "SageMaker.ListModels"}, True),
        ("https://x/", {"x-amz-target": "DynamoDB_20120810.GetItem"}, False),
        ("https://api.sagemaker.us-east-1.amazonaws.com/", {}, True),
        ("https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/x/invocations", {}, True),
        ("https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/x/invocations/y", {}, False),
        ("https://runtime.sagemaker.us-east-1.amazonaws.com/", {}, False),
        ("https://x/", {"authorization": HEADERS["Authorization"]}, True),
        ("https://x/endpoints/x/async-invocations", {"authorization": HEADERS["Authorization"]}, True),
        ("https://x/endpoints/x/invocations", {}, False),
        ("https://x/FeatureGroup/x", {"authorization": HEADERS["Authorization"]}, False),
        ("https://s3.amazonaws.com/", {}, False),
        ("https://x/", {"authorization": HEADERS["Authorization"].replace("sagemaker", "sts")}, False),
    ],
)
def test_what_is_sagemaker(url, headers, expected):
    assert is_sagemaker(Request("POST", url, headers, b"")) is expected


def test_a_modelled_error_has_its_text_under_a_capital(smfake):
    smfake.limit("models", 0)
    body = json.dumps(smfake.request(PrimaryContainer={"Image": "model:1"}))
    response = URLLib3Session().send(AWSRequest("POST", URL, HEADERS, body).prepare())
    assert set(json.loads(response.content)) == {"__type", "Message"}
    response = URLLib3Session().send(AWSRequest("POST", URL, HEADERS, "{}").prepare())
    assert set(json.loads(response.content)) == {"__type", "message"}


def test_a_body_that_is_a_stream(smfake):
    import io

    assert send(io.BytesIO(json.dumps(smfake.request(ModelName="a", PrimaryContainer={"Image": "model:1"})).encode()))[0] == 200


def test_the_attempts_of_a_call_are_one_entry():
    with FakeSageMaker() as fake:
        for _ in range(3):
            send(b"{}", amz_sdk_invocation_id="one")
        send(b"{}", amz_sdk_invocation_id="two")
        assert [call.attempts for call in fake.calls] == [3, 1]
        assert "3 attempts" in repr(fake.calls[0])


def test_names_as_numbers_from_a_lax_client(smfake):
    client = smfake.client(config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as caught:
        client.create_model(ModelName=3)
    assert caught.value.response["Error"]["Code"] == "SerializationException"


def test_packed_bodies(smfake):
    packed = gzip.compress(json.dumps(smfake.request(ModelName="packed", PrimaryContainer={"Image": "model:1"})).encode())
    assert send(packed, Content_Encoding="gzip")[0] == 200
    assert smfake.calls[-1].parameters["ModelName"] == "packed"
    for broken in (packed[:-1], packed[:20], b"{}", b""):
        assert send(broken, Content_Encoding="gzip")[:2] == SERIALIZATION
    assert send(packed, Content_Encoding="br")[:2] == SERIALIZATION
    bomb = gzip.compress(b" " * (MAX_BODY + 1))
    assert len(bomb) < 10_000
    assert send(bomb, Content_Encoding="gzip")[:2] == (413, "RequestEntityTooLargeException")
    assert list(smfake.at(region="eu-west-1", account="111122223333").models) == ["packed"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/x-amz-json-1.1", 200),
        ("application/x-amz-json-1.1; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        (None, 200),
        ("application/x-www-form-urlencoded", 404),
        ("application/cbor", 404),
    ],
)
def test_content_types(kind, status, smfake):
    assert send(b"{}", X_Amz_Target="SageMaker.ListModels", Content_Type=kind)[0] == status


def test_calls_are_posted(smfake):
    assert send(b"{}", method="PUT", X_Amz_Target="SageMaker.ListModels")[:2] == (404, "UnknownOperationException")


ORDER = ["x-amzn-RequestId", "Content-Type", "Content-Length", "Date"]


def test_headers_of_an_error(smfake, smfake_client):
    def headers(url, **own):
        own = {name: value for name, value in (HEADERS | own).items() if value}
        response = requests.post(url, data=b"{}", headers=own, timeout=30)
        return response.status_code, list(response.headers)

    with smfake.fail("ListTransformJobs", "ThrottlingException"):
        assert headers(URL, **{"X-Amz-Target": "SageMaker.ListTransformJobs"}) == (400, [*ORDER, "x-amzn-ErrorType"])
    assert headers(URL, **{"X-Amz-Target": "SageMaker.DescribeModel"}) == (400, [*ORDER, "x-amzn-ErrorType"])
    assert headers(URL, **{"X-Amz-Target": "SageMaker.ListTransformJobs"}) == (200, ORDER)
    with smfake.fail("ListTransformJobs", "503"):
        without_body = [name for name in ORDER if name != "Content-Type"]
        assert headers(URL, **{"X-Amz-Target": "SageMaker.ListTransformJobs"}) == (503, without_body)
    runtime = "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/nope/invocations"
    assert headers(runtime, **{"X-Amz-Target": ""}) == (400, [*ORDER, "x-amzn-ErrorType"])


def test_the_service_speaks_json_alone():
    """Newer SDKs negotiate CBOR where the service model lists it: once SageMaker's does, this fails, and a codec is due."""
    assert service_model().metadata["protocols"] == ["json"]
    assert runtime_model().metadata["protocols"] == ["rest-json"]
