"""InvokeEndpoint through stand-ins: variants, pipelines, direct and multi-model containers, and every error."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import ANY

from pytest_smfake import Invocation, validate

from .conftest import ONE, error_of

CONSOLE = "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:group=/aws/sagemaker/Endpoints"


def echo(body, content_type, accept, context):
    return body


def deploy(client, name, **variants):
    """Create an endpoint with a variant of weight 1 for each model named."""
    listed = [ONE | {"VariantName": variant, "ModelName": model} for variant, model in variants.items()]
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=listed)
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)


def pipeline(smfake, name="pipe", mode="Serial", **more):
    containers = [{"Image": f"{smfake.image}-{part}"} | ({"ContainerHostname": part} if mode == "Direct" else {}) for part in ("a", "b")]
    smfake.add_model(ModelName=name, PrimaryContainer=None, Containers=containers, InferenceExecutionConfig={"Mode": mode}, **more)
    deploy(smfake.client(), name, v=name)


def test_a_stand_in_answers(smfake, runtime):
    smfake.add_model(
        ModelName="churn",
        PrimaryContainer={"Image": smfake.image, "ModelDataUrl": smfake.model_data_url, "Environment": {"THRESHOLD": "0.5"}},
    )
    smfake.add_endpoint("churn", model="churn")
    seen = []

    def predict(body, content_type, accept, context):
        seen.append((body, content_type, accept, context))
        return b"0.9", "text/csv"

    smfake.stand_in("churn", predict)
    answer = runtime.invoke_endpoint(
        EndpointName="churn", Body=b"1,2", ContentType="text/csv", Accept="application/json", CustomAttributes="c=1", InferenceId="i"
    )
    assert answer["Body"].read() == b"0.9"
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/csv", "AllTraffic")
    context = Invocation(
        model="churn",
        container="primary",
        image=smfake.image,
        model_data_url=smfake.model_data_url,
        environment={"THRESHOLD": "0.5"},
        region="us-east-1",
        account="123456789012",
        endpoint="churn",
        variant="AllTraffic",
        custom_attributes="c=1",
        inference_id="i",
    )
    assert seen == [(b"1,2", "text/csv", "application/json", context)]
    call = smfake.calls[-1]
    assert call.operation == "InvokeEndpoint"
    assert call.parameters == {
        "EndpointName": "churn",
        "Body": b"1,2",
        "ContentType": "text/csv",
        "Accept": "application/json",
        "CustomAttributes": "c=1",
        "InferenceId": "i",
    }
    assert call.response["Body"] == b"0.9"


@pytest.mark.parametrize(("accept", "expected"), [("text/csv", "text/csv"), ("*/*", "application/octet-stream"), (None, ANY)])
def test_the_content_type_of_bytes_alone(smfake, runtime, accept, expected):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", echo)
    answer = runtime.invoke_endpoint(EndpointName="churn", Body=b"", **({"Accept": accept} if accept else {}))
    assert answer["ContentType"] == (expected if accept else "application/octet-stream")


def test_a_model_comes_before_its_image_and_the_latest_first(smfake, runtime):
    smfake.add_endpoint("churn")

    def answer():
        return runtime.invoke_endpoint(EndpointName="churn", Body=b"")["Body"].read()

    smfake.stand_in(smfake.image, lambda *_: b"image")
    assert answer() == b"image"
    with smfake.stand_in("churn", lambda *_: b"model"):
        assert answer() == b"model"
        with smfake.stand_in("churn", lambda *_: b"latest"), smfake.stand_in(smfake.image, lambda *_: b"later"):
            assert answer() == b"latest"
    assert answer() == b"image"


def test_without_a_stand_in_the_error_says_how_to_add_one(smfake, runtime):
    smfake.add_endpoint("churn")
    assert error_of(runtime.invoke_endpoint, EndpointName="churn", Body=b"") == (
        "NotImplemented: The answer of container primary of model churn is not implemented by pytest-smfake. Add a stand-in: "
        f"fake.stand_in('churn', predict), or one for '{smfake.image}'."
    )


class TestVariants:
    def test_by_weight_and_the_same_in_each_run(self, smfake, smfake_client, runtime):
        for name in ("a", "b"):
            smfake.add_model(ModelName=name)
            smfake.stand_in(name, echo)

        def invoked(endpoint):
            deploy(smfake_client, endpoint, A="a", B="b")
            change = [{"VariantName": "A", "DesiredWeight": 3.0}]
            smfake_client.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=change)
            variants = [runtime.invoke_endpoint(EndpointName=endpoint, Body=b"")["InvokedProductionVariant"] for _ in range(200)]
            smfake_client.delete_endpoint(EndpointName=endpoint)
            smfake_client.delete_endpoint_config(EndpointConfigName=endpoint)
            return variants

        first = invoked("e")
        assert 130 <= Counter(first)["A"] <= 170
        assert invoked("e") == first
        assert invoked("f") != first

    def test_without_any_weight_each_is_as_likely(self, smfake, smfake_client, runtime):
        for name in ("a", "b"):
            smfake.add_model(ModelName=name)
            smfake.stand_in(name, echo)
        deploy(smfake_client, "e", A="a", B="b")
        change = [{"VariantName": name, "DesiredWeight": 0.0} for name in "AB"]
        smfake_client.update_endpoint_weights_and_capacities(EndpointName="e", DesiredWeightsAndCapacities=change)
        assert {runtime.invoke_endpoint(EndpointName="e", Body=b"")["InvokedProductionVariant"] for _ in range(50)} == {"A", "B"}

    def test_the_one_asked_for(self, smfake, smfake_client, runtime):
        smfake.add_model(ModelName="a")
        smfake.stand_in("a", echo)
        deploy(smfake_client, "e", A="a", B="a")
        variants = {runtime.invoke_endpoint(EndpointName="e", Body=b"", TargetVariant="B")["InvokedProductionVariant"] for _ in range(20)}
        assert variants == {"B"}
        assert error_of(runtime.invoke_endpoint, EndpointName="e", Body=b"", TargetVariant="C") == (
            "ValidationError: Variant C not found for endpoint e."
        )

    def test_one_for_inference_components(self, smfake, smfake_client, runtime):
        variant = {"VariantName": "v", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
        smfake_client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant], ExecutionRoleArn=smfake.role_arn)
        smfake_client.create_endpoint(EndpointName="c", EndpointConfigName="c")
        assert smfake_client.describe_endpoint(EndpointName="c")["ProductionVariants"][0].keys() >= {"CurrentInstanceCount"}
        assert error_of(runtime.invoke_endpoint, EndpointName="c", Body=b"") == (
            "ValidationError: Inference Component Name header is required for endpoints to which you plan to deploy inference components. "
            "Please include Inference Component Name header or consider using SageMaker models."
        )
        assert error_of(runtime.invoke_endpoint, EndpointName="c", Body=b"", InferenceComponentName="i").startswith("NotImplemented: ")


class TestContainers:
    def test_a_pipeline_passes_each_answer_on(self, smfake, runtime):
        pipeline(smfake)
        seen = []

        def first(body, content_type, accept, context):
            seen.append((context.container, content_type, accept))
            return body + b"1", "text/plain"

        def second(body, content_type, accept, context):
            seen.append((context.container, content_type, accept))
            return body + b"2", "application/json"

        smfake.stand_in(f"{smfake.image}-a", first)
        assert error_of(runtime.invoke_endpoint, EndpointName="pipe", Body=b"x").startswith(
            "NotImplemented: The answer of container container-2 of model pipe is"
        )
        smfake.stand_in(f"{smfake.image}-b", second)
        answer = runtime.invoke_endpoint(EndpointName="pipe", Body=b"x", ContentType="text/csv", Accept="application/json")
        assert (answer["Body"].read(), answer["ContentType"]) == (b"x12", "application/json")
        assert seen == [("container-1", "text/csv", "*/*"), ("container-2", "text/plain", "application/json")]

    def test_a_stand_in_for_the_model_plays_the_whole_pipeline(self, smfake, runtime):
        pipeline(smfake)
        smfake.stand_in("pipe", lambda body, *_: body + b"!")
        assert runtime.invoke_endpoint(EndpointName="pipe", Body=b"x")["Body"].read() == b"x!"

    def test_the_container_that_fails_is_named(self, smfake, runtime):
        pipeline(smfake)
        smfake.stand_in(f"{smfake.image}-a", echo)
        smfake.stand_in(f"{smfake.image}-b", lambda *_: 1 / 0)
        assert "Received server error (500) from container-2 with message" in error_of(
            runtime.invoke_endpoint, EndpointName="pipe", Body=b""
        )

    def test_direct_invocation(self, smfake, runtime):
        pipeline(smfake, mode="Direct")
        for part in ("a", "b"):
            smfake.stand_in(f"{smfake.image}-{part}", lambda *given: given[3].container.encode())
        assert runtime.invoke_endpoint(EndpointName="pipe", Body=b"", TargetContainerHostname="b")["Body"].read() == b"b"
        for hostname, said in (
            ({}, "Endpoint pipe is configured for direct invocation and needs a target container hostname."),
            ({"TargetContainerHostname": "c"}, "Container c not found in endpoint pipe."),
        ):
            assert error_of(runtime.invoke_endpoint, EndpointName="pipe", Body=b"", **hostname) == f"ValidationError: {said}"

    def test_a_hostname_where_there_is_nothing_direct(self, smfake, runtime):
        smfake.add_endpoint("churn")
        assert error_of(runtime.invoke_endpoint, EndpointName="churn", Body=b"", TargetContainerHostname="a") == (
            "ValidationError: Endpoint churn is not configured for direct invocation and takes no target container hostname."
        )

    def test_multi_model(self, smfake, runtime):
        container = {"Image": smfake.image, "ModelDataUrl": "s3://bucket/models/", "Mode": "MultiModel"}
        smfake.add_model(ModelName="many", PrimaryContainer=container)
        smfake.add_endpoint("many", model="many")
        smfake.stand_in("many", lambda *given: f"{given[3].model_data_url}{given[3].target_model}".encode())
        answer = runtime.invoke_endpoint(EndpointName="many", Body=b"", TargetModel="nl.tar.gz")
        assert answer["Body"].read() == b"s3://bucket/models/nl.tar.gz"
        with pytest.raises(runtime.exceptions.ValidationError) as caught:
            runtime.invoke_endpoint(EndpointName="many", Body=b"")
        request_id = caught.value.response["ResponseMetadata"]["RequestId"]
        assert caught.value.response["Error"]["Message"] == f"Request {request_id} is missing a target model header."

    def test_a_target_model_where_there_is_one_model(self, smfake, runtime):
        smfake.add_endpoint("churn")
        with pytest.raises(runtime.exceptions.ValidationError) as caught:
            runtime.invoke_endpoint(EndpointName="churn", Body=b"", TargetModel="nl.tar.gz")
        assert caught.value.response["Error"]["Message"] == (
            "Endpoint churn is not a multi-model endpoint and does not support target model header."
        )


class TestBadInput:
    def test_an_unknown_endpoint(self, runtime):
        with pytest.raises(runtime.exceptions.ValidationError) as caught:
            runtime.invoke_endpoint(EndpointName="nope", Body=b"")
        assert caught.value.response["Error"]["Message"] == "Endpoint nope of account 123456789012 not found."
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400

    def test_one_that_is_not_in_service(self, smfake, runtime):
        smfake.endpoints.take(seconds=60)
        smfake.add_endpoint("churn")
        smfake.stand_in("churn", echo)
        said = "ValidationError: Endpoint churn of account 123456789012 not found."
        assert error_of(runtime.invoke_endpoint, EndpointName="churn", Body=b"") == said
        smfake.clock.advance(60)
        assert runtime.invoke_endpoint(EndpointName="churn", Body=b"x")["Body"].read() == b"x"
        smfake.client().delete_endpoint(EndpointName="churn")
        assert error_of(runtime.invoke_endpoint, EndpointName="churn", Body=b"") == said

    def test_one_that_is_being_updated_serves_what_it_has(self, smfake, smfake_client, runtime):
        smfake.add_endpoint("churn")
        smfake.add_model(ModelName="new")
        smfake.stand_in("churn", lambda *_: b"old")
        smfake.stand_in("new", lambda *_: b"new")
        smfake_client.create_endpoint_config(EndpointConfigName="new", ProductionVariants=[ONE | {"ModelName": "new"}])
        smfake.endpoints.take(seconds=60)
        smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="new")
        assert runtime.invoke_endpoint(EndpointName="churn", Body=b"")["Body"].read() == b"old"
        smfake.clock.advance(60)
        assert runtime.invoke_endpoint(EndpointName="churn", Body=b"")["Body"].read() == b"new"

    @pytest.mark.parametrize("size", [6 * 1024 * 1024, 6 * 1024 * 1024 + 1])
    def test_six_megabytes(self, smfake, runtime, size):
        smfake.add_endpoint("churn")
        smfake.stand_in("churn", lambda body, *_: str(len(body)).encode())
        if size == 6 * 1024 * 1024:
            assert runtime.invoke_endpoint(EndpointName="churn", Body=b"x" * size)["Body"].read() == str(size).encode()
            return
        with pytest.raises(ClientError) as caught:
            runtime.invoke_endpoint(EndpointName="churn", Body=b"x" * size)
        assert caught.value.response["Error"] == {"Code": "413", "Message": "HTTP content length exceeded 6291456 bytes."}
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413

    def test_four_megabytes_where_it_is_serverless(self, smfake, smfake_client, runtime):
        smfake.add_model(ModelName="churn")
        variant = {"VariantName": "v", "ModelName": "churn", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
        smfake_client.create_endpoint_config(EndpointConfigName="s", ProductionVariants=[variant])
        smfake_client.create_endpoint(EndpointName="s", EndpointConfigName="s")
        smfake.stand_in("churn", lambda *_: b"")
        runtime.invoke_endpoint(EndpointName="s", Body=b"x" * 4 * 1024 * 1024)
        with pytest.raises(runtime.exceptions.ValidationError) as caught:
            runtime.invoke_endpoint(EndpointName="s", Body=b"x" * (4 * 1024 * 1024 + 1))
        request_id = caught.value.response["ResponseMetadata"]["RequestId"]
        assert caught.value.response["Error"]["Message"] == f"Request {request_id} has oversize body."

    def test_constraints_of_members(self, smfake):
        runtime = smfake.client("sagemaker-runtime", config=Config(parameter_validation=False))
        said = error_of(runtime.invoke_endpoint, EndpointName="a_b", Body=b"", ContentType="x" * 1025)
        assert said.startswith("ValidationError: 2 validation errors detected: Value 'a_b' at 'endpointName' failed to satisfy constraint")
        assert "at 'contentType' failed to satisfy constraint: Member must have length less than or equal to 1024" in said

    @pytest.mark.parametrize("operation", ["invoke_endpoint_async", "invoke_endpoint_with_response_stream"])
    def test_what_is_not_implemented(self, smfake, runtime, operation):
        arguments = {"InputLocation": "s3://b/k"} if operation == "invoke_endpoint_async" else {"Body": b""}
        said = error_of(getattr(runtime, operation), EndpointName="churn", **arguments)
        assert said.startswith("NotImplemented: InvokeEndpoint")


def test_an_asynchronous_endpoint(smfake, smfake_client, runtime):
    smfake.add_model(ModelName="churn")
    smfake.stand_in("churn", echo)
    asynchronous = {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}
    smfake_client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[ONE], AsyncInferenceConfig=asynchronous)
    smfake_client.create_endpoint(EndpointName="c", EndpointConfigName="c")
    assert error_of(runtime.invoke_endpoint, EndpointName="c", Body=b"x") == (
        "ValidationError: InvokeEndpoint cannot invoke endpoint c, whose configuration has AsyncInferenceConfig."
    )


class TestModelErrors:
    @pytest.fixture(autouse=True)
    def endpoint(self, smfake):
        smfake.add_endpoint("churn")

    def failed(self, runtime, **arguments):
        with pytest.raises(runtime.exceptions.ModelError) as caught:
            runtime.invoke_endpoint(EndpointName="churn", Body=b"x", **arguments)
        response = caught.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert validate("InvokeEndpoint.response", {"Body": b""}) == []
        return response

    def test_an_exception(self, smfake, runtime):
        def predict(*_):
            raise KeyError("score")

        stand_in = smfake.stand_in("churn", predict)
        response = self.failed(runtime)
        assert response["Error"]["Message"] == (
            f"Received server error (500) from primary with message \"'score'\". See {CONSOLE}/churn in account 123456789012 for more "
            "information."
        )
        assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (500, "'score'")
        assert response["LogStreamArn"] == "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/churn"
        assert [type(error) for error in stand_in.errors] == [KeyError]

    @pytest.mark.parametrize(("attribute", "text"), [("status_code", "detail"), ("code", "description")])
    def test_an_exception_with_a_status_of_its_own(self, smfake, runtime, attribute, text):
        class UnsupportedError(Exception):
            pass

        setattr(UnsupportedError, attribute, 415)
        setattr(UnsupportedError, text, "send text/csv")

        def predict(*_):
            raise UnsupportedError

        smfake.stand_in("churn", predict)
        response = self.failed(runtime, ContentType="text/plain")
        assert response["Error"]["Message"].startswith('Received client error (415) from primary with message "send text/csv". See ')

    @pytest.mark.parametrize(("status", "code"), [(502, "INTERNAL_FAILURE_FROM_MODEL"), (404, "CLIENT_ERROR_FROM_MODEL")])
    def test_the_members_of_the_body(self, smfake, status, code):
        def app(environ, start_response):
            start_response(f"{status} Any", [("Content-Type", "text/html")] if environ["PATH_INFO"] != "/ping" else [])
            return [b"<html>page</html>"]

        smfake.stand_in("churn", app)
        url = "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/churn/invocations"
        body = requests.post(url, data=b"x", headers={"Content-Type": "text/csv"}, timeout=30).json()
        assert list(body) == ["ErrorCode", "LogStreamArn", "Message", "OriginalMessage", "OriginalStatusCode"]
        assert (body["ErrorCode"], body["OriginalMessage"], body["OriginalStatusCode"]) == (code, "<html>page</html>", status)

    @pytest.mark.parametrize("returned", ["text", None, {"score": 1}, (b"", None), (b"", "a", "b"), bytearray(b"x")])
    def test_a_wrong_type(self, smfake, runtime, returned):
        smfake.stand_in("churn", lambda *_: returned)
        message = self.failed(runtime)["OriginalMessage"]
        assert message.startswith("a stand-in returns bytes, or bytes and their content type, not ")

    def test_one_that_hangs(self, smfake, runtime):
        release = threading.Event()
        smfake.stand_in("churn", lambda *_: release.wait(60) and b"", timeout=0.05)
        try:
            response = self.failed(runtime)
        finally:
            release.set()
        assert response["Error"]["Message"] == (
            'Received server error (0) from primary with message "Your invocation timed out while waiting for a response from container '
            'primary. Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again.". '
            f"See {CONSOLE}/churn in account 123456789012 for more information."
        )

    def test_a_timeout_changes_nothing_else(self, smfake, runtime):
        smfake.stand_in("churn", echo, timeout=30)
        assert runtime.invoke_endpoint(EndpointName="churn", Body=b"x")["Body"].read() == b"x"
        with smfake.stand_in("churn", lambda *_: 1 / 0, timeout=30):
            assert self.failed(runtime)["OriginalMessage"] == "division by zero"

    def test_the_failure_of_a_test_is_no_model_error(self, smfake, runtime):
        smfake.stand_in("churn", lambda *_: pytest.fail("not to be called"))
        with pytest.raises(pytest.fail.Exception, match="not to be called"):
            runtime.invoke_endpoint(EndpointName="churn", Body=b"")


class TestIsolation:
    @pytest.fixture(autouse=True)
    def endpoint(self, smfake):
        smfake.add_model(ModelName="isolated", EnableNetworkIsolation=True)
        smfake.add_endpoint("isolated", model="isolated")

    def test_no_socket_is_opened(self, smfake, runtime):
        def predict(*_):
            socket.create_connection(("127.0.0.1", 9))

        smfake.stand_in("isolated", predict)
        said = error_of(runtime.invoke_endpoint, EndpointName="isolated", Body=b"")
        assert "Network is unreachable: model 'isolated' has EnableNetworkIsolation, its container makes no network calls" in said

    def test_nor_is_any_service_called(self, smfake, runtime):
        caught = []

        def predict(*_):
            with pytest.raises(EndpointConnectionError, match="Could not connect to the endpoint URL") as error:
                boto3.client("sagemaker", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1})).list_models()
            caught.append(str(error.value.__cause__))
            return b""

        smfake.stand_in("isolated", predict)
        runtime.invoke_endpoint(EndpointName="isolated", Body=b"")
        assert "EnableNetworkIsolation" in caught[0]

    def test_others_open_what_they_like(self, smfake, runtime):
        def predict(*_):
            socket.socket().close()
            return b"opened"

        smfake.add_endpoint("open")
        smfake.stand_in("open", predict)
        opened = []

        def isolated(*_):
            thread = threading.Thread(target=lambda: opened.append(socket.socket().close()))
            thread.start()
            thread.join()
            ours, theirs = socket.socketpair()
            ours.close()
            theirs.close()
            return b""

        smfake.stand_in("isolated", isolated, timeout=30)
        assert runtime.invoke_endpoint(EndpointName="open", Body=b"")["Body"].read() == b"opened"
        runtime.invoke_endpoint(EndpointName="isolated", Body=b"")
        assert opened == [None]
        assert "smfake" not in repr(socket.socket.__init__)
        socket.socket().close()


def test_a_stand_in_may_call_sagemaker(smfake, smfake_client, runtime):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", lambda *_: json.dumps(smfake_client.list_models()["Models"][0]["ModelName"]).encode())
    assert runtime.invoke_endpoint(EndpointName="churn", Body=b"")["Body"].read() == b'"churn"'


def test_moto_does_not_answer_for_the_runtime(smfake_moto):
    runtime = boto3.client("sagemaker-runtime", region_name="us-east-1")
    assert error_of(runtime.invoke_endpoint, EndpointName="nope", Body=b"").startswith("ValidationError: Endpoint nope of account")
    # What the fake does not implement is passed on.
    assert "OutputLocation" in runtime.invoke_endpoint_async(EndpointName="nope", InputLocation="s3://bucket/key")
    assert smfake_moto.calls[-1].passed_on
