"""Code that posts signed JSON with `requests`, without an SDK; with httpx through the server."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from pytest_smfake import FakeSageMaker

requests = pytest.importorskip("requests", reason="requests is not installed")
responses = pytest.importorskip("responses", reason="responses is not installed")

URL = "https://api.sagemaker.eu-west-1.amazonaws.com/"
METHODS = [(requests.Session, "send"), (requests.Session, "get_adapter"), (responses.RequestsMock, "_find_match")]


def signed(operation: str, body: dict, url: str = URL) -> tuple[dict[str, str], bytes]:
    """Return headers and body as code of a user's own would sign them."""
    data = json.dumps(body).encode()
    request = AWSRequest("POST", url, {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}, data)
    SigV4Auth(Credentials("AKIAEXAMPLE", "s3cr3t"), "sagemaker", "eu-west-1").add_auth(request)
    return dict(request.headers.items()), data


def post(operation: str, body: dict, *, session=requests, url: str = URL, **arguments):
    headers, data = signed(operation, body, url)
    return session.post(url, data=data, headers=headers, **{"timeout": 5} | arguments)


def create(fake: FakeSageMaker, name: str, **arguments):
    return post("CreateModel", fake.at(region="eu-west-1").request(ModelName=name), **arguments)


def test_a_call_and_an_error():
    with FakeSageMaker(auth="strict", keys={"AKIAEXAMPLE": "s3cr3t"}) as fake:
        answer = create(fake, "a")
        assert (answer.status_code, answer.json()["ModelArn"]) == (200, "arn:aws:sagemaker:eu-west-1:123456789012:model/a")
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
        assert answer.elapsed is not None
        with requests.Session() as session:
            seen = []
            session.hooks["response"].append(lambda response, **_: seen.append(response.status_code))
            refused = create(fake, "a_b", session=session)
        assert (refused.status_code, refused.json()["__type"], seen) == (400, "ValidationException", [400])
        with pytest.raises(requests.HTTPError):
            refused.raise_for_status()
        assert fake.calls.operations == ["CreateModel"] * 2
        assert list(fake.at(region="eu-west-1").models) == ["a"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("connection-reset", "ConnectionError"),
        ("connection-refused", "ConnectionError"),
        ("connect-timeout", "ConnectTimeout"),
        ("read-timeout", "ReadTimeout"),
        ("truncated-body", "ChunkedEncodingError"),
    ],
)
@pytest.mark.parametrize("mocked", [False, True])
def test_broken_connections(kind, error, mocked, smfake):
    fault = smfake.fail("CreateModel", kind)
    before = smfake.clock.now()
    with responses.RequestsMock() if mocked else nullcontext(), pytest.raises(requests.RequestException) as caught:
        create(smfake, "a", timeout=(7, 7))
    assert type(caught.value).__name__ == error
    assert fault.hits == 1
    assert ("timeout" in kind) is (smfake.clock.now() - before >= 7)


def test_mocks_of_the_user_keep_working(smfake):
    with responses.RequestsMock() as mock:
        mock.get("https://example.com/", body="mine")
        assert requests.get("https://example.com/", timeout=5).text == "mine"
        assert create(smfake, "a").status_code == 200
        with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
            requests.get("https://example.com/other", timeout=5)
        with responses.RequestsMock() as inner:
            inner.post(URL, json={"ModelArn": "from the inner mock"})
            assert create(smfake, "b").json() == {"ModelArn": "from the inner mock"}
        assert create(smfake, "c").status_code == 200
    assert create(smfake, "d").status_code == 200
    assert list(smfake.at(region="eu-west-1").models) == ["a", "c", "d"]


def test_a_mock_that_began_before_and_ends_within():
    mock = responses.RequestsMock(assert_all_requests_are_fired=False)
    mock.start()
    fake = FakeSageMaker()
    fake.__enter__()
    try:
        assert create(fake, "a").status_code == 200
        mock.stop()
        assert create(fake, "b").status_code == 200
    finally:
        fake.__exit__()
    assert requests.adapters.HTTPAdapter.send.__module__ == "requests.adapters"


def test_inside_moto_the_fake_answers_first(smfake_moto):
    from moto.sagemaker.models import sagemaker_backends

    assert create(smfake_moto, "a").status_code == 200
    assert list(smfake_moto.at(region="eu-west-1").models) == ["a"]
    assert all(backend._models == {} for account in sagemaker_backends.values() for backend in account.values())
    assert requests.get("https://s3.amazonaws.com/", timeout=5).status_code == 200  # moto's
    assert post("ListNotebookInstances", {}).json() == {"NotebookInstances": []}
    assert smfake_moto.calls[-1].passed_on


def test_other_requests_and_allowed_hosts_go_on():
    with FakeSageMaker(allow=["127.0.0.1:9"]) as fake:
        with pytest.raises(requests.ConnectionError):
            create(fake, "a", url="http://127.0.0.1:9/")
        with pytest.raises(requests.ConnectionError):
            requests.get("http://127.0.0.1:9/", timeout=5)
        assert len(fake.calls) == 0


def test_requests_is_as_before():
    before = [vars(owner)[name] for owner, name in METHODS]
    with FakeSageMaker() as fake:
        create(fake, "a")
        assert not any(vars(owner)[name] is original for (owner, name), original in zip(METHODS, before, strict=True))
    assert [vars(owner)[name] for owner, name in METHODS] == before


def test_httpx_through_the_server(smfake_server):
    httpx = pytest.importorskip("httpx", reason="httpx is not installed")
    url = f"{smfake_server.url}/"
    with httpx.Client() as client:
        for name, status in (("a", 200), ("a", 400)):
            headers, data = signed("CreateModel", smfake_server.fake.request(ModelName=name), url)
            answer = client.post(url, content=data, headers=headers)
            assert answer.status_code == status
    assert create(smfake_server.fake, "b", url=url).status_code == 200  # requests reaches the server, too
    assert list(smfake_server.fake.at(region="eu-west-1").models) == ["a", "b"]
