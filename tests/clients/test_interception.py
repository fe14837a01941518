"""Ordinary boto3 code is answered, untouched; nothing else leaves the process; afterwards all is as before."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import botocore.endpoint
import botocore.waiter
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from botocore.retries.bucket import TokenBucket
from botocore.retries.quota import RetryQuota
from botocore.session import Session
from botocore.signers import RequestSigner

from pytest_smfake import FakeSageMaker, NetworkBlockedError

AT_IMPORT_TIME = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")

PATCHED = [
    (URLLib3Session, "send"),
    (RequestSigner, "sign"),
    (RequestSigner, "get_auth_instance"),
    (Session, "get_credentials"),
    (TokenBucket, "acquire"),
    (RetryQuota, "acquire"),
    (botocore.endpoint, "time"),
    (botocore.waiter, "time"),
]


def state() -> list[object]:
    return [vars(owner)[name] for owner, name in PATCHED]


def test_a_client_made_at_import_time(smfake):
    AT_IMPORT_TIME.create_model(**smfake.request(ModelName="churn"))
    assert "churn" in smfake.models


def test_the_default_session_and_a_resource_of_ones_own(smfake, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.client("sagemaker").create_model(**smfake.request(ModelName="churn"))
    boto3.Session().client("sagemaker").describe_model(ModelName="churn")
    assert smfake.calls.operations == ["CreateModel", "DescribeModel"]


ENDPOINTS = {
    "fips": ({"config": Config(use_fips_endpoint=True)}, "api-fips.sagemaker.us-east-1.amazonaws.com"),
    "dual-stack": ({"config": Config(use_dualstack_endpoint=True)}, "api.sagemaker.us-east-1.api.aws"),
    "vpc": (
        {"endpoint_url": "https://vpce-0a1b-2c3d.api.sagemaker.us-east-1.vpce.amazonaws.com"},
        "vpce-0a1b-2c3d.api.sagemaker.us-east-1.vpce.amazonaws.com",
    ),
    "custom": ({"endpoint_url": "http://models.internal:8080"}, "models.internal"),
    "loopback": ({"endpoint_url": "http://127.0.0.1:9"}, "127.0.0.1"),
    "unsigned": ({"config": Config(signature_version=UNSIGNED)}, "api.sagemaker.us-east-1.amazonaws.com"),
    "unknown-region": ({"region_name": "mars-west-1"}, "api.sagemaker.mars-west-1.amazonaws.com"),
    "china": ({"region_name": "cn-north-1"}, "api.sagemaker.cn-north-1.amazonaws.com.cn"),
}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_form_of_endpoint(name, smfake):
    arguments, _ = ENDPOINTS[name]
    arguments = {"region_name": "us-east-1"} | arguments
    client = boto3.client("sagemaker", **arguments)
    arn = client.create_model(**smfake.request(ModelName="churn", PrimaryContainer={"Image": "model:1"}))["ModelArn"]
    assert arn.split(":")[3] == arguments["region_name"]


def test_unsigned_requests_take_the_region_of_the_endpoint(smfake):
    client = boto3.client("sagemaker", region_name="eu-west-1", config=Config(signature_version=UNSIGNED))
    assert ":eu-west-1:" in client.create_model(**smfake.request(PrimaryContainer={"Image": "model:1"}))["ModelArn"]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER"])
def test_endpoint_variables(variable, smfake, monkeypatch):
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    smfake.client().create_model(**smfake.request(ModelName="churn"))
    boto3.client("sagemaker", region_name="us-east-1").describe_model(ModelName="churn")


def test_event_hooks_see_the_call(smfake):
    client = boto3.client("sagemaker", region_name="us-east-1")
    seen = []
    client.meta.events.register("after-call.sagemaker.CreateModel", lambda parsed, **_: seen.append(parsed["ModelArn"]))
    client.create_model(**smfake.request())
    assert seen == [smfake.models["model"].arn]


def test_error_classes_are_those_of_botocore(smfake, smfake_client):
    with pytest.raises(ClientError) as caught:
        smfake_client.describe_model(ModelName="nope")
    metadata = caught.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 400
    assert metadata["RetryAttempts"] == 0
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
    assert metadata["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.1"
    assert metadata["HTTPHeaders"]["x-amzn-errortype"] == "ValidationException"


def test_other_operations_are_validated_and_then_not_implemented(smfake, smfake_client):
    lax = smfake.client(config=Config(parameter_validation=False))
    with pytest.raises(ClientError, match=r"Value '_' at 'projectName' failed to satisfy constraint"):
        lax.create_project(ProjectName="_")
    with pytest.raises(ClientError) as caught:
        smfake_client.list_projects()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert "ListProjects is not implemented by pytest-smfake" in str(caught.value)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0


class TestGuard:
    def test_another_service_is_refused(self, smfake):
        with pytest.raises(NetworkBlockedError) as caught:
            boto3.client("s3", region_name="us-east-1").list_buckets()
        text = str(caught.value)
        assert text.startswith("S3 ListBuckets to s3.amazonaws.com was not sent")
        assert "allow=['s3.amazonaws.com']" in text

    def test_the_feature_store_is_another_service(self, smfake):
        with pytest.raises(NetworkBlockedError, match="SageMaker FeatureStore Runtime GetRecord to featurestore-runtime.sagemaker"):
            smfake.client("sagemaker-featurestore-runtime").get_record(FeatureGroupName="x", RecordIdentifierValueAsString="y")

    @pytest.mark.smfake(allow=["localhost:1"])
    def test_loopback_and_allowed_hosts_are_sent(self, smfake, loopback):
        url, seen = loopback
        config = Config(retries={"total_max_attempts": 1})
        boto3.client("sts", region_name="us-east-1", endpoint_url=url, config=config).get_caller_identity()
        assert len(seen) == 1
        assert "AKIA" in seen[0]

    def test_an_allowed_host_gets_sagemaker_calls_too(self, loopback):
        url, seen = loopback
        with FakeSageMaker(allow=[url.removeprefix("http://")]) as fake:
            client = boto3.client("sagemaker", region_name="us-east-1", endpoint_url=url)
            client.list_models()
            assert len(fake.calls) == 0
        assert len(seen) == 1

    def test_patterns(self):
        with FakeSageMaker(allow=["*.example.invalid"]):
            client = boto3.client(
                "sts", region_name="us-east-1", endpoint_url="https://sts.example.invalid", config=Config(retries={"total_max_attempts": 1})
            )
            with pytest.raises(botocore.exceptions.EndpointConnectionError):
                client.get_caller_identity()


STS_ANSWER = b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"


@pytest.fixture
def loopback():
    """An HTTP server on loopback that answers everything with nothing; yields its URL and the credentials it saw."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            answer = b"{}" if "sagemaker" in self.headers["Authorization"] else STS_ANSWER
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


