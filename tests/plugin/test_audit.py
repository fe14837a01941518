"""The audit in runs of pytest: whoever answers, each request is checked once, told where it was sent, and in mode `error` fails its test."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import boto3
import botocore.serialize
import moto  # noqa: F401  # imported here, so that runs in this process share it
import pytest
from botocore.stub import Stubber

from pytest_smfake import Catalogue, FakeSageMaker
from pytest_smfake.plugin.audit import Checked, Refusal, Watch, refusals, summary_lines

pytestmark = pytest.mark.usefixtures("alone")

SUITE = """
    import unittest

    import boto3
    import pytest

    ROLE = "arn:aws:iam::123456789012:role/deploy"
    KEYS = {"region_name": "us-east-1", "aws_access_key_id": "k", "aws_secret_access_key": "s"}

    def client(service="sagemaker", **arguments):
        return boto3.client(service, **KEYS | arguments)

    def create(client, name="bad_name", **more):
        return client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "img"}, **more)

    def stubbed(answer="create_model", service="sagemaker", response={"ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/x"}):
        from botocore.stub import Stubber

        made = client(service)
        stubber = Stubber(made)
        for _ in range(5):
            stubber.add_response(answer, response)
        stubber.activate()
        return made
"""
BAD_NAME = (
    "  Value 'bad_name' at 'modelName' failed to satisfy constraint: "
    "Member must satisfy regular expression pattern: ^[[]a-zA-Z0-9](-[*][[]a-zA-Z0-9])[*]"
)


@pytest.fixture
def plain(pytester):
    """Run a suite in this process."""

    def plain(source: str, *arguments: str):
        pytester.makepyfile(test_it=SUITE + source)
        return pytester.runpytest_inprocess("-rfE", *arguments)

    return plain


@pytest.fixture(params=["plain", pytest.param("-n 2", marks=pytest.mark.once)])
def run(request, pytester, plain):
    """Run a suite in this process and under xdist."""

    def workers(source: str, *arguments: str):
        pytester.makepyfile(test_it=SUITE + source)
        return pytester.runpytest_subprocess("-p", "xdist", "-n", "2", "-rfE", *arguments)

    return plain if request.param == "plain" else workers


ANSWERERS = """
    def test_moto():
        from moto import mock_aws

        with mock_aws():
            assert create(client())["ModelArn"]

    def test_stubber():
        assert create(stubbed())["ModelArn"]

    def test_stubber_of_sound_request():
        create(stubbed(), "churn")

    def test_handler():
        from botocore.awsrequest import AWSResponse

        class Raw:
            def stream(self, *args, **kwargs):
                yield b"{}"

        made = client()
        made.meta.events.register("before-send", lambda request, **_: AWSResponse(request.url, 200, {}, Raw()))
        create(made)

    def test_loopback():
        import threading
        from http.server import BaseHTTPRequestHandler, HTTPServer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args):
                pass

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.handle_request).start()
            create(client(endpoint_url=f"http://127.0.0.1:{server.server_port}"))

    def test_nobody_answers_and_each_retry_is_the_same_request():
        from botocore.config import Config
        from botocore.exceptions import EndpointConnectionError

        config = Config(retries={"mode": "standard", "total_max_attempts": 3})
        made, sent = client(config=config), []

        def refuse(request, **_):
            sent.append(request)
            raise EndpointConnectionError(endpoint_url=request.url)

        made.meta.events.register("before-send", refuse)
        with pytest.raises(EndpointConnectionError):
            create(made)
        assert len(sent) == 3

    def test_fake(smfake):
        with pytest.raises(Exception, match="1 validation error detected"):
            create(client())

    def test_refused_by_botocore_itself():
        from botocore.exceptions import ParamValidationError

        with pytest.raises(ParamValidationError):
            stubbed().create_model(PrimaryContainer={"Image": 5})
