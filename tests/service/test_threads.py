"""Many threads, one world."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from botocore.exceptions import ClientError

THREADS = 16


def race(create, names) -> Counter[str]:
    """Call `create` with each name in a thread of its own, all at once, and count the verdicts."""
    barrier = Barrier(len(names))

    def run(name):
        barrier.wait()
        try:
            create(name)
        except ClientError as error:
            return error.response["Error"]["Code"] + ("" if "already existing" not in str(error) else " already existing")
        return "created"

    with ThreadPoolExecutor(len(names)) as pool:
        return Counter(pool.map(run, names))


def test_one_name(smfake, smfake_client):
    verdicts = race(lambda name: smfake_client.create_model(**smfake.request(ModelName=name)), ["churn"] * THREADS)
    assert verdicts == {"created": 1, "ValidationException already existing": 15}
    assert len(smfake.calls) == THREADS


def test_a_limit_of_five(smfake, smfake_client):
    smfake.limit("models", 5)
    names = [f"m{index}" for index in range(THREADS)]
    verdicts = race(lambda name: smfake_client.create_model(**smfake.request(ModelName=name)), names)
    assert verdicts == {"created": 5, "ResourceLimitExceeded": 11}
    assert len(smfake.models) == 5


def test_a_limit_on_instances(smfake, smfake_client):
    smfake.add_endpoint("first")
    smfake.limit("ml.m5.xlarge for endpoint usage", 5)
    names = [f"e{index}" for index in range(THREADS)]
    verdicts = race(lambda name: smfake_client.create_endpoint(EndpointName=name, EndpointConfigName="first"), names)
    assert verdicts == {"created": 4, "ResourceLimitExceeded": 12}
    assert {endpoint.status for endpoint in smfake.endpoints.values()} == {"InService"}


def test_one_job(smfake_moto):
    s3, client = smfake_moto.client("s3"), smfake_moto.client()
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="in/a", Body=b"x")
    smfake_moto.add_model(ModelName="m")
    ran = []
    smfake_moto.stand_in("m", lambda body, *_: ran.append(body) or body)

    def create(name):
        client.create_transform_job(
            TransformJobName=name,
            ModelName="m",
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}},
            TransformOutput={"S3OutputPath": "s3://bucket/out"},
            TransformResources={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        )

    assert race(create, ["job"] * 8) == {"created": 1, "ResourceInUse": 7}
    assert ran == [b"x"]
    assert smfake_moto.transform_jobs["job"].status == "Completed"