class TestLifetime:
    def test_everything_is_as_before(self):
        before = state()
        with FakeSageMaker():
            assert all(now is not then for now, then in zip(state(), before, strict=True))
        assert state() == before

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
    def test_also_after_an_exception(self, error):
        before = state()
        with pytest.raises(error), FakeSageMaker():
            raise error
        assert state() == before

    def test_the_inner_fake_answers(self):
        before = state()
        with FakeSageMaker() as outer:
            with FakeSageMaker(account="111122223333") as inner:
                AT_IMPORT_TIME.create_model(**inner.request(ModelName="churn"))
                assert "churn" in inner.models
            assert len(outer.models) == 0
            AT_IMPORT_TIME.create_model(**outer.request(ModelName="churn"))
            assert "churn" in outer.models
        assert state() == before

    def test_a_second_fake_in_another_thread_is_an_error(self, smfake):
        caught = []

        def enter():
            try:
                with FakeSageMaker():
                    pass
            except RuntimeError as error:
                caught.append(str(error))

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        assert len(caught) == 1
        assert "is active in another thread" in caught[0]

    def test_the_same_fake_twice_is_an_error(self, smfake):
        with pytest.raises(RuntimeError, match="is active already"), smfake:
            pass
        smfake.client().create_model(**smfake.request())

    def test_a_client_of_an_earlier_fake_reaches_the_current_one(self):
        with FakeSageMaker() as first:
            client = first.client()
        with FakeSageMaker() as second:
            client.create_model(**second.request(ModelName="churn"))
            assert "churn" in second.models
        assert len(first.models) == 0

    def test_a_decorated_function_has_a_world_of_its_own_at_each_call(self):
        @FakeSageMaker()
        def create():
            return AT_IMPORT_TIME.create_model(**FakeSageMaker().request())["ModelArn"]

        assert create() == create()

    def test_a_kept_client_is_lent_without_the_hooks_of_another_test(self):
        calls = []
        with FakeSageMaker() as first:
            kept = first.client()
            assert first.client() is kept
        with FakeSageMaker() as second:
            assert second.client() is kept
            kept.meta.events.register("before-call.sagemaker", lambda **_: calls.append(1))
            kept.list_models()
        with FakeSageMaker() as third:
            assert third.client() is not kept
            third.client().list_models()
        assert calls == [1]

    def test_a_client_of_its_own(self, smfake):
        assert smfake.client(verify=[]) is not smfake.client(verify=[])


