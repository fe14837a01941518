"""Transform jobs, with moto's S3 beside the fake."""

from __future__ import annotations

import warnings

import boto3
import pytest
from botocore.exceptions import WaiterError
from moto import mock_aws

from pytest_smfake import FakeSageMaker, NothingRanWarning, validate

from .conftest import error_of

ARN = "arn:aws:sagemaker:us-east-1:123456789012:transform-job/job"
OBJECTS = {"in/a.csv": b"1\n2\n", "in/deep/b.csv": b"3\n", "in/": b"", "index.csv": b"4\n"}


def request(name="job", uri="s3://bucket/in/", **members):
    data_type = members.pop("S3DataType", "S3Prefix")
    source = {"DataSource": {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri}}, "ContentType": "text/csv", "SplitType": "Line"}
    return {
        "TransformJobName": name,
        "ModelName": "churn",
        "TransformInput": source | members.pop("source", {}),
        "TransformOutput": {"S3OutputPath": "s3://bucket/out/", "AssembleWith": "Line", "Accept": "text/csv"},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    } | members


@pytest.fixture
def s3(smfake_moto):
    client = smfake_moto.client("s3")
    client.create_bucket(Bucket="bucket")
    for key, body in OBJECTS.items():
        client.put_object(Bucket="bucket", Key=key, Body=body)
    smfake_moto.add_model(ModelName="churn")
    return client


@pytest.fixture
def client(s3, smfake):
    smfake.stand_in("churn", lambda body, *_: b"\n".join(b"<%s>" % line for line in body.split(b"\n")))
    return smfake.client()


def outputs(s3):
    found = s3.list_objects_v2(Bucket="bucket", Prefix="out/").get("Contents", [])
    return {entry["Key"]: s3.get_object(Bucket="bucket", Key=entry["Key"])["Body"].read() for entry in found}


def test_a_job_transforms_every_object(smfake, s3, client):
    tags = [{"Key": "team", "Value": "ml"}]
    assert client.create_transform_job(**request(), Tags=tags)["TransformJobArn"] == ARN
    described = client.describe_transform_job(TransformJobName="job")
    assert described["TransformJobStatus"] == "Completed"
    assert described["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert described["TransformInput"]["CompressionType"] == "None"
    assert described["TransformEndTime"] >= described["TransformStartTime"]
    assert "Tags" not in described
    assert "FailureReason" not in described
    assert validate("DescribeTransformJob.response", smfake.calls[-1].response) == []
    assert outputs(s3) == {"out/a.csv.out": b"<1>\n<2>\n", "out/deep/b.csv.out": b"<3>\n"}
    job = smfake.transform_jobs["job"]
    assert job.written == ["s3://bucket/out/a.csv.out", "s3://bucket/out/deep/b.csv.out"]
    assert (job.note, job.tags) == (None, {"team": "ml"})
    assert client.list_tags(ResourceArn=ARN)["Tags"] == tags


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/in/a.csv", {"out/a.csv.out"}),
        ("s3://bucket/in", {"out/in/a.csv.out", "out/in/deep/b.csv.out", "out/index.csv.out"}),
        ("s3://bucket/in/deep", {"out/deep/b.csv.out"}),
    ],
)
def test_outputs_are_named_after_what_follows_the_prefix(s3, client, uri, expected):
    client.create_transform_job(**request(uri=uri))
    assert set(outputs(s3)) == expected


def test_a_manifest(s3, client):
    s3.put_object(Bucket="bucket", Key="m", Body=b'[{"prefix": "s3://bucket/"}, "index.csv", "in/deep/b.csv"]')
    client.create_transform_job(**request(uri="s3://bucket/m", S3DataType="ManifestFile"))
    assert set(outputs(s3)) == {"out/index.csv.out", "out/in/deep/b.csv.out"}


@pytest.mark.parametrize("manifest", [b"{", b"[]", b'["a"]', b'[{"prefix": 1}]', b"1"])
def test_what_is_no_manifest(smfake, s3, client, manifest):
    s3.put_object(Bucket="bucket", Key="m", Body=manifest)
    client.create_transform_job(**request(uri="s3://bucket/m", S3DataType="ManifestFile"))
    described = client.describe_transform_job(TransformJobName="job")
    if manifest == b'[{"prefix": 1}]':  # no keys: nothing to do
        assert described["TransformJobStatus"] == "Completed"
        return
    assert (described["TransformJobStatus"], described["FailureReason"]) == ("Failed", "ClientError: See job logs for more information")
    assert "s3://bucket/m is not a manifest, which looks like [" in smfake.transform_jobs["job"].note


