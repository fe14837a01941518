"""The SageMaker Python SDK, version 2: its `Model` creates, deploys, predicts and deletes, in process and over the endpoint."""

from __future__ import annotations

import threading
from importlib.util import find_spec

import boto3
import pytest
from botocore.config import Config

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDK's own: pydantic, urllib3, numpy


@pytest.fixture
def sdk(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # where it looks for settings, and logs
    if find_spec("sagemaker") is None:
        pytest.skip("the SageMaker Python SDK is not installed")
    import sagemaker

    version = getattr(sagemaker, "__version__", "3")  # version 3 has none
    if not version.startswith("2."):
        pytest.skip(f"the SageMaker Python SDK is {version}; this is about the Model of version 2")
    return sagemaker


@pytest.fixture(params=["in process", "over the server"])
def fake_and_session(request, sdk):
    """The fake, and a session of the SDK whose clients reach it."""
    if request.param == "in process":
        fake, address = request.getfixturevalue("smfake"), {}
    else:
        served = request.getfixturevalue("smfake_server")
        fake, address = served.fake, {"endpoint_url": served.url}
    session = boto3.Session(region_name="us-east-1")
    config = Config(retries={"mode": "standard", "total_max_attempts": 3})
    clients = {
        "sagemaker_client": session.client("sagemaker", config=config, **address),
        "sagemaker_runtime_client": session.client("sagemaker-runtime", config=config, **address),
    }
    return fake, sdk.Session(boto_session=session, default_bucket="bucket", **clients)


def model(sdk, session, fake, name: str):
    return sdk.model.Model(
        image_uri=fake.image,
        model_data=fake.model_data_url,
        role=fake.role_arn,
        name=name,
        env={"A": "1"},
        predictor_cls=sdk.predictor.Predictor,
        sagemaker_session=session,
    )


def test_create_tag_describe_and_delete(sdk, fake_and_session):
    fake, session = fake_and_session
    made = model(sdk, session, fake, "churn")
    made.create(tags=[{"Key": "team", "Value": "a"}])
    assert fake.models["churn"]["PrimaryContainer"]["Environment"] == {"A": "1"}
    assert fake.models["churn"].tags == {"team": "a"}
    assert session.describe_model("churn")["PrimaryContainer"]["Image"] == fake.image
    for name in ("b", "c"):
        model(sdk, session, fake, name).create()
    assert [entry["ModelName"] for entry in session.sagemaker_client.list_models(MaxResults=2)["Models"]] == ["c", "b"]
    made.delete_model()
    assert sorted(fake.models) == ["b", "c"]
    # It takes the answer that a model is there already for success.
    model(sdk, session, fake, "b").create()
    assert fake.calls[-1].error.text.startswith("Cannot create already existing model")


def test_deploy_and_predict(sdk, fake_and_session):
    fake, session = fake_and_session
    fake.stand_in("churn", lambda body, *_: body.upper())
    predictor = model(sdk, session, fake, "churn").deploy(
        initial_instance_count=1, instance_type="ml.m5.xlarge", endpoint_name="churn", wait=False
    )
    assert fake.endpoints["churn"].status == "InService"
    assert predictor.predict(b"abc") == b"ABC"
    predictor.delete_endpoint()
    assert "churn" not in fake.endpoints


@pytest.fixture
def no_real_sleep(monkeypatch):
    """Let a sleep in real time fail; those of threads, such as the SDK's own, pass."""

    def sleep(seconds):
        if threading.current_thread() is threading.main_thread():
            raise AssertionError(f"slept {seconds} s in real time")

    monkeypatch.setattr("time.sleep", sleep)


def in_process(sdk, fake):
    session = boto3.Session(region_name="us-east-1")
    return sdk.Session(boto_session=session, sagemaker_client=fake.client(), default_bucket="bucket")


def test_a_deployment_waits_on_the_fake_s_clock(sdk, smfake, no_real_sleep, capsys):
    session = in_process(sdk, smfake)
    smfake.endpoints.take(seconds=600)
    before = smfake.clock.now()
    model(sdk, session, smfake, "churn").deploy(initial_instance_count=1, instance_type="ml.m5.xlarge", endpoint_name="churn", wait=True)
    assert smfake.endpoints["churn"].status == "InService"
    assert 600 <= smfake.clock.now() - before < 700
    assert [call.operation for call in smfake.calls].count("DescribeEndpoint") > 10


def test_a_deployment_that_fails(sdk, smfake, no_real_sleep):
    smfake.endpoints.take(seconds=600)
    smfake.endpoints.fail("churn", reason="no capacity")
    with pytest.raises(sdk.exceptions.UnexpectedStatusException, match="no capacity"):
        model(sdk, in_process(sdk, smfake), smfake, "churn").deploy(
            initial_instance_count=1, instance_type="ml.m5.xlarge", endpoint_name="churn", wait=True
        )


@pytest.mark.parametrize("logs", [False, True])
def test_a_transform_job_waits_on_the_fake_s_clock(sdk, smfake_moto, no_real_sleep, logs):
    session = in_process(sdk, smfake_moto)
    smfake_moto.add_model(ModelName="churn")
    smfake_moto.stand_in("churn", lambda body, *_: body.upper())
    s3 = smfake_moto.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="in/a", Body=b"abc")
    smfake_moto.transform_jobs.take(seconds=900)
    transformer = sdk.transformer.Transformer("churn", 1, "ml.m5.xlarge", output_path="s3://bucket/out", sagemaker_session=session)
    before = smfake_moto.clock.now()
    transformer.transform("s3://bucket/in", job_name="job", wait=True, logs=logs)
    assert smfake_moto.transform_jobs["job"].status == "Completed"
    assert smfake_moto.clock.now() - before >= 900
    assert s3.get_object(Bucket="bucket", Key="out/in/a.out")["Body"].read() == b"ABC"


def test_errors_and_a_throttle(sdk, fake_and_session):
    fake, session = fake_and_session
    error = session.sagemaker_client.exceptions.ClientError
    with pytest.raises(error, match="Value 'not_a_name' at 'modelName' failed to satisfy constraint"):
        model(sdk, session, fake, "not_a_name").create()
    with fake.limit("models", 0), pytest.raises(error, match="ResourceLimitExceeded"):
        model(sdk, session, fake, "churn").create()
    throttle = fake.fail("CreateModel", "ThrottlingException", attempts=2)
    model(sdk, session, fake, "churn").create()
    assert throttle.hits == 1
    assert list(fake.models) == ["churn"]