"""


def test_whoever_answers(run):
    result = run(ANSWERERS, "--smfake-audit=warn")
    result.assert_outcomes(passed=8)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "smfake: audit warn",
            "*= smfake audit =*",
            "CreateModel/ModelName:pattern (documented): 5 requests of 5 tests",
            BAD_NAME,
            "    test_it.py::test_handler",
            "    test_it.py::test_loopback",
            "    test_it.py::test_moto",
            "    and 2 more",
            "Checked 6 requests of 6 tests (edition page); the service would refuse 5 requests of 5 tests.",
        ],
        consecutive=False,
    )


def test_error_fails_the_tests_in_their_call_and_by_name(run):
    result = run(ANSWERERS, "--smfake-audit=error")
    result.assert_outcomes(passed=3, failed=5)
    result.stdout.fnmatch_lines_random(
        [
            "smfake audit: the service would refuse 1 of 1 request that this test sent (edition page)",
            "FAILED test_it.py::test_moto - *",
            "FAILED test_it.py::test_stubber - *",
            "FAILED test_it.py::test_handler - *",
            "FAILED test_it.py::test_loopback - *",
            "FAILED test_it.py::test_nobody_answers_and_each_retry_is_the_same_request - *",
            "  CreateModel/ModelName:pattern (documented)",
        ]
    )
    result.stdout.no_fnmatch_line("The run fails for*")


@pytest.mark.parametrize("arguments", [(), ("--smfake-audit=off", "-o", "smfake_audit=error")])
def test_off(plain, arguments):
    before = botocore.serialize.JSONSerializer.serialize_to_request
    result = plain("    def test_it(): create(stubbed())", *arguments)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*audit*")
    assert botocore.serialize.JSONSerializer.serialize_to_request is before


FAILURES = """
    def test_of_its_own():
        create(stubbed())
        raise KeyError("its own")

    def test_expected():
        with pytest.raises(ZeroDivisionError):
            create(stubbed())
            1 / 0

    @pytest.mark.xfail(reason="a name that moto takes")
    def test_xfail():
        create(stubbed())

    def test_skip():
        create(stubbed())
        pytest.skip("no more")

    def test_subtests(subtests):
        with subtests.test("one"):
            create(stubbed())
        with subtests.test("two"):
            create(stubbed(), "sound")

    class TestCase(unittest.TestCase):
        def test_fails(self):
            create(stubbed())
            self.assertEqual(1, 2)

        def test_passes(self):
            create(stubbed())
"""


def test_error_does_not_come_on_top_of_another_outcome(plain):
    result = plain(FAILURES, "--smfake-audit=error")
    result.assert_outcomes(failed=5, xfailed=1, skipped=1)
    result.stdout.fnmatch_lines_random(
        [
            "FAILED test_it.py::test_of_its_own - KeyError: 'its own'",
            "FAILED test_it.py::test_expected - *smfake audit: *",
            "smfake audit: the service would refuse 1 of 2 requests that this test sent (edition page)",
            "FAILED test_it.py::test_subtests - *smfake audit: *",
            "FAILED test_it.py::TestCase::test_fails - AssertionError: 1 != 2",
            "FAILED test_it.py::TestCase::test_passes - *smfake audit: *",
        ]
    )
    result.stdout.fnmatch_lines(["Checked 8 requests of 7 tests (edition page); the service would refuse 7 requests of 7 tests."])


PLACES = """
    create(stubbed(), "bad_while_collected")

    @pytest.fixture(scope="session")
    def shared():
        create(stubbed(), "bad_in_session")
        yield
        create(stubbed(), "bad_in_session_teardown")

    @pytest.fixture(scope="module")
    def of_module(shared):
        create(stubbed(), "bad_in_module")
        yield
        create(stubbed(), "bad_in_module_teardown")

    @pytest.fixture(scope="session")
    def broken():
        create(stubbed(), "bad_in_broken")
        raise RuntimeError

    @pytest.fixture
    def own(of_module):
        create(stubbed(), "sound")
        yield
        create(stubbed(), "bad_in_teardown")

    def test_first(own):
        pass

    def test_last(of_module):
        create(stubbed(), "sound")

    def test_broken(broken):
        pass
