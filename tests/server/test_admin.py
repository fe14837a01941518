"""The admin API: what the fixture offers, over HTTP and behind a token."""

from __future__ import annotations

import http.client
import json

import pytest

from pytest_smfake.server.admin import Admin
from pytest_smfake.server.command import world

REQUEST = {
    "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"},
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
}
BASE = "/_smfake/worlds/default"


@pytest.fixture
def ask(server):
    """Ask the admin API; return status and body."""
    server.admin = Admin(server, "token", world)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)

    def ask(method: str, path: str, body: object = None, token: str | None = "token"):
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "application/json"
        return response.status, json.loads(response.read())

    yield ask
    connection.close()


@pytest.fixture
def call(server):
    """Call the service; return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)

    def call(operation: str, body: object, path: str = "/", **headers: str):
        names = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"} | headers
        connection.request("POST", path, json.dumps(body), names)
        response = connection.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data else {}

    yield call
    connection.close()


def create(call, name: str, path: str = "/", **headers: str):
    return call("CreateModel", {"ModelName": name} | REQUEST, path, **headers)


@pytest.mark.parametrize("token", [None, "", "Token", "tökén"])
def test_without_the_token_nothing_is_told(token, ask, fake):
    if token == "tökén":
        token = token.encode().decode("latin-1")
    status, body = ask("POST", f"{BASE}/reset", token=token)
    assert status == 401
    assert "Authorization: Bearer TOKEN" in body["error"]


def test_a_token_without_its_scheme_is_none(ask, server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/_smfake/state", headers={"Authorization": "token"})
    assert b"Authorization: Bearer TOKEN" in connection.getresponse().read()
    connection.close()


def test_limits(ask, call):
    status, shown = ask("POST", f"{BASE}/limits", {"key": "models", "bound": 1, "used": 1})
    assert (status, shown["kind"]) == (201, "limits")
    assert create(call, "a")[1]["__type"] == "ResourceLimitExceeded"
    assert ask("DELETE", f"{BASE}/in-force/{shown['id']}")[0] == 200
    assert create(call, "a")[0] == 200


def test_faults_delays_throttles_and_denials(ask, call, fake):
    _, fault = ask("POST", f"{BASE}/faults", {"operation": "CreateModel", "code": "ResourceLimitExceeded", "message": "No."})
    assert create(call, "a")[1] == {"__type": "ResourceLimitExceeded", "Message": "No."}
    assert ask("GET", f"{BASE}/in-force/{fault['id']}")[1]["hits"] == 1
    before = fake.clock.now()
    ask("POST", f"{BASE}/delays", {"operation": "CreateModel", "seconds": 100, "times": 1})
    assert create(call, "a")[0] == 200
    assert fake.clock.now() - before >= 100
    _, denial = ask("POST", f"{BASE}/denials", {"action": "sagemaker:CreateModel"})
    assert create(call, "b")[1]["__type"] == "AccessDeniedException"
    ask("DELETE", f"{BASE}/in-force/{denial['id']}")
    ask("POST", f"{BASE}/throttles", {"rate": 0.001, "burst": 1})
    assert [create(call, name)[0] for name in ("b", "c")] == [200, 400]
    kinds = [entry["kind"] for entry in ask("GET", f"{BASE}/in-force")[1]["in_force"]]
    assert kinds == ["faults", "delays", "throttles"]


def test_attempts_of_a_call_are_told_by_its_invocation(ask, call):
    ask("POST", f"{BASE}/faults", {"operation": "CreateModel", "code": "ThrottlingException", "attempts": 2})
    statuses = [create(call, "a", **{"amz-sdk-invocation-id": "one"})[0] for _ in range(3)]
    assert statuses == [400, 400, 200]
    (entry,) = ask("GET", f"{BASE}/calls")[1]["calls"]
    assert (entry["attempts"], entry["error"], entry["faults"]) == (3, None, ["fail('CreateModel', 'ThrottlingException', attempts=2)"])


def test_calls_are_shown_as_they_were(ask, call, fake, server):
    fake.add_endpoint("churn")
    fake.stand_in("churn", lambda body, *_: b"\xff" + body)
    create(call, "a")
    create(call, "a")
    authorization = "AWS4-HMAC-SHA256 Credential=a/20261123/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=x"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", "/endpoints/churn/invocations", b"\x00\xfe", {"Authorization": authorization})
    assert connection.getresponse().read() == b"\xff\x00\xfe"
    connection.close()
    status, body = ask("GET", f"{BASE}/calls")
    assert (status, body["dropped"], body["last"]) == (200, 0, 3)
    first, second, third = body["calls"]
    assert first["response"]["ModelArn"].endswith("model/a")
    assert first["parameters"]["ModelName"] == "a"
    assert (second["number"], second["error"]["code"], second["error"]["status"]) == (2, "ValidationException", 400)
    assert (third["operation"], third["parameters"]["Body"], third["response"]["Body"]) == ("InvokeEndpoint", "AP4=", "/wD+")
    assert [entry["number"] for entry in ask("GET", f"{BASE}/calls?after=1&count=1")[1]["calls"]] == [2]


def test_the_log_of_calls_is_a_ring(ask, call, server):
    server.admin = Admin(server, "token", lambda settings: world(settings, 10))
    ask("PUT", "/_smfake/worlds/small", {})
    for number in range(35):
        call("DescribeModel", {"ModelName": f"m{number}"}, "/worlds/small", **{"amz-sdk-invocation-id": str(number)})
    body = ask("GET", "/_smfake/worlds/small/calls")[1]
    assert (body["dropped"], body["last"]) == (25, 35)
    assert [entry["number"] for entry in body["calls"]] == list(range(26, 36))
    assert body["calls"][0]["parameters"] == {"ModelName": "m25"}
    assert ask("GET", "/_smfake/worlds/small/calls?after=30")[1]["calls"][0]["number"] == 31
    calls = server.worlds["small"].service.calls
    assert len(calls) <= 12
    assert len(calls._by_invocation) == len(calls)


def test_worlds(ask, call, server):
    status, about = ask("PUT", "/_smfake/worlds/w-1", {"account": "111122223333", "limits": {"models": 1}, "edition": "sdk"})
    assert (status, about["account"], about["edition"], about["url"]) == (201, "111122223333", "sdk", f"{server.url}/worlds/w-1")
    assert ask("PUT", "/_smfake/worlds/w-1", {})[0] == 409
    assert create(call, "a", "/worlds/w-1")[1]["ModelArn"] == "arn:aws:sagemaker:us-east-1:111122223333:model/a"
    assert create(call, "b", "/worlds/w-1")[1]["__type"] == "ResourceLimitExceeded"
    assert ask("GET", "/_smfake/worlds")[1] == {"worlds": ["default", "w-1"]}
    ask("POST", "/_smfake/worlds/w-1/faults", {"operation": "ListModels", "code": "503"})
    status, body = ask("DELETE", "/_smfake/worlds/w-1")
    assert status == 200
    assert body["unused"].startswith("fail('ListModels', '503') was never triggered: no call of ListModels arrived.")
    assert create(call, "c", "/worlds/w-1")[1]["__type"] == "NoSuchWorld"
    assert ask("GET", "/_smfake/worlds/w-1")[0] == 404


def test_state_models_clock_and_reset(ask, call, fake):
    assert ask("POST", f"{BASE}/models", {"ModelName": "given", "Tags": [{"Key": "a", "Value": "b"}]})[0] == 201
    fake.add_endpoint("churn")
    create(call, "a")
    place = ask("GET", f"{BASE}/state")[1]["places"][0]
    assert (place["account"], place["region"]) == ("123456789012", "us-east-1")
    assert [model["name"] for model in place["models"]] == ["given", "churn", "a"]
    assert place["models"][0]["tags"] == {"a": "b"}
    assert place["models"][2]["request"] == {"ModelName": "a"} | REQUEST
    assert [(endpoint["name"], endpoint["status"]) for endpoint in place["endpoints"]] == [("churn", "InService")]
    assert [config["name"] for config in place["endpoint_configs"]] == ["churn"]
    before = fake.clock.now()
    assert ask("POST", f"{BASE}/clock", {"seconds": 500})[1]["now"] - before >= 500
    assert ask("POST", f"{BASE}/reset") == (200, {})
    assert ask("GET", "/_smfake/state")[1]["worlds"]["default"]["places"] == []
    assert ask("GET", f"{BASE}/unused")[1] == {"unused": None}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", f"{BASE}/limits", {"key": "model", "bound": 1}, 400, "'model' is not a limit; did you mean 'models'?; there are: models"),
        ("POST", f"{BASE}/limits", {"key": "models", "bound": -1}, 400, "not -1"),
        (
            "POST",
            f"{BASE}/limits",
            {"keys": "models"},
            400,
            "'keys' is not a keyword of limits; did you mean 'key'?; there are: key, bound, used",
        ),
        ("POST", f"{BASE}/limits", {}, 400, "limits needs the keyword 'key'"),
        (
            "POST",
            f"{BASE}/limits",
            b'{"key": "models", "bound": ' + b"9" * 5000 + b"}",
            400,
            "A number has 5000 digits; at most 400 are allowed",
        ),
        ("POST", f"{BASE}/limits", {"key": "models", "bound": 1, "region": "Ireland"}, 400, "'Ireland' is not the name of a region"),
        ("POST", f"{BASE}/limits", {"key": "models"}, 400, "limits needs the keyword 'bound'; there are: key, bound, used"),
        ("POST", f"{BASE}/throttles", {"rate": 1}, 400, "throttles needs the keyword 'burst'"),
        ("POST", f"{BASE}/clock", {}, 400, "clock needs the keyword 'seconds'"),
        ("POST", f"{BASE}/models", {"Modelname": "a"}, 400, "CreateModel has no member 'Modelname'; did you mean 'ModelName'?"),
        ("POST", f"{BASE}/faults", {"operation": "CreateModel", "code": "Nope"}, 400, "'Nope' is not a failure of CreateModel"),
        ("POST", f"{BASE}/faults", {"operation": "CreateModel", "code": "503", "when": "x"}, 400, "cannot be sent to another process"),
        ("POST", f"{BASE}/faults", b"{", 400, "The body is not JSON"),
        ("POST", f"{BASE}/faults", b"[1]", 400, "The body must be a JSON object, got [1]"),
        ("POST", f"{BASE}/clock", {"seconds": -1}, 400, "a clock advances by at least 0 seconds, not -1"),
        ("POST", f"{BASE}/clock", {"seconds": "a"}, 400, "a clock advances by at least 0 seconds, not 'a'"),
        ("POST", f"{BASE}/clock", {"seconds": 10**10 + 1}, 400, "a clock advances by at least 0 seconds and at most 10000000000"),
        ("POST", f"{BASE}/models", {"ModelName": "_"}, 400, "Value '_' at 'modelName' failed to satisfy constraint"),
        ("GET", f"{BASE}/calls?after=x", None, 400, "after must be a whole number, got 'x'"),
        ("GET", f"{BASE}/calls?bogus=1", None, 400, "'bogus' is not a keyword of calls; there are: after, count"),
        ("GET", f"{BASE}/calls?after=1&after=2", None, 400, "'after' occurs twice"),
        ("POST", f"{BASE}/clock", b'{"seconds": 1, "seconds": 2}', 400, "'seconds' occurs twice"),
        (
            "POST",
            f"{BASE}/faults",
            {"operation": "CreateModel", "code": "503", "optional": "no"},
            400,
            "optional='no' is not True or False",
        ),
        ("POST", f"{BASE}/denials", {"action": "iam:PassRole", "resource": ""}, 400, "resource='' is not an ARN"),
        ("PUT", "/_smfake/worlds/x", {"keys": {"A": {"secret": 5}}}, 400, "keys: secret of 'A' must be a non-empty ASCII string, got 5"),
        (
            "PUT",
            "/_smfake/worlds/x",
            {"keys": {"A": {"secret": "s", "expires": []}}},
            400,
            "keys: expires of 'A' must be a number of seconds since the epoch, got []",
        ),
        (
            "PUT",
            "/_smfake/worlds/x",
            {"rules": {"CreateModel/ModelName:pattern": "a{99999999999}"}},
            400,
            "is not a Java regular expression",
        ),
        ("PUT", "/_smfake/worlds/x", {"rules": {"CreateModel/ModelName:pattern": "a" * 3000}}, 400, "has more than 2000 characters"),
        ("GET", f"{BASE}/nothing", None, 404, "There is no GET /nothing of a world"),
        ("DELETE", f"{BASE}/in-force/99", None, 404, "The world 'default' has no active injection with the id '99'"),
        ("GET", "/_smfake", None, 404, "There is no GET /_smfake in the admin API"),
        ("PUT", "/_smfake/worlds/-x", {}, 400, "begin with a letter or digit, got '-x'"),
        ("PUT", "/_smfake/worlds/x", {"limits": {"model": 1}}, 400, "'model' is not a limit"),
        ("PUT", "/_smfake/worlds/x", {"clock": 1}, 400, "'clock' is not a keyword of a world; there are: region, account"),
        ("GET", "/_smfake/worlds/nope", None, 404, "There is no world 'nope'; there are: default"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(method, path, body, status, text, ask, server):
    found, answer = ask(method, path, body)
    assert found == status
    assert text in answer["error"]
    assert list(server.worlds) == ["default"]
