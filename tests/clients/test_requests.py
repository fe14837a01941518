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
requests_mock = pytest.importorskip("requests_mock", reason="requests-mock is not installed")

URL = "https://api.sagemaker.eu-west-1.amazonaws.com/"
NEWER = hasattr(requests.adapters.HTTPAdapter, "get_connection_with_tls_context")  # since requests 2.32.2
METHODS = [
    (requests.adapters.HTTPAdapter, "get_connection_with_tls_context" if NEWER else "get_connection"),
    (responses.RequestsMock, "_find_match"),
    (requests_mock.Adapter, "send"),
]


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
    assert post("ListNotebookInstances", {}).json()["NotebookInstances"] == []
    assert smfake_moto.calls[-1].passed_on


def test_other_requests_and_allowed_hosts_go_on():
    with FakeSageMaker(allow=["127.0.0.1:9"]) as fake:
        with pytest.raises(requests.ConnectionError):
            create(fake, "a", url="http://127.0.0.1:9/")
        with pytest.raises(requests.ConnectionError):
            requests.get("http://127.0.0.1:9/", timeout=5)
        assert len(fake.calls) == 0


# A mock M and a fake F: a capital begins one, a small letter ends it.
@pytest.mark.parametrize(("order", "calls"), [("MFfm", 1), ("FMmf", 3), ("MFmf", 2), ("FMfm", 2)])
@pytest.mark.parametrize("real_http", [False, True])
@pytest.mark.parametrize("kept", [False, True])
def test_requests_mock_in_every_order(order, calls, real_http, kept):
    fake, mock = FakeSageMaker(), requests_mock.Mocker(real_http=real_http)
    mock.get("https://example.com/", text="mine")
    mock.post(URL.replace("eu-west-1", "us-east-1"), json={"ModelArn": "from the mock"})
    session = requests.Session() if kept else requests  # requests-mock leaves an attribute on each session that it has seen
    steps = {"M": mock.start, "m": mock.stop, "F": fake.__enter__, "f": fake.__exit__}
    before = [vars(owner)[name] for owner, name in METHODS]
    made = []
    for number, step in enumerate(order):
        steps[step]()
        begun = set(order[: number + 1])
        if "M" in begun and "m" not in begun:
            assert session.get("https://example.com/", timeout=5).text == "mine"
            if "F" in begun and "f" not in begun:
                registered = post("CreateModel", {}, url=URL.replace("eu-west-1", "us-east-1"), session=session)
                assert registered.json() == {"ModelArn": "from the mock"}
        if "F" in begun and "f" not in begun:
            made.append(f"model-{number}")
            assert create(fake, made[-1], session=session).status_code == 200
    assert list(fake.at(region="eu-west-1").models) == made
    assert len(made) == calls
    assert [vars(owner)[name] for owner, name in METHODS] == before


def test_the_fixture_of_requests_mock(pytester):
    pytester.makepyfile("""
        import pytest
        import requests
        from requests_mock import NoMockAddress

        def create(fake):
            headers = {"X-Amz-Target": "SageMaker.CreateModel"}
            return requests.post("https://api.sagemaker.us-east-1.amazonaws.com/", json=fake.request(ModelName="a"), headers=headers)

        def test_inside(smfake, requests_mock):
            assert create(smfake).json()["ModelArn"].endswith("model/a")
            assert requests_mock.call_count == 1

        def test_outside(requests_mock, smfake):
            assert create(smfake).status_code == 200

        def test_not_the_fakes(requests_mock, smfake):
            with pytest.raises(NoMockAddress, match="No mock address: GET https://s3.amazonaws.com/"):
                requests.get("https://s3.amazonaws.com/")
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=3)


def test_an_adapter_that_a_test_mounted(smfake):
    adapter = requests_mock.Adapter()
    adapter.register_uri("POST", URL, json={"ModelArn": "from the adapter"}, additional_matcher=lambda request: "mine" in request.text)
    with requests.Session() as session:
        session.mount("https://", adapter)
        assert create(smfake, "mine", session=session).json() == {"ModelArn": "from the adapter"}
        assert create(smfake, "a", session=session).status_code == 200
    assert list(smfake.at(region="eu-west-1").models) == ["a"]


def test_nested_mocks_of_requests_mock(smfake):
    """The innermost is asked; what it does not know is the fake's, as the docs say."""
    with requests_mock.Mocker() as outer, requests_mock.Mocker(real_http=True):
        outer.post(URL, json={"ModelArn": "from the outer mock"})
        assert create(smfake, "a").json()["ModelArn"].endswith("model/a")


def test_a_session_that_a_mock_has_seen_before():
    with requests.Session() as session:
        with requests_mock.Mocker() as mock:
            mock.get("https://example.com/", text="mine")
            assert session.get("https://example.com/", timeout=5).text == "mine"
        with FakeSageMaker() as fake:
            assert create(fake, "a", session=session).status_code == 200


def test_timeouts_of_urllib3(smfake):
    from urllib3 import Timeout

    smfake.fail("CreateModel", "read-timeout")
    before = smfake.clock.now()
    with pytest.raises(requests.ReadTimeout):
        create(smfake, "a", timeout=Timeout(connect=1, read=7))
    assert smfake.clock.now() - before >= 7


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
            headers, data = signed("CreateModel", smfake_server.fake.request(ModelName=name, PrimaryContainer={"Image": "model:1"}), url)
            answer = client.post(url, content=data, headers=headers)
            assert answer.status_code == status
    assert create(smfake_server.fake, "b", url=url).status_code == 200  # requests reaches the server, too
    assert list(smfake_server.fake.at(region="eu-west-1").models) == ["a", "b"]