class TestCalls:
    def test_the_log(self, smfake, smfake_client):
        request = smfake.request(ModelName="churn")
        smfake_client.create_model(**request)
        with pytest.raises(ClientError):
            smfake_client.create_model(**request)
        first, second = smfake.calls
        assert (first.operation, first.region, first.account) == ("CreateModel", "us-east-1", "123456789012")
        assert first.parameters == request
        assert first.response == {"ModelArn": smfake.models["churn"].arn}
        assert first.error is None
        assert first.attempts == 1
        assert second.response is None
        assert second.error.code == "ValidationException"
        assert second.error.violations[0].rule.id == "CreateModel/ModelName:not-taken"
        assert second.time >= first.time
        assert smfake.calls[0:1] == [first]
        assert len(smfake.calls) == 2

    def test_reprs_help(self, smfake, smfake_client):
        smfake_client.create_model(**smfake.request(ModelName="churn"))
        with pytest.raises(ClientError):
            smfake_client.describe_model(ModelName="nope")
        text = repr(smfake.calls)
        assert "<Call CreateModel" in text
        assert "'ModelName': 'churn'" in text
        assert "<Call DescribeModel {'ModelName': 'nope'} in us-east-1 -> ValidationException: Could not find model" in text
        assert "churn" in repr(smfake.models)
        assert "churn" in repr(smfake.models["churn"])
        assert repr(smfake) == "<FakeSageMaker 123456789012 us-east-1, edition page>"
        assert "none" in repr(smfake.at(region="eu-west-1"))
        assert "advanced by 0 s" in repr(smfake.clock)

    def test_reset(self, smfake, smfake_client):
        smfake_client.create_model(**smfake.request(ModelName="churn"))
        smfake.reset()
        assert len(smfake.calls) == 0
        assert len(smfake.models) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"region": "nowhere"}, "'nowhere' is not the name of a region; one looks like us-east-1"),
        ({"account": "1"}, "'1' is not an account id, which is a string of 12 digits"),
        ({"account": 123456789012}, "123456789012 is not an account id"),
        ({"edition": "new"}, "'new' is not an edition; there are: page, sdk"),
        ({"rules": {"CreateModel/ModelNam:max": 1}}, "near it: CreateModel/ModelName:max"),
        ({"limits": {"model": 1}}, r"'model' is not a limit; did you mean 'models'\?; there are: models"),
        ({"allow": "host"}, "allow='host' is not a list of hosts"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        FakeSageMaker(**arguments)
