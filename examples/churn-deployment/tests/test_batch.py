"""Batch transform, with moto's S3 beside the fake."""

import pytest
from botocore.exceptions import ClientError
from churn_deployment.batch import JobFailedError, score
from churn_deployment.models import deploy

REGION = "us-east-1"


@pytest.fixture
def s3(smfake_moto, settings):
    client = smfake_moto.client("s3")
    client.create_bucket(Bucket="churn")
    client.put_object(Bucket="churn", Key="in/monday.csv", Body=b"id-1,1,2\nid-2,3,4\n")
    deploy(settings, REGION)
    return client


def sums(body, content_type, accept, context):
    return "\n".join(str(sum(map(float, line.split(",")))) for line in body.decode().splitlines()).encode()


def test_every_row_gets_a_score(smfake, s3, settings):
    smfake.transform_jobs.take(seconds=600)
    smfake.stand_in(settings.name, sums)
    score(settings, "monday", "s3://churn/in/", "s3://churn/out", REGION)
    assert s3.get_object(Bucket="churn", Key="out/monday.csv.out")["Body"].read() == b"id-1,3.0\nid-2,7.0\n"


def test_a_column_that_is_no_number(smfake, s3, settings):
    s3.put_object(Bucket="churn", Key="in/tuesday.csv", Body=b"id-1,one\n")
    smfake.stand_in(settings.name, sums)
    with pytest.raises(JobFailedError, match="AlgorithmError: See job logs for more information"):
        score(settings, "tuesday", "s3://churn/in/tuesday.csv", "s3://churn/out", REGION)
    assert "could not convert string to float: 'one'" in smfake.transform_jobs["tuesday"].note


def test_the_limit_on_instances(smfake, s3, settings):
    smfake.limit("ml.m5.xlarge for transform job usage", 0)
    with pytest.raises(ClientError, match=r"ResourceLimitExceeded.*'ml.m5.xlarge for transform job usage' is 0 Instances"):
        score(settings, "monday", "s3://churn/in/", "s3://churn/out", REGION)


def test_a_prefix_without_objects(smfake, s3, settings):
    smfake.stand_in(settings.name, sums)
    with pytest.raises(ClientError, match="No S3 objects found under S3 URL"):
        score(settings, "monday", "s3://churn/inn/", "s3://churn/out", REGION)
