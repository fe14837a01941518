"""The fixture `smfake_server`: in process, with xdist, with a subprocess, and on a server that all workers share."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request

import pytest

pytestmark = pytest.mark.usefixtures("alone")

SUITE = """
    import os
    import subprocess
    import sys

    import boto3
    import pytest
    from botocore.exceptions import ClientError

    def client(served):
        return boto3.client("sagemaker", region_name="us-east-1", endpoint_url=served.url)

    SCRIPT = "import boto3; print([model['ModelName'] for model in boto3.client('sagemaker').list_models()['Models']])"

    @pytest.mark.parametrize("number", range(4))
    def test_a_world_of_its_own(smfake_server, number):
        client(smfake_server).create_model(**smfake_server.fake.request(ModelName="same"))
        assert list(smfake_server.fake.models) == ["same"]

    @pytest.mark.smfake(limits={"models": 1}, account="111122223333")
    def test_settings(smfake_server):
        arn = client(smfake_server).create_model(**smfake_server.fake.request(ModelName="first"))["ModelArn"]
        assert ":111122223333:" in arn
        with pytest.raises(ClientError, match="ResourceLimitExceeded"):
            client(smfake_server).create_model(**smfake_server.fake.request(ModelName="second"))

    def test_a_subprocess(smfake_server):
        smfake_server.fake.add_model(ModelName="mine")
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, env=os.environ | smfake_server.env, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.strip() == "['mine']"

    def test_controls(smfake_server):
        fake = smfake_server.fake
        fault = fake.fail("CreateModel", "ThrottlingException", attempts=1)
        client(smfake_server).create_model(**fake.request(ModelName="a"))
        assert fault.hits == 1
        with fake.limit("models", 1), pytest.raises(ClientError, match="ResourceLimitExceeded"):
            client(smfake_server).create_model(**fake.request(ModelName="b"))
        with fake.deny("sagemaker:CreateModel"), pytest.raises(ClientError, match="AccessDenied"):
            client(smfake_server).create_model(**fake.request(ModelName="b"))
        before = fake.clock.now()
        with fake.delay("ListModels", 100):
            client(smfake_server).list_models()
        fake.clock.advance(50)
        assert fake.clock.now() - before >= 150
        throttle = fake.throttle(rate=0.001, burst=1)
        client(smfake_server).list_models()
        lax = boto3.session.Config(retries={"total_max_attempts": 1})
        with pytest.raises(ClientError, match="Rate exceeded"):
            boto3.client("sagemaker", region_name="us-east-1", endpoint_url=smfake_server.url, config=lax).list_models()
        assert throttle.hits == 1
        throttle.stop()
        assert len(fake.calls) == 6
        fake.reset()
        assert len(fake.calls) == len(fake.models) == 0