def test_a_manifest_that_names_what_is_not_there(smfake, s3, client):
    s3.put_object(Bucket="bucket", Key="m", Body=b'[{"prefix": "s3://bucket/"}, "nope"]')
    client.create_transform_job(**request(uri="s3://bucket/m", S3DataType="ManifestFile"))
    assert "NoSuchKey" in client.describe_transform_job(TransformJobName="job")["FailureReason"]


def test_what_the_container_is_told(smfake, s3, client):
    smfake.add_model(ModelName="told", PrimaryContainer={"Image": smfake.image, "Environment": {"A": "model", "B": "model"}})
    seen = []

    def predict(body, content_type, accept, context):
        seen.append((content_type, accept, context))
        return b""

    smfake.stand_in("told", predict)
    job = request(uri="s3://bucket/index", ModelName="told", Environment={"B": "job"}, BatchStrategy="SingleRecord", MaxPayloadInMB=2)
    client.create_transform_job(**job)
    ((content_type, accept, context),) = seen
    assert (content_type, accept, context.transform_job, context.endpoint) == ("text/csv", "text/csv", "job", None)
    assert context.environment == {
        "A": "model",
        "B": "job",
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "1",
    }


def test_data_processing(s3, client):
    s3.put_object(Bucket="bucket", Key="in/deep/b.csv", Body=b"7,3\n8,4\n")
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    client.create_transform_job(**request(uri="s3://bucket/in/deep/", DataProcessing=processing))
    assert outputs(s3) == {"out/b.csv.out": b"7,<3>\n8,<4>\n"}


class TestStatuses:
    def test_a_job_runs_when_its_time_has_come(self, smfake, s3, client):
        smfake.transform_jobs.take(seconds=600)
        client.create_transform_job(**request())
        assert client.describe_transform_job(TransformJobName="job")["TransformJobStatus"] == "InProgress"
        assert outputs(s3) == {}
        client.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="job")
        described = client.describe_transform_job(TransformJobName="job")
        assert described["TransformJobStatus"] == "Completed"
        assert (described["TransformEndTime"] - described["CreationTime"]).total_seconds() == pytest.approx(600, abs=1)
        assert len(outputs(s3)) == 2

    def test_a_stopped_job_stores_nothing(self, smfake, s3, client):
        smfake.transform_jobs.take(seconds=600)
        client.create_transform_job(**request())
        client.stop_transform_job(TransformJobName="job")
        assert client.describe_transform_job(TransformJobName="job")["TransformJobStatus"] == "Stopping"
        client.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="job")
        smfake.clock.advance(600)
        assert smfake.transform_jobs["job"].status == "Stopped"
        assert outputs(s3) == {}

    def test_a_job_that_has_ended_cannot_be_stopped(self, client):
        client.create_transform_job(**request())
        assert error_of(client.stop_transform_job, TransformJobName="job") == (
            "ValidationException: The request was rejected because the transform job is in status Completed"
        )

    def test_unknown_jobs(self, client):
        assert error_of(client.describe_transform_job, TransformJobName="x") == (
            "ValidationException: Could not find requested job with name: x"
        )
        assert error_of(client.stop_transform_job, TransformJobName="x") == (
            "ValidationException: Could not find job to update with name: x"
        )

    def test_lists(self, smfake, client):
        for name in ("b", "a"):
            client.create_transform_job(**request(name))
            smfake.clock.advance(10)
        smfake.transform_jobs.take(seconds=60)
        client.create_transform_job(**request("c"))

        def names(**arguments):
            return "".join(entry["TransformJobName"] for entry in client.list_transform_jobs(**arguments)["TransformJobSummaries"])

        assert names() == "cab"
        assert names(SortBy="Status", SortOrder="Descending") == "cab"
        assert names(StatusEquals="InProgress") == "c"
        assert names(NameContains="b") == "b"
        assert validate("ListTransformJobs.response", smfake.calls[-1].response) == []