"""


def test_requests_outside_of_a_test_are_told_where_they_were_sent(pytester):
    pytester.makepyfile(test_it=SUITE + PLACES, test_other="def test_it(): pass")
    result = pytester.runpytest("--smfake-audit=error", "-o", "smfake_rules=CreateModel/ExecutionRoleArn:pattern = off")
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        [
            "CreateModel/ModelName:pattern (documented): 7 requests of 1 test, and 6 of them outside of tests",
            "  Value 'bad_while_collected' at 'modelName' failed *",
            "    collection of test_it.py",
            "    module fixture 'of_module' of test_it.py",
            "    session fixture 'broken'",
            "    and 2 more",
            "The run fails for 7 refused requests that no test sent before the end of its call.",
            "Checked 9 requests of 2 tests, and 6 of them outside of tests (edition page); the service would refuse *",
        ]
    )


def test_what_no_test_can_be_failed_for_fails_the_run(run):
    result = run(PLACES.replace("raise RuntimeError", "return"), "--smfake-audit=error")
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "CreateModel/ModelName:pattern (documented): * requests of 1 test, and * of them outside of tests",
            "    collection of test_it.py",
            "    module fixture 'of_module' of test_it.py",
        ]
    )


def test_a_worker_without_tests_tells_what_it_sent_while_it_collected(run, request):
    workers = 2 if "-n 2" in request.node.name else 1
    result = run("    create(stubbed())\n    def test_it(): pass", "--smfake-audit=warn")
    noun = "request" if workers == 1 else "requests"
    result.stdout.fnmatch_lines([f"Checked {workers} {noun} of 0 tests, and {workers} of them outside of tests (edition page); *"])


def test_the_run_does_not_fail_otherwise(plain):
    assert plain("    create(stubbed())\n    def test_it(): pass", "--smfake-audit=warn").ret == pytest.ExitCode.OK
    assert plain("    def test_it(): create(stubbed(), 'sound')", "--smfake-audit=error").ret == pytest.ExitCode.OK


@pytest.mark.parametrize("mode", ["new", "", "Warn"])
def test_an_unknown_mode(plain, mode):
    for arguments in (f"--smfake-audit={mode}",), ("-o", f"smfake_audit={mode}"):
        result = plain("", *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: smfake_audit or --smfake-audit: unknown mode '{mode}'; expected one of: off, warn, error"])


def test_edition_rules_and_what_the_other_edition_says(plain):
    source = """
    ROLES = {"ExecutionRoleArn": ROLE}

    def test_page():
        stubbed().create_model(ModelName="a", Containers=[{"Image": "img"}] * 6, **ROLES)

    def test_both():
        stubbed().create_model(ModelName="a", Containers=[{"Image": "img"}] * 16, **ROLES)
    """
    result = plain(source, "--smfake-audit=warn")
    result.stdout.fnmatch_lines(
        [
            "CreateModel/Containers:max (documented): 2 requests of 2 tests",
            "  Value '[[]ContainerDefinition(image=img), *...' at 'containers' failed *: Member must have length less than or equal to 5",
            "  The rule is 5 in edition page and is 15 in edition sdk; 1 of the 2 requests would pass there.",
        ]
    )
    rules = "smfake_rules=CreateModel/Containers:max = 16\nCreateModel:ecr-image = off"
    result = plain(source, "--smfake-edition=sdk", "-o", "smfake_audit=warn", "-o", rules)
    result.stdout.fnmatch_lines(["Checked 2 requests of 2 tests (edition sdk); the service would refuse 0 requests of 0 tests."])


def test_values_are_what_the_wire_has(plain):
    source = """
    import datetime
    import io

    def test_timestamps():
        stubbed("list_models", response={"Models": []}).list_models(CreationTimeAfter=datetime.datetime(2026, 11, 1), MaxResults=100)

    def test_body():
        runtime = stubbed("invoke_endpoint", "sagemaker-runtime", {"Body": b""})
        runtime.invoke_endpoint(EndpointName="churn", Body=b"1", ContentType="text/csv")
        stream = io.BytesIO(b"1")
        runtime.invoke_endpoint(EndpointName="bad_name", Body=stream)
        assert stream.read() == b"1"

    def test_number():
        runtime = stubbed("invoke_endpoint_async", "sagemaker-runtime", {})
        runtime.invoke_endpoint_async(EndpointName="churn", InputLocation="s3://b/k", InvocationTimeoutSeconds=5)

    def test_no_json():
        stubbed("list_models", response={"Models": []}).list_models(NameContains="\\ud800")

    def test_other_services():
        stubbed("list_buckets", "s3", {}).list_buckets()
        stubbed("list_human_loops", "sagemaker-a2i-runtime", {"HumanLoopSummaries": []}).list_human_loops(FlowDefinitionArn="bad")
    """
    result = plain(source, "--smfake-audit=warn")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            "InvokeEndpoint/EndpointName:pattern (modelled): 1 request of 1 test",
            "    test_it.py::test_body",
            "ListModels:json (assumed): 1 request of 1 test",
            "  SerializationException, without a message: the body is not valid JSON",
            "Checked 5 requests of 4 tests (edition page); the service would refuse 2 requests of 2 tests.",
        ]
    )


def test_a_suite_without_requests(plain):
    result = plain("    def test_it(smfake): pass", "--smfake-audit=error")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["No SageMaker request was seen, outside of an active FakeSageMaker, which checks its own."])


def test_the_docs_show_what_is_printed(pytester):
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")
    source, said = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL)[1] for kind in ("python", "text"))
    pytester.makepyfile(test_deploy=source)
    result = pytester.runpytest_inprocess("--smfake-audit=warn")
    result.assert_outcomes(passed=1)
    assert said in result.stdout.str()


LAZY = """
    import sys

    def test_nothing_is_imported():
        assert "botocore" not in sys.modules
        assert ("pytest_smfake.plugin.audit" in sys.modules) is AUDITED

    def test_late_import():
        import boto3
        from botocore.stub import Stubber

        client = boto3.client("sagemaker", region_name="us-east-1")
        with Stubber(client) as stubber:
            stubber.add_response("delete_model", {})
            client.delete_model(ModelName="bad_name")