"""
TESTS = 7


@pytest.fixture
def serve():
    """Run `smfake serve --admin` as a process; yield its address without the token."""
    command = [sys.executable, "-m", "pytest_smfake.cli", "serve", "--port", "0", "--admin", "--token", "t0ken", "--log", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "smfake admin token: t0ken\n"
            yield re.search(r"http://(\S+)", process.stdout.readline())[1]
        finally:
            process.terminate()


def worlds(address: str) -> list[str]:
    request = urllib.request.Request(f"http://{address}/_smfake/worlds", headers={"Authorization": "Bearer t0ken"})
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310  # on loopback
        return json.load(response)["worlds"]


@pytest.mark.parametrize("extra", [[], pytest.param(["-p", "xdist", "-n", "2"], marks=pytest.mark.once)])
def test_in_this_process(extra, pytester):
    pytester.makepyfile(SUITE)
    pytester.runpytest_subprocess(*extra).assert_outcomes(passed=TESTS)


def test_on_a_server_that_all_workers_share(pytester, serve, monkeypatch):
    pytester.makepyfile(SUITE)
    monkeypatch.setenv("SMFAKE_TOKEN", "t0ken")
    pytester.runpytest_subprocess(f"--smfake-server=http://{serve}", "-p", "xdist", "-n", "2").assert_outcomes(passed=TESTS)
    assert worlds(serve) == ["default"]  # each world went with its test


def test_what_only_this_process_can(pytester):
    pytester.makepyfile("""
        import boto3
        import pytest

        def test_stand_ins_and_predicates(smfake_server, smfake):
            assert smfake_server.fake is smfake
            smfake.add_endpoint("churn")
            smfake.stand_in("churn", lambda body, *_: body.upper())
            smfake.fail("InvokeEndpoint", "ModelNotReadyException", attempts=1, when=lambda call: call.parameters["Body"] == b"abc")
            runtime = boto3.client("sagemaker-runtime", region_name="us-east-1", endpoint_url=smfake_server.url)
            assert runtime.invoke_endpoint(EndpointName="churn", Body=b"abc")["Body"].read() == b"ABC"
            assert smfake.calls[0].attempts == 2

        def test_moto_answers_what_is_not_implemented(smfake_moto, smfake_server):
            client = boto3.client("sagemaker", region_name="us-east-1", endpoint_url=smfake_server.url)
            assert client.list_notebook_instances()["NotebookInstances"] == []
            assert smfake_moto.calls[0].passed_on

        def test_afterwards_a_world_is_gone(smfake_server):
            urls.append(smfake_server.url)

        urls = []

        def test_this_is_afterwards(smfake_server):
            client = boto3.client("sagemaker", region_name="us-east-1", endpoint_url=urls[0])
            with pytest.raises(client.exceptions.ClientError, match="NoSuchWorld"):
                client.list_models()
    """)
    pytester.runpytest_subprocess(timeout=60).assert_outcomes(passed=4)


def test_a_model_that_another_region_holds_and_a_limit_that_is_stated(pytester, serve):
    pytester.makepyfile("""
        import boto3
        import pytest

        def test_it(smfake_server):
            fake = smfake_server.fake
            fake.add_model(ModelName="here")
            key = {"aws_access_key_id": "111122223333", "aws_secret_access_key": "x"}
            client = boto3.client("sagemaker", region_name="eu-west-1", endpoint_url=smfake_server.url, **key)
            client.create_model(**fake.request(ModelName="churn", PrimaryContainer={"Image": "churn:1"}))
            with pytest.raises(KeyError) as caught:
                fake.models["churn"]
            assert caught.value.args[0] == (
                "no model 'churn' in us-east-1, account 123456789012, but there is one in eu-west-1 of account 111122223333; models: here"
            )
            fake.limit("models", 7, enforce=False)
            fake.fail("CreateModel", "ResourceLimitExceeded")
            with pytest.raises(client.exceptions.ResourceLimitExceeded, match="is 7 Models, with current utilization of 7 Models"):
                client.create_model(**fake.request(ModelName="another"))
    """)
    pytester.runpytest_subprocess(f"--smfake-server=http://t0ken@{serve}", timeout=60).assert_outcomes(passed=1)


def test_what_cannot_cross_is_refused_and_unused_faults_fail(pytester, serve):
    pytester.makepyfile("""
        import pytest

        def test_refused(smfake_server):
            fake = smfake_server.fake
            with pytest.raises(ValueError, match="when=<function .*> cannot be sent to a server in another process"):
                fake.fail("CreateModel", "503", when=lambda call: True)
            with pytest.raises(AttributeError, match="stand_in works only with a fake in this process, not with the one at"):
                fake.stand_in("churn", print)
            with pytest.raises(ValueError, match="'Nope' is not a failure of CreateModel"):
                fake.fail("CreateModel", "Nope")
            with pytest.raises(ValueError, match="Value '_' at 'modelName' failed"):
                fake.add_model(ModelName="_")
            for helper in (fake.add_model, fake.request):
                with pytest.raises(ValueError, match="CreateModel has no member 'Modelname'; did you mean 'ModelName'"):
                    helper(Modelname="churn")
            with pytest.raises(ValueError, match="bound=a number of about 5000 digits cannot be sent to a server"):
                fake.limit("models", 10**5000)
            with pytest.raises(KeyError, match="no model 'churn' in us-east-1, account 123456789012; models: none"):
                fake.models["churn"]
            with pytest.raises(AttributeError, match="no attribute 'nothing'"):
                fake.nothing
            assert "RemoteFake http" in repr(fake)

        def test_unused(smfake_server):
            smfake_server.fake.fail("CreateModel", "503")

        @pytest.mark.smfake(limits={"model": 1})
        def test_settings(smfake_server):
            pass

        @pytest.mark.smfake(faults=[{"operation": "CreateModel", "code": "503", "when": print}])
        def test_settings_that_cannot_cross(smfake_server):
            pass
    """)
    result = pytester.runpytest_subprocess(f"--smfake-server=http://t0ken@{serve}")
    result.assert_outcomes(passed=1, failed=1, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*'model' is not a limit; did you mean 'models'?; there are: models*",
            "*smfake_server: faults=* cannot be sent to a server in another process*",
            "*fail('CreateModel', '503') was never triggered: no call of CreateModel arrived.*",
        ]
    )


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("https://127.0.0.1:1", "*--smfake-server: 'https://127.0.0.1:1' is not the URL of a server, such as*"),
        ("127.0.0.1:1", "*--smfake-server: '127.0.0.1:1' is not the URL of a server*"),
    ],
)
def test_addresses_that_are_none(address, text, pytester):
    result = pytester.runpytest_subprocess(f"--smfake-server={address}")
    assert result.ret == 4
    result.stderr.fnmatch_lines([text])


def test_servers_that_do_not_answer(pytester, serve, monkeypatch):
    monkeypatch.delenv("SMFAKE_TOKEN", raising=False)
    pytester.makepyfile("def test_it(smfake_server): pass")
    for address, text in [
        ("http://t@127.0.0.1:9", "*smfake_server: the server at 127.0.0.1:9 cannot be reached:*"),
        (f"http://{serve}", "*smfake_server: the token of the admin API is missing: put it into the variable SMFAKE_TOKEN*"),
        (f"http://wrong@{serve}", "*smfake_server: *The admin API needs the token*"),
    ]:
        result = pytester.runpytest_subprocess(f"--smfake-server={address}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([text])