class TestFailures:
    def failed(self, client, name="job"):
        described = client.describe_transform_job(TransformJobName=name)
        assert described["TransformJobStatus"] == "Failed"
        return described["FailureReason"]

    def test_a_server_error_of_the_container(self, smfake, s3, client):
        def predict(body, *_):
            if body == b"3":
                raise RuntimeError("no weights")
            return body

        smfake.stand_in("churn", predict)
        client.create_transform_job(**request())
        assert self.failed(client) == "AlgorithmError: See job logs for more information"
        assert smfake.transform_jobs["job"].note == "s3://bucket/in/deep/b.csv: primary answered 500: no weights"
        # What was transformed whole is there, what was not is not (documented).
        assert set(outputs(s3)) == {"out/a.csv.out"}
        with pytest.raises(WaiterError):
            client.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="job")

    def test_a_client_error_of_the_container(self, smfake, client):
        def app(environ, start_response):
            start_response("200 OK" if environ["PATH_INFO"] == "/ping" else "400 Bad Request", [])
            return [b"what is this?"]

        smfake.stand_in("churn", app)
        client.create_transform_job(**request())
        assert self.failed(client) == "ClientError: See job logs for more information"

    def test_a_failing_ping(self, smfake, client):
        smfake.stand_in("churn", lambda *_: b"", ping=lambda: False)
        client.create_transform_job(**request())
        assert self.failed(client) == (
            "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and responds with an "
            "HTTP 200 status code"
        )

    def test_invocations_are_tried_again_if_asked_for(self, smfake, s3, client):
        tries = []

        def predict(body, *_):
            tries.append(body)
            if len(tries) % 3:
                raise RuntimeError("not yet")
            return body

        smfake.stand_in("churn", predict)
        retries = {"InvocationsMaxRetries": 2}
        client.create_transform_job(**request(uri="s3://bucket/index", ModelClientConfig=retries))
        assert smfake.transform_jobs["job"].status == "Completed"
        assert tries == [b"4"] * 3
        client.create_transform_job(**request("second", uri="s3://bucket/index", ModelClientConfig={"InvocationsMaxRetries": 1}))
        assert self.failed(client, "second").startswith("AlgorithmError")

    def test_a_bucket_for_the_output_that_is_not_there(self, s3, client):
        client.create_transform_job(**request(TransformOutput={"S3OutputPath": "s3://nowhere/out"}))
        assert "NoSuchBucket" in self.failed(client)