"""


@pytest.mark.parametrize("audited", [True, False])
def test_botocore_is_watched_when_the_suite_imports_it_and_never_imported_for_this(pytester, audited):
    pytester.makepyfile(LAZY.replace("AUDITED", str(audited)))
    arguments = ["--smfake-audit=warn"] if audited else []
    result = pytester.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=2)
    if audited:
        result.stdout.fnmatch_lines(["Checked 1 request of 1 test (edition page); the service would refuse 1 request of 1 test."])


def delete(name: str) -> None:
    client = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    with Stubber(client) as stubber:
        stubber.add_response("delete_model", {})
        client.delete_model(ModelName=name)


def test_a_watch_sees_each_request_between_its_start_and_its_stop():
    seen = []
    watch = Watch(lambda operation, sent: seen.append((operation, sent)))
    classes = (botocore.serialize.JSONSerializer, botocore.serialize.BaseRestSerializer)
    before = [owner.serialize_to_request for owner in classes]
    delete("before")
    watch.start()
    delete("a")
    with FakeSageMaker() as fake:
        fake.client().create_model(**fake.request())
    delete("b")
    watch.stop()
    delete("after")
    assert seen == [("DeleteModel", b'{"ModelName": "a"}'), ("DeleteModel", b'{"ModelName": "b"}')]
    assert [owner.serialize_to_request for owner in classes] == before


def test_a_rule_is_told_once_a_request_and_long_values_are_short():
    request = {
        "ModelName": "x" * 1000,
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/deploy",
        "Containers": [{"Image": "img", "Mode": "many"}, {"Image": "img", "Mode": "more"}],
    }
    found = list(refusals("CreateModel", request, Catalogue()))
    assert [refusal.rule for refusal in found] == ["CreateModel/ModelName:max", "CreateModel/Containers[].Mode:enum"]
    assert found[1].text == (
        "Value 'many' at 'containers.1.member.mode' failed to satisfy constraint: Member must satisfy enum value set: [SingleModel, MultiModel]"
    )
    assert found[0].text == (
        f"Value '{'x' * 57}...' at 'modelName' failed to satisfy constraint: Member must have length less than or equal to 63"
    )
    variants = [{"VariantName": "a", "ModelName": "a", "InstanceType": "ml.none"}]
    [kind] = refusals("CreateEndpointConfig", {"EndpointConfigName": "a", "ProductionVariants": variants}, Catalogue())
    assert len(kind.text) == 300
    assert kind.text.startswith("Value 'ml.none' at 'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must ")
    assert kind.text.endswith("...")


def test_the_most_frequent_rule_comes_first_and_travels_unharmed():
    rare, often = (Refusal(name, "modelled", f"sentence of {name}") for name in ("A:rare", "B:often"))
    checked = [Checked(f"test_{number}", "test", "ListModels", (often,)) for number in range(5)]
    checked += [Checked("test_0", "teardown", "ListModels", (rare, often)), Checked("session fixture 'a'", "elsewhere", "ListModels", ())]
    lines = [
        "B:often (modelled): 6 requests of 5 tests",
        "  sentence of B:often",
        "    test_0",
        "    test_0, in its teardown",
        "    test_1",
        "    and 3 more",
        "A:rare (modelled): 1 request of 1 test",
        "  sentence of A:rare",
        "    test_0, in its teardown",
        "Checked 7 requests of 5 tests, and 1 of them outside of tests (edition sdk); the service would refuse 6 requests of 5 tests.",
    ]
    assert list(summary_lines(checked, "warn", "sdk")) == lines
    assert [Checked.read(asdict(request)) for request in checked] == checked
