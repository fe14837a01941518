"""The three forms of a stand-in, and their health."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest

from pytest_smfake import FakeSageMaker

from .conftest import error_of

PING = "The primary container for production variant AllTraffic did not pass the ping health check. Please check CloudWatch logs for this endpoint."


def wsgi(status="200 OK", ping="200 OK"):
    def app(environ, start_response):
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", "/ping"):
            start_response(ping, [])
            return []
        assert (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/invocations")
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        context = environ["smfake.invocation"]
        attributes = environ.get("HTTP_X_AMZN_SAGEMAKER_CUSTOM_ATTRIBUTES", "none")
        write = start_response(status, [("Content-Type", "text/x"), ("X-Amzn-SageMaker-Custom-Attributes", attributes + "!")])
        write(b"<")
        return [body, b"|", environ["CONTENT_TYPE"].encode(), b"|", environ["HTTP_ACCEPT"].encode(), b"|", context.model.encode()]

    return app


class Asgi:
    """An ASGI app with a lifespan."""

    def __init__(self, ping=200, lifespan="complete"):
        self.ping, self.lifespan, self.events = ping, lifespan, []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await self.live(scope, receive, send)
        if scope["path"] == "/ping":
            await send({"type": "http.response.start", "status": self.ping})
            return await send({"type": "http.response.body"})
        body = (await receive())["body"]
        assert (await receive())["type"] == "http.disconnect"
        await asyncio.sleep(0)
        headers = dict(scope["headers"])
        model = scope["state"]["invocation"].model.encode() + scope["state"].get("loaded", b"")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", headers[b"accept"])]})
        await send({"type": "http.response.body", "body": body + b"|", "more_body": True})
        return await send({"type": "http.response.body", "body": model})

    async def live(self, scope, receive, send):
        if self.lifespan == "unsupported":
            raise ValueError(scope["type"])
        self.events.append((await receive())["type"])
        scope["state"]["loaded"] = b"+"
        await send({"type": f"lifespan.startup.{self.lifespan}", "message": "no weights"})
        if self.lifespan == "complete":
            self.events.append((await receive())["type"])


def test_a_wsgi_app(smfake, runtime):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", wsgi())
    answer = runtime.invoke_endpoint(EndpointName="churn", Body=b"x", ContentType="text/csv", Accept="a/b", CustomAttributes="c")
    assert answer["Body"].read() == b"<x|text/csv|a/b|churn"
    assert (answer["ContentType"], answer["CustomAttributes"]) == ("text/x", "c!")


def test_the_error_of_an_app(smfake, runtime):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", wsgi(status="415 Unsupported Media Type"))
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="churn", Body=b"x", ContentType="image/png")
    assert caught.value.response["OriginalStatusCode"] == 415
    assert caught.value.response["OriginalMessage"] == "<x|image/png|*/*|churn"


def test_an_app_that_raises(smfake, runtime):
    smfake.add_endpoint("churn")

    def app(environ, start_response):
        raise RuntimeError("no weights")

    smfake.stand_in("churn", app)
    assert '(500) from primary with message "no weights"' in error_of(runtime.invoke_endpoint, EndpointName="churn", Body=b"")


def test_an_asgi_app_lives_as_long_as_the_stand_in(smfake, runtime):
    smfake.add_endpoint("churn")
    app = Asgi()
    with smfake.stand_in("churn", app):
        for _ in range(2):
            answer = runtime.invoke_endpoint(EndpointName="churn", Body=b"x", Accept="text/plain")
            assert (answer["Body"].read(), answer["ContentType"]) == (b"x|churn+", "text/plain")
        assert app.events == ["lifespan.startup"]
    assert app.events == ["lifespan.startup", "lifespan.shutdown"]


def test_an_asgi_app_without_a_lifespan(smfake, runtime):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", Asgi(lifespan="unsupported"))
    assert runtime.invoke_endpoint(EndpointName="churn", Body=b"x")["Body"].read() == b"x|churn"


def test_an_asgi_app_within_another_event_loop(smfake, runtime):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", Asgi())

    async def call():
        return runtime.invoke_endpoint(EndpointName="churn", Body=b"x")["Body"].read()

    assert asyncio.run(call()) == b"x|churn+"


def test_the_end_of_the_fake_ends_the_apps():
    app = Asgi()
    with FakeSageMaker() as fake:
        fake.stand_in("churn", app)
        fake.add_endpoint("churn")
    assert app.events == ["lifespan.startup", "lifespan.shutdown"]


@pytest.mark.parametrize(
    "sick",
    [
        lambda smfake: smfake.stand_in("churn", wsgi(ping="500 Internal Server Error")),
        lambda smfake: smfake.stand_in("churn", Asgi(ping=404)),
        lambda smfake: smfake.stand_in("churn", Asgi(lifespan="failed")),
        lambda smfake: smfake.stand_in("churn", lambda *_: b"", ping=lambda: False),
        lambda smfake: smfake.stand_in("churn", lambda *_: b"", ping=lambda: 1 / 0),
        lambda smfake: smfake.stand_in(smfake.image, wsgi(ping="204 No Content")),
    ],
    ids=["wsgi", "asgi", "lifespan", "false", "raises", "image"],
)
def test_a_failing_ping_fails_the_endpoint(smfake, smfake_client, sick):
    with sick(smfake):
        smfake.add_endpoint("churn")
    described = smfake_client.describe_endpoint(EndpointName="churn")
    assert (described["EndpointStatus"], described["FailureReason"]) == ("Failed", PING)


def test_an_update_to_a_sick_container_leaves_what_ran(smfake, smfake_client, runtime):
    smfake.add_endpoint("churn")
    smfake.stand_in("churn", lambda *_: b"well")
    smfake.stand_in("sick", lambda *_: b"sick", ping=lambda: False)
    smfake.add_model(ModelName="sick")
    variant = {"VariantName": "AllTraffic", "ModelName": "sick", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    smfake_client.create_endpoint_config(EndpointConfigName="sick", ProductionVariants=[variant])
    smfake_client.update_endpoint(EndpointName="churn", EndpointConfigName="sick")
    endpoint = smfake.endpoints["churn"]
    assert (endpoint.status, endpoint.failure_reason, endpoint.config_name) == ("InService", PING, "churn")
    assert runtime.invoke_endpoint(EndpointName="churn", Body=b"")["Body"].read() == b"well"


def test_a_mock_is_a_function(smfake, runtime):
    smfake.add_endpoint("churn")
    predict = Mock(return_value=b"1")
    smfake.stand_in("churn", predict)
    runtime.invoke_endpoint(EndpointName="churn", Body=b"x")
    assert predict.call_args.args[0] == b"x"


async def coroutine(body, content_type, accept, context):
    return body


@pytest.mark.parametrize(
    "predict",
    ["text", None, lambda: b"", lambda body: body, lambda _a, _b, _c: b"", coroutine],
    ids=["text", "none", "0", "1", "3", "coroutine"],
)
def test_what_is_no_stand_in(smfake, predict):
    with pytest.raises(TypeError, match=r"a stand-in is a function \(body, content_type, accept, context\) -> bytes or"):
        smfake.stand_in("churn", predict)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("", wsgi()), ValueError, "a stand-in plays a model, an image or a model package"),
        ((" a", Mock()), ValueError, "got ' a'"),
        ((None, Mock()), ValueError, "got None"),
        (("a", Mock(), 5), TypeError, "a stand-in's ping is a function without parameters, not 5"),
        (("a", wsgi(), Mock()), TypeError, "only a function takes ping="),
        (("a", Mock(), None, 0), ValueError, "a stand-in's timeout is more than 0 seconds, not 0"),
    ],
    ids=["empty", "blank", "none", "ping", "ping-of-app", "timeout"],
)
def test_wrong_arguments(smfake, arguments, error, sentence):
    key, predict, *more = arguments
    with pytest.raises(error, match=sentence):
        smfake.stand_in(key, predict, **dict(zip(("ping", "timeout"), more, strict=False)))


def test_stopping_twice_does_nothing(smfake):
    stand_in = smfake.stand_in("churn", Mock())
    stand_in.stop()
    stand_in.stop()
    denial = smfake.deny("sts:AssumeRole")
    denial.stop()
    denial.stop()
    assert smfake.service.stand_ins.find("churn") is None