class TestRejected:
    def test_a_missing_model(self, client):
        assert error_of(client.create_transform_job, **request(ModelName="nope")) == (
            'ValidationException: Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/nope".'
        )

    def test_a_name_is_never_free_again(self, client):
        client.create_transform_job(**request())
        assert error_of(client.create_transform_job, **request()) == (
            f"ResourceInUse: Job name must be unique within an AWS account and region, and a job with this name already exists ({ARN})"
        )

    @pytest.mark.parametrize("uri", ["s3://bucket/nothing/", "s3://nowhere/in/"])
    def test_no_input(self, smfake, client, uri):
        said = error_of(client.create_transform_job, **request(uri=uri))
        assert said == (
            f'ValidationException: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            "exists in the selected region (us-east-1), that objects exist under that S3 prefix, and that the role "
            f'"{smfake.role_arn}" has "s3:ListBucket" permissions on bucket "{uri.split("/")[2]}".'
        )
        assert len(smfake.transform_jobs) == 0

    def test_the_limit_on_instances(self, smfake, client):
        smfake.transform_jobs.take(seconds=60)
        smfake.limit("ml.m5.xlarge for transform job usage", 1)
        client.create_transform_job(**request())
        said = error_of(client.create_transform_job, **request("second"))
        assert said.startswith(
            "ResourceLimitExceeded: The account-level service limit 'ml.m5.xlarge for transform job usage' is 1 Instances, with current "
            "utilization of 1 Instances and a request delta of 1 Instances."
        )
        smfake.clock.advance(60)
        client.create_transform_job(**request("second"))

    def test_a_role_that_cannot_be_assumed(self, smfake, client):
        with smfake.deny("sts:AssumeRole"):
            said = error_of(client.create_transform_job, **request())
        assert said == (
            f"ValidationException: Could not assume role {smfake.role_arn}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        )

    @pytest.mark.parametrize("data_type", ["AugmentedManifestFile"])
    def test_kinds_of_input_that_a_transform_job_does_not_take(self, client, data_type):
        assert error_of(client.create_transform_job, **request(S3DataType=data_type)) == (
            f"ValidationException: S3DataType {data_type} is not supported for a transform job."
        )

    def test_a_filter_that_nobody_can_read(self, client):
        said = error_of(client.create_transform_job, **request(DataProcessing={"OutputFilter": "$..id"}))
        assert said == "ValidationException: OutputFilter: '$..id' is not a JSONPath that batch transform knows, from '..id' on"

    def test_a_batch_strategy_without_a_split(self, smfake, client):
        client.create_transform_job(**request(source={"SplitType": "None"}, BatchStrategy="SingleRecord"))
        assert smfake.transform_jobs["job"].status == "Completed"

    @pytest.mark.parametrize("split", ["RecordIO", "TFRecord"])
    def test_records_that_are_not_split_here(self, smfake, client, s3, split):
        client.create_transform_job(**request(source={"SplitType": split}))
        described = client.describe_transform_job(TransformJobName="job")
        assert (described["TransformJobStatus"], described["FailureReason"]) == ("Failed", "ClientError: See job logs for more information")
        assert smfake.transform_jobs["job"].note == (
            f"pytest-smfake does not split records of SplitType {split}, so nothing was sent to the stand-in; use Line or None"
        )
        assert outputs(s3) == {}

    def test_a_model_with_a_data_source(self, smfake, client):
        source = {"S3DataSource": {"S3Uri": "s3://bucket/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
        container = {"Image": smfake.image, "ContainerHostname": "a"}
        pipeline = [container, container | {"ContainerHostname": "b", "ModelDataSource": source}]
        smfake.add_model(ModelName="large", PrimaryContainer=None, Containers=pipeline)
        assert error_of(client.create_transform_job, **request(ModelName="large")) == (
            "ValidationException: SageMaker Batch currently doesn't support Model entity with container definitions which use "
            "ModelDataSource attribute"
        )


class TestNothingRan:
    def test_without_a_stand_in(self, smfake, s3):
        client = smfake.client()
        with pytest.warns(NothingRanWarning, match=r"'job' completed .* no stand-in plays model 'churn'; add one: fake.stand_in\('churn'"):
            client.create_transform_job(**request())
        job = smfake.transform_jobs["job"]
        assert (job.status, job.written) == ("Completed", [])
        assert job.note == "no stand-in plays model 'churn'; add one: fake.stand_in('churn', predict)"
        assert outputs(s3) == {}

    def test_without_any_s3(self, smfake, smfake_client):
        smfake.add_model(ModelName="churn")
        smfake.stand_in("churn", lambda *_: b"")
        with pytest.warns(NothingRanWarning, match="S3 was not reached: S3 ListObjectsV2 to .* was not sent"):
            smfake_client.create_transform_job(**request())
        assert smfake.transform_jobs["job"].status == "Completed"

    def test_a_stopped_job_says_nothing(self, smfake, smfake_client):
        smfake.add_model(ModelName="churn")
        smfake.transform_jobs.take(seconds=60)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            smfake_client.create_transform_job(**request())
            smfake_client.stop_transform_job(TransformJobName="job")
            smfake.clock.advance(600)
            assert smfake.transform_jobs["job"].status == "Stopped"


def test_an_s3_of_the_tests_own():
    with mock_aws():
        own = boto3.client("s3", region_name="us-east-1", aws_access_key_id="own", aws_secret_access_key="own")
        own.create_bucket(Bucket="bucket")
        own.put_object(Bucket="bucket", Key="in/a.csv", Body=b"1")
        seen = []
        own.meta.events.register("before-call.s3.GetObject", lambda **_: seen.append(1))
        with FakeSageMaker() as fake:
            fake.s3 = own
            fake.add_model(ModelName="churn")
            fake.stand_in("churn", lambda body, *_: body)
            fake.client().create_transform_job(**request())
            assert fake.transform_jobs["job"].status == "Completed"
        assert seen == [1]


def test_moto_keeps_nothing_of_it(s3, client, smfake):
    smfake.add_endpoint("e", model="churn")
    client.create_transform_job(**request())
    from moto.sagemaker.models import sagemaker_backends

    backend = sagemaker_backends["123456789012"]["us-east-1"]
    assert (backend._models, backend.endpoints, backend.endpoint_configs) == ({}, {}, {})
    assert not getattr(backend, "transform_jobs", {})
    # Other services work beside it.
    tagging = smfake.client("resourcegroupstaggingapi")
    assert isinstance(tagging.get_resources()["ResourceTagMappingList"], list)
