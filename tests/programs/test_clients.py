"""Real clients against the server: create, describe, list with pages, tag, delete, an invalid request, a limit, a throttle with retries."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from pytest_smfake.protocol.signatures import SECRET
from pytest_smfake.service.arns import access_key_of

pytestmark = pytest.mark.smfake(auth="strict")  # every client's signature is verified

NAMES = ["m-0", "m-1", "m-2", "m-3", "m-4"]
PAGES = [["m-4", "m-3"], ["m-2", "m-1"], ["m-0"]]
TAGS = [{"Key": "team", "Value": "größe"}]
MORE = [{"Key": "stage", "Value": "test"}]


def run(command: list[str], served, **more: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | served.env | {"AWS_MAX_ATTEMPTS": "3", "AWS_RETRY_MODE": "standard", "AWS_PAGER": ""} | more
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_aws_cli(aws, smfake_server):
    fake = smfake_server.fake

    def cli(operation: str, **parameters):
        options = [
            part for name, value in parameters.items() for part in (f"--{name}", value if isinstance(value, str) else json.dumps(value))
        ]
        done = run([aws, "sagemaker", operation, "--output", "json", *options], smfake_server)
        return done.returncode, done.stdout, done.stderr

    def create(name: str, **more):
        names = {"model-name": name, "execution-role-arn": fake.role_arn, "primary-container": {"Image": fake.image}}
        return cli("create-model", **names | more)

    code, output, errors = create("m-0", tags=TAGS)
    assert (code, errors) == (0, "")
    arn = json.loads(output)["ModelArn"]
    assert arn == fake.models["m-0"].arn
    for name in NAMES[1:]:
        fake.add_model(ModelName=name)
    described = json.loads(cli("describe-model", **{"model-name": "m-0"})[1])
    assert described["PrimaryContainer"]["Image"] == fake.image
    assert described["CreationTime"] == pytest.approx(fake.models["m-0"].created, abs=0.001)
    listed = json.loads(cli("list-models", **{"page-size": "2"})[1])["Models"]
    assert [model["ModelName"] for model in listed] == [name for page in PAGES for name in page]
    assert [call.operation for call in fake.calls].count("ListModels") == 3
    assert cli("add-tags", **{"resource-arn": arn, "tags": MORE})[0] == 0
    assert json.loads(cli("list-tags", **{"resource-arn": arn})[1])["Tags"] == TAGS + MORE
    assert cli("delete-model", **{"model-name": "m-4"}) == (0, "", "")
    code, _, errors = create("not_a_name")
    assert code in (254, 255)  # of version 2, of version 1
    assert "(ValidationException)" in errors
    assert "Value 'not_a_name' at 'modelName' failed to satisfy constraint" in errors
    with fake.limit("models", 4):
        code, _, errors = create("m-5")
        assert (code in (254, 255), "(ResourceLimitExceeded)" in errors) == (True, True)
    throttle = fake.fail("DeleteModel", "ThrottlingException", attempts=2)
    assert cli("delete-model", **{"model-name": "m-3"})[0] == 0
    assert (throttle.hits, fake.calls[-1].attempts) == (1, 3)
    assert sorted(fake.models) == ["m-0", "m-1", "m-2"]


def test_javascript(node, smfake_server):
    fake = smfake_server.fake
    fake.fail("CreateModel", "ResourceLimitExceeded", when=lambda call: call.parameters["ModelName"] == "js-5")
    fake.fail("ListModels", "ThrottlingException", attempts=2, after=3)
    fake.fail("DeleteModel", "503", after=1)
    done = run([node, str(Path(__file__).parent / "scenario.cjs")], smfake_server)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["arn"] == "arn:aws:sagemaker:us-east-1:123456789012:model/js-0"
    assert seen["described"] == {"name": "js-0", "image": fake.image, "isDate": True}
    assert seen["pages"] == [["js-4", "js-3"], ["js-2", "js-1"], ["js-0"]]
    assert seen["tags"] == [["team", "größe"], ["stage", "test"]]
    assert seen["deleted"] == 200
    assert seen["invalid"]["name"] == "ValidationException"
    assert "Value 'not_a_name' at 'modelName' failed to satisfy constraint" in seen["invalid"]["message"]
    assert seen["missing"]["message"] == 'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/nope".'
    assert (seen["limit"]["name"], seen["limit"]["attempts"], seen["limit"]["status"]) == ("ResourceLimitExceeded", 1, 400)
    assert "The account-level service limit 'Total number of models'" in seen["limit"]["message"]
    assert seen["retried"] == 3
    assert (seen["gaveUp"]["status"], seen["gaveUp"]["attempts"]) == (503, 3)
    assert sorted(fake.models) == ["js-0", "js-1", "js-2", "js-3"]


def scenario(client, fake):
    """Yield each call to make with a Python client as `(method, parameters)`, and take what came of it: an answer or an error."""
    arn = (yield "create_model", fake.request(ModelName="m-0", Tags=TAGS))["ModelArn"]
    for name in NAMES[1:]:
        yield "create_model", fake.request(ModelName=name)
    assert (yield "describe_model", {"ModelName": "m-0"})["PrimaryContainer"]["Image"] == fake.image
    pages, token = [], {}
    while True:
        page = yield "list_models", {"MaxResults": 2} | token
        pages.append([model["ModelName"] for model in page["Models"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == PAGES
    yield "add_tags", {"ResourceArn": arn, "Tags": MORE}
    assert (yield "list_tags", {"ResourceArn": arn})["Tags"] == TAGS + MORE
    yield "delete_model", {"ModelName": "m-4"}
    error = yield "create_model", fake.request(ModelName="not_a_name")
    assert "Value 'not_a_name' at 'modelName' failed to satisfy constraint" in str(error)
    fake.limit("models", 4)
    error = yield "create_model", fake.request(ModelName="m-5")
    assert type(error).__name__ == "ResourceLimitExceeded"
    throttle = fake.fail("DeleteModel", "ThrottlingException", attempts=2)
    answer = yield "delete_model", {"ModelName": "m-3"}
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert throttle.hits == 1
    assert sorted(fake.models) == ["m-0", "m-1", "m-2"]


def go_through(client, fake) -> None:
    steps = scenario(client, fake)
    method, parameters = next(steps)
    while True:
        try:
            result = getattr(client, method)(**parameters)
        except client.exceptions.ClientError as error:
            result = error
        try:
            method, parameters = steps.send(result)
        except StopIteration:
            return


async def go_through_async(client, fake) -> None:
    steps = scenario(client, fake)
    method, parameters = next(steps)
    while True:
        try:
            result = await getattr(client, method)(**parameters)
        except client.exceptions.ClientError as error:
            result = error
        try:
            method, parameters = steps.send(result)
        except StopIteration:
            return


def arguments(url: str | None) -> dict:
    from botocore.config import Config

    keys = {"aws_access_key_id": access_key_of("123456789012"), "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    return keys | {"config": Config(retries={"mode": "standard", "total_max_attempts": 3})} | ({"endpoint_url": url} if url else {})


@pytest.fixture(params=["in process", "over the server"])
def fake_and_url(request):
    """The active fake, and the address to go to; None for the service's own, which is answered in process."""
    if request.param == "in process":
        return request.getfixturevalue("smfake"), None
    served = request.getfixturevalue("smfake_server")
    return served.fake, served.url


def test_boto3(fake_and_url):
    import boto3

    fake, url = fake_and_url
    go_through(boto3.client("sagemaker", **arguments(url)), fake)


def test_aiobotocore(fake_and_url):
    session = pytest.importorskip("aiobotocore.session", reason="aiobotocore is not installed")
    fake, url = fake_and_url

    async def main():
        async with session.get_session().create_client("sagemaker", **arguments(url)) as client:
            await go_through_async(client, fake)

    asyncio.run(main())


def test_aioboto3(fake_and_url):
    aioboto3 = pytest.importorskip("aioboto3", reason="aioboto3 is not installed")
    fake, url = fake_and_url

    async def main():
        async with aioboto3.Session().client("sagemaker", **arguments(url)) as client:
            await go_through_async(client, fake)

    asyncio.run(main())
