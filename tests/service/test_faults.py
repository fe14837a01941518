"""Faults: which calls trigger them, when, and which arguments are refused."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from moto import mock_aws

from pytest_smfake import Delay, FakeSageMaker, Fault, UnusedFaultError, probability
from pytest_smfake.rules.failures import modelled
from pytest_smfake.rules.service_model import operation_names
from pytest_smfake.service.limits import quota_of_instances
from pytest_smfake.service.service import KINDS

JOB = {
    "TrainingJobName": "job",
    "RoleArn": "arn:aws:iam::123456789012:role/r",
    "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "i"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1},
}


class Large(int):
    """A number that Python does not print."""

    def __repr__(self) -> str:
        return "large"


LARGE = Large(10**5000)


def code_of(call, **arguments) -> str | None:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def codes(fake, number, **overrides):
    return [code_of(fake.client().create_model, **fake.request(ModelName=f"m{i}", **overrides)) for i in range(number)]


class TestWhichCalls:
    @pytest.mark.parametrize(("mode", "attempts"), [("legacy", 5), ("standard", 3), ("adaptive", 3)])
    def test_one_call_with_all_its_retries(self, smfake, mode, attempts):
        client = smfake.client(config=Config(retries={"mode": mode}))
        fault = smfake.fail("ListModels", "ThrottlingException")
        with pytest.raises(ClientError) as caught:
            client.list_models()
        assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == attempts - 1
        assert client.list_models()["Models"] == []
        assert fault.hits == 1
        assert [call.attempts for call in smfake.calls] == [attempts, 1]

    def test_the_first_attempts_only(self, smfake, smfake_client):
        fault = smfake.fail("ListModels", "ThrottlingException", attempts=2)
        assert smfake_client.list_models()["ResponseMetadata"]["RetryAttempts"] == 2
        assert (fault.hits, smfake.calls[0].faults, smfake.calls[0].error) == (1, [fault], None)

    def test_times_and_after(self, smfake):
        smfake.fail("CreateModel", "ResourceLimitExceeded", times=2, after=1)
        assert codes(smfake, 5) == [None, "ResourceLimitExceeded", "ResourceLimitExceeded", None, None]
        assert list(smfake.models) == ["m0", "m3", "m4"]

    def test_several_make_a_sequence(self, smfake):
        smfake.fail("CreateModel", "ResourceLimitExceeded")
        smfake.fail("CreateModel", "AccessDeniedException", after=1)
        smfake.fail("CreateModel", "OptInRequired", times=None)
        expected = ["ResourceLimitExceeded", None, "AccessDeniedException", "OptInRequired", "OptInRequired"]
        assert codes(smfake, 5) == expected

    def test_a_predicate_on_the_call(self, smfake):
        smfake.fail("CreateModel", "ResourceLimitExceeded", times=None, when=lambda call: call.parameters["ModelName"] == "m1")
        smfake.fail("CreateModel", "OptInRequired", times=None, when=lambda call: call.region == "eu-west-1")
        smfake.fail("CreateModel", "NotAuthorized", times=None, when=lambda call: call.account == "111122223333")
        assert codes(smfake, 3) == [None, "ResourceLimitExceeded", None]
        elsewhere = smfake.client(region_name="eu-west-1"), smfake.client(account="111122223333")
        assert [code_of(client.create_model, **smfake.request()) for client in elsewhere] == ["OptInRequired", "NotAuthorized"]

    def test_a_predicate_that_raises_is_seen(self, smfake, smfake_client):
        smfake.fail("ListModels", "ThrottlingException", when=lambda call: call.parameters["Missing"], optional=True)
        with pytest.raises(KeyError, match="Missing"):
            smfake_client.list_models()

    def test_a_share_of_the_calls_the_same_each_time(self):
        seen = []
        for _ in range(2):
            with FakeSageMaker() as fake:
                fake.fail("CreateModel", "ResourceLimitExceeded", times=None, when=probability(0.3, seed=4))
                seen.append(codes(fake, 50))
        assert seen[0] == seen[1]
        assert 5 < seen[0].count("ResourceLimitExceeded") < 25

    def test_every_operation(self, smfake, smfake_client):
        with smfake.fail("*", "503", times=2):
            assert code_of(smfake_client.list_models) == "503"
            assert code_of(smfake.client("sagemaker-runtime").invoke_endpoint, EndpointName="e", Body=b"") == "503"

    def test_a_call_that_is_rejected_before_leaves_the_fault_for_another(self, smfake, smfake_client):
        fault = smfake.fail("CreateModel", "ResourceLimitExceeded")
        assert code_of(smfake_client.create_model, **smfake.request(ModelName="-")) == "ValidationException"
        assert fault.hits == 0
        assert codes(smfake, 2) == ["ResourceLimitExceeded", None]

    def test_one_that_strikes_on_arrival_needs_no_sound_request(self, smfake, smfake_client):
        smfake.fail("CreateModel", "ThrottlingException")
        assert code_of(smfake_client.create_model, **smfake.request(ModelName="-")) == "ThrottlingException"

    def test_it_ends(self, smfake):
        fault = smfake.fail("CreateModel", "ResourceLimitExceeded", times=None)
        assert codes(smfake, 1) == ["ResourceLimitExceeded"]
        fault.stop()
        assert codes(smfake, 1) == [None]
        with smfake.fail("CreateModel", "ResourceLimitExceeded", times=None):
            assert codes(smfake, 2) == ["ResourceLimitExceeded"] * 2
        assert codes(smfake, 3) == ["ValidationException", None, None]

    @pytest.mark.smfake(faults=[("CreateModel", "ResourceLimitExceeded"), {"operation": "ListModels", "code": "503", "attempts": 1}])
    def test_the_marker(self, smfake, smfake_client):
        assert codes(smfake, 2) == ["ResourceLimitExceeded", None]
        assert smfake_client.list_models()["ResponseMetadata"]["RetryAttempts"] == 1
        smfake.reset()
        assert codes(smfake, 1) == ["ResourceLimitExceeded"]
        assert smfake_client.list_models()["ResponseMetadata"]["RetryAttempts"] == 1

    def test_the_decorator_begins_anew_each_time(self):
        @FakeSageMaker(faults=[("CreateModel", "ResourceLimitExceeded")])
        def run():
            fake = FakeSageMaker()
            return codes(fake, 2)

        assert run() == run() == ["ResourceLimitExceeded", None]


class TestWhatItDoes:
    def test_the_numbers_of_a_limit_that_is_not_in_force_are_the_default_s(self, smfake, smfake_client):
        def text(operation, call, **request):
            smfake.fail(operation, "ResourceLimitExceeded")
            with pytest.raises(ClientError) as caught:
                call(**request)
            return caught.value.response["Error"]["Message"].split(". ")[0]

        smfake.add_endpoint("churn", count=3)
        assert text("CreateModel", smfake_client.create_model, **smfake.request()) == (
            "The account-level service limit 'Total number of models' is 1000 Models, with current utilization of 1000 Models and a request delta of 1 Models"
        )
        endpoint = {"EndpointName": "other", "EndpointConfigName": "churn"}
        assert text("CreateEndpoint", smfake_client.create_endpoint, **endpoint) == (
            "The account-level service limit 'ml.m5.xlarge for endpoint usage' is 3 Instances, with current utilization of 3 Instances "
            "and a request delta of 3 Instances"
        )
        assert "'ml.m5.xlarge for endpoint usage' is 3 Instances" in text("UpdateEndpoint", smfake_client.update_endpoint, **endpoint)
        serverless = {"VariantName": "v", "ModelName": "churn", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
        smfake_client.create_endpoint_config(EndpointConfigName="serverless", ProductionVariants=[serverless])
        endpoint = {"EndpointName": "other", "EndpointConfigName": "serverless"}
        memory = "'Memory size in MB per serverless endpoint' is 3072 MBs, with current utilization of {} MBs and a request delta of {} MBs"
        assert memory.format(3072, 1024) in text("CreateEndpoint", smfake_client.create_endpoint, **endpoint)
        serverless["ServerlessConfig"]["MemorySizeInMB"] = 4096
        smfake_client.create_endpoint_config(EndpointConfigName="large", ProductionVariants=[serverless])
        endpoint["EndpointConfigName"] = "large"
        assert memory.format(0, 4096) in text("CreateEndpoint", smfake_client.create_endpoint, **endpoint)  # as reported
        config = {"EndpointConfigName": "c", "ProductionVariants": [serverless]}
        assert (
            "'Total number of endpoint configurations' is 1000 Endpoint Configurations, with current utilization of 1000 Endpoint "
            "Configurations and a request delta of 1 "
        ) in text("CreateEndpointConfig", smfake_client.create_endpoint_config, **config)
        more = {"EndpointName": "churn", "DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic", "DesiredInstanceCount": 5}]}
        assert text("UpdateEndpointWeightsAndCapacities", smfake_client.update_endpoint_weights_and_capacities, **more) == (
            "The account-level service limit 'ml.m5.xlarge for endpoint usage' is 3 Instances, with current utilization of 3 Instances "
            "and a request delta of 2 Instances"
        )
        trial = {"TrialName": "t", "ExperimentName": "e"}
        assert "'Total number of trials' is 100 Trials, with current utilization of 100 Trials and a" in text(
            "CreateTrial", smfake_client.create_trial, **trial
        )
        transform = {
            "TransformJobName": "job",
            "ModelName": "churn",
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket"}}},
            "TransformOutput": {"S3OutputPath": "s3://bucket"},
            "TransformResources": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 4},
        }
        assert text("CreateTransformJob", smfake_client.create_transform_job, **transform) == (
            "The account-level service limit 'ml.c5.xlarge for transform job usage' is 0 Instances, with current utilization of 0 Instances "
            "and a request delta of 4 Instances"
        )
        assert text("CreateTrainingJob", smfake_client.create_training_job, **JOB) == (
            "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances, with current utilization of 0 Instances "
            "and a request delta of 2 Instances"
        )
        project = {"ExperimentName": "e"}
        assert text("CreateExperiment", smfake_client.create_experiment, **project) == (
            "The account-level service limit 'Total number of experiments' is 100 Experiments, with current utilization of 100 Experiments "
            "and a request delta of 1 Experiments"
        )
        with smfake.limit("models", 9, used=8):
            assert "is 9 Models, with current utilization of 8 Models" in text(
                "CreateModel", smfake_client.create_model, **smfake.request()
            )

    def test_the_class_is_the_modelled_one(self, smfake, smfake_client):
        smfake.fail("CreateModel", "ResourceLimitExceeded", message="No more.")
        with pytest.raises(smfake_client.exceptions.ResourceLimitExceeded, match=r"No more\.$"):
            smfake_client.create_model(**smfake.request())

    def test_the_runtime_has_errors_of_its_own(self, smfake):
        runtime = smfake.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
        for code, status in {"ModelNotReadyException": 429, "InternalDependencyException": 530, "ValidationException": 400}.items():
            smfake.fail("InvokeEndpoint", code, message="because")
            with pytest.raises(ClientError, match="because") as caught:
                runtime.invoke_endpoint(EndpointName="e", Body=b"")
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert smfake.calls[-1].error.code == "ValidationError"

    def test_a_skewed_clock_is_told_with_the_time(self, smfake, smfake_client):
        smfake.fail("ListModels", "clock-skew")
        with pytest.raises(
            ClientError, match=r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)"
        ):
            smfake_client.list_models()

    def test_a_lost_answer_and_what_the_retry_finds(self, smfake, smfake_client):
        smfake.fail("CreateModel", "connection-reset", attempts=1, effect="after")
        with pytest.raises(ClientError, match="Cannot create already existing model"):
            smfake_client.create_model(**smfake.request())
        assert list(smfake.models) == ["model"]

    @pytest.mark.parametrize("code", ["InternalFailure", "connection-reset", "read-timeout", "503", "ResourceLimitExceeded"])
    def test_after_the_effect(self, smfake, smfake_client, code):
        smfake.fail("CreateModel", code, effect="after")
        with pytest.raises((ClientError, ConnectionClosedError, ReadTimeoutError)):
            smfake_client.create_model(**smfake.request())
        assert list(smfake.models) == ["model"]
        assert (smfake.calls[0].response, smfake.calls[0].faults[0].hits) == (None, 1)

    @pytest.mark.parametrize(
        "code", ["InternalFailure", "connection-reset", "read-timeout", "connect-timeout", "connection-refused", "503"]
    )
    def test_before_the_effect(self, smfake, smfake_client, code):
        smfake.fail("CreateModel", code)
        with pytest.raises(Exception, match=r"CreateModel|https://"):
            smfake_client.create_model(**smfake.request())
        assert list(smfake.models) == []

    def test_after_the_effect_there_must_be_one(self, smfake, smfake_client):
        fault = smfake.fail("CreateModel", "503", effect="after", optional=True)
        assert code_of(smfake_client.create_model, **smfake.request(ModelName="-")) == "ValidationException"
        assert fault.hits == 0

    @pytest.mark.parametrize("code", ["empty-body", "truncated-body", "non-json-body"])
    def test_a_damaged_answer_comes_after_the_effect(self, smfake, code):
        client = smfake.client(config=Config(retries={"total_max_attempts": 1}))
        smfake.fail("CreateModel", code)
        with suppress(ConnectionClosedError):  # what older versions of botocore make of a body that is cut short
            assert "ModelArn" not in client.create_model(**smfake.request())
        assert list(smfake.models) == ["model"]
        assert smfake.calls[0].response == {"ModelArn": smfake.models["model"].arn}

    def test_timeouts_take_the_client_s_time_on_the_clock(self, smfake):
        client = smfake.client(config=Config(read_timeout=7, connect_timeout=3, retries={"total_max_attempts": 1}))
        for code, seconds in {"read-timeout": 7, "connect-timeout": 3}.items():
            before = smfake.clock.now()
            smfake.fail("ListModels", code)
            with pytest.raises(Exception, match="imeout"):
                client.list_models()
            assert smfake.clock.now() - before == pytest.approx(seconds, abs=1)

    def test_operations_that_moto_answers(self):
        with mock_aws(), FakeSageMaker() as fake:
            client = fake.client()
            fake.fail("CreateTrainingJob", "ResourceLimitExceeded")
            fake.fail("CreateTrainingJob", "connection-reset", effect="after", attempts=1)
            fake.fail("DescribeTrainingJob", "non-json-body")
            assert code_of(client.create_training_job, **JOB) == "ResourceLimitExceeded"
            assert client.list_training_jobs()["TrainingJobSummaries"] == []
            code_of(client.create_training_job, **JOB)  # the retry meets what the lost answer left
            assert [job["TrainingJobName"] for job in client.list_training_jobs()["TrainingJobSummaries"]] == ["job"]
            assert "TrainingJobArn" not in client.describe_training_job(TrainingJobName="job")
            assert "TrainingJobArn" in client.describe_training_job(TrainingJobName="job")

    def test_operations_that_nothing_answers(self, smfake, smfake_client):
        smfake.fail("CreateTrainingJob", "ResourceInUse")
        assert code_of(smfake_client.create_training_job, **JOB) == "ResourceInUse"

    def test_it_is_seen(self, smfake, smfake_client):
        fault = smfake.fail("ListModels", "ThrottlingException", attempts=1)
        smfake_client.list_models()
        assert "fail('ListModels', 'ThrottlingException', attempts=1)" in repr(smfake.calls[0])
        assert repr(fault) == "<Fault fail('ListModels', 'ThrottlingException', attempts=1), hits=1>"
        assert isinstance(fault, Fault)


class TestTheLimitOfAFault:
    """What the text of ResourceLimitExceeded names, on purpose: the active limit, else one that is stated, else the default."""

    @staticmethod
    def numbers(fake, **client):
        fake.fail("CreateModel", "ResourceLimitExceeded")
        with pytest.raises(ClientError) as caught:
            fake.client(**client).create_model(**fake.request(ModelName="refused"))
        text = caught.value.response["Error"]["Message"]
        return tuple(map(int, re.findall(r"(?:is|of) (\d+) Models", text)))

    def test_a_limit_in_force_and_the_true_utilisation(self, smfake):
        smfake.add_model(ModelName="a")
        smfake.at(region="eu-west-1").add_model(ModelName="b")
        smfake.at(region="eu-west-1").add_model(ModelName="c")
        smfake.limit("models", 5)
        smfake.limit("models", 7, region="eu-west-1")
        smfake.limit("models", 9, account="111122223333", used=4)
        assert self.numbers(smfake) == (5, 1, 1)
        assert self.numbers(smfake, region_name="eu-west-1") == (7, 2, 1)
        assert self.numbers(smfake, account="111122223333") == (9, 4, 1)

    def test_a_limit_that_is_lifted_is_not_in_force(self, smfake):
        smfake.limit("models", 5)
        smfake.limit("models", None)
        assert self.numbers(smfake) == (1000, 1000, 1)

    def test_the_default_can_be_set_and_refuses_nothing(self, smfake, smfake_client):
        with (
            smfake.limit("models", 0, region="eu-west-1", enforce=False),
            smfake.limit("models", 2, enforce=False, name="Models", unit="Models"),
        ):
            for name in ("a", "b", "c"):
                smfake_client.create_model(**smfake.request(ModelName=name))
            assert self.numbers(smfake) == (3, 3, 1)  # what the world holds is never more than the limit
            smfake_client.delete_model(ModelName="a")
            smfake_client.delete_model(ModelName="b")
            assert self.numbers(smfake) == (2, 2, 1)
            smfake.limit("models", 4)
            assert self.numbers(smfake) == (4, 1, 1)
        assert self.numbers(smfake) == (4, 1, 1)

    def test_a_stated_limit_is_no_lifted_one(self, smfake, smfake_client):
        smfake.limit("models", 0)
        smfake.limit("models", 1000, enforce=False)
        with pytest.raises(smfake_client.exceptions.ResourceLimitExceeded, match="is 0 Models"):
            smfake_client.create_model(**smfake.request())

    def test_faults_as_data(self):
        with (
            FakeSageMaker(faults=[("CreateModel", "ResourceLimitExceeded")], limits={"models": 3}) as fake,
            pytest.raises(ClientError, match="is 3 Models, with current utilization of 0 Models"),
        ):
            fake.client().create_model(**fake.request())

    def test_every_operation_that_can_fail_with_it_names_numbers_that_agree(self):
        service = FakeSageMaker().service
        world = service.store.world(FakeSageMaker().home)
        for operation in operation_names():
            if "ResourceLimitExceeded" in {found.code for found in modelled(operation)}:
                text = service.limits.injected_text(operation, {}, world)
                bound, used = map(int, re.findall(r"(?:is|utilization of) (\d+) ", text))
                assert bound == used, text

    def test_how_the_defaults_are_known(self):
        assert {key: (quota.default, quota.evidence) for kind in KINDS for key, quota in kind.quotas.items()} == {
            "models": (1000, "assumed"),
            "endpoint-configs": (1000, "assumed"),
            "endpoints": (100, "assumed"),
            "Memory size in MB per serverless endpoint": (3072, "reported"),
        }
        of_instances = quota_of_instances("ml.m5.xlarge for endpoint usage")
        assert (of_instances.default, of_instances.evidence) == (0, "observed")


class TestDelays:
    def test_on_the_clock(self, smfake, smfake_client):
        before = smfake.clock.now()
        with smfake.delay("ListModels", 30) as delay:
            smfake_client.list_models()
            smfake_client.list_models()
        assert 60 <= smfake.clock.now() - before < 65
        assert (delay.hits, isinstance(delay, Delay), repr(delay)) == (2, True, "<Delay delay('ListModels', 30), hits=2>")

    def test_in_real_time(self, smfake, smfake_client, monkeypatch):
        slept = []
        monkeypatch.setattr("time.sleep", slept.append)
        smfake.delay("ListModels", 0.25, real=True)
        smfake_client.list_models()
        assert slept == [0.25]

    def test_a_client_that_waits_for_less_gives_up_and_it_happens_none_the_less(self, smfake):
        client = smfake.client(config=Config(read_timeout=10, retries={"total_max_attempts": 1}))
        smfake.delay("CreateModel", 11, times=1)
        with pytest.raises(ReadTimeoutError):
            client.create_model(**smfake.request())
        assert list(smfake.models) == ["model"]

    def test_a_slow_answer_can_be_an_error(self, smfake, smfake_client):
        smfake.delay("ListModels", 5)
        smfake.fail("ListModels", "OptInRequired")
        before = smfake.clock.now()
        assert code_of(smfake_client.list_models) == "OptInRequired"
        assert smfake.clock.now() - before >= 5


class TestThrottles:
    def test_a_bucket_empties_and_fills(self, smfake):
        client = smfake.client(config=Config(retries={"total_max_attempts": 1}))
        throttle = smfake.throttle(rate=1, burst=3)
        seen = [code_of(client.list_models) for _ in range(5)]
        assert seen == [None] * 3 + ["ThrottlingException"] * 2
        smfake.clock.advance(2)
        assert [code_of(client.list_models) for _ in range(3)] == [None, None, "ThrottlingException"]
        smfake.clock.advance(3600)
        assert [code_of(client.list_models) for _ in range(4)] == [None] * 3 + ["ThrottlingException"]
        assert throttle.hits == 4
        assert smfake.calls[-1].faults == [throttle]
        throttle.stop()
        assert code_of(client.list_models) is None

    def test_each_attempt_counts_and_back_off_helps(self, smfake):
        client = smfake.client(config=Config(retries={"mode": "standard", "total_max_attempts": 10}))
        smfake.throttle(rate=2, burst=1)
        for _ in range(5):
            client.list_models()
        assert max(call.attempts for call in smfake.calls) > 1

    def test_places_and_operations_have_buckets_of_their_own(self, smfake):
        config = Config(retries={"total_max_attempts": 1})
        smfake.throttle(rate=0.001, burst=1, operation="ListModels")
        here, there = smfake.client(config=config), smfake.client(config=config, region_name="eu-west-1")
        assert [code_of(here.list_models), code_of(there.list_models), code_of(here.list_endpoints)] == [None] * 3
        assert [code_of(here.list_models), code_of(here.list_endpoints)] == ["ThrottlingException", None]

    def test_a_throttled_call_meets_its_fault_later(self, smfake, smfake_client):
        smfake.throttle(rate=1000, burst=1)
        smfake.fail("ListModels", "OptInRequired")
        smfake_client.list_endpoints()
        assert code_of(smfake_client.list_models) == "OptInRequired"


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (
                ("CreateModell", "ThrottlingException"),
                "'CreateModell' is not an operation of SageMaker, nor '\\*' for all; near it: CreateModel",
            ),
            ((None, "ThrottlingException"), "None is not an operation"),
            (
                ("CreateModel", "Thottling"),
                "'Thottling' is not a failure of CreateModel; near it: ThrottlingException; there are: ResourceLimitExceeded, AccessDeniedException, ",
            ),
            (("CreateModel", "ResourceInUse"), "'ResourceInUse' is not a failure of CreateModel; .* unmodelled=True"),
            (("*", "ResourceLimitExceeded"), r"'ResourceLimitExceeded' is not a failure of \*"),
            (("CreateModel", ""), "'' is not an error code"),
            (("CreateModel", 503), "503 is not an error code"),
        ],
        ids=str,
    )
    def test_what_there_is_not(self, smfake, arguments, sentence):
        with pytest.raises(ValueError, match=sentence):
            smfake.fail(*arguments)

    @pytest.mark.parametrize(
        ("keywords", "sentence"),
        [
            ({"times": 0}, "times=0 is not a whole number of at least 1; None stands for every call"),
            ({"times": -1}, "times=-1 is not"),
            ({"times": True}, "times=True is not"),
            ({"times": LARGE}, "times=a number of about 5000 digits is not a whole number of at least 1"),
            ({"after": -1}, "after=-1 is not a whole number of at least 0"),
            ({"after": None}, "after=None is not"),
            ({"attempts": 0}, "attempts=0 is not a whole number of at least 1; None stands for all"),
            ({"attempts": 1.5}, "attempts=1.5 is not"),
            ({"when": "always"}, "when='always' is not callable; expected a function that takes the call"),
            ({"effect": "during"}, "effect='during' is unknown; expected 'before' or 'after'"),
            ({"message": 7}, "message=7 is not a string"),
        ],
        ids=str,
    )
    def test_what_cannot_be(self, smfake, keywords, sentence):
        with pytest.raises(ValueError, match=sentence):
            smfake.fail("CreateModel", "ThrottlingException", **keywords)

    @pytest.mark.parametrize(
        ("code", "keywords", "sentence"),
        [
            ("connection-refused", {"effect": "after"}, "effect='after' is impossible with connection-refused"),
            ("truncated-body", {"effect": "before"}, "effect='before' is impossible with truncated-body"),
            ("503", {"message": "no"}, "message='no' is impossible: 503 has no text"),
        ],
    )
    def test_what_does_not_go_together(self, smfake, code, keywords, sentence):
        with pytest.raises(ValueError, match=sentence):
            smfake.fail("CreateModel", code, **keywords)

    def test_a_code_that_nobody_knows(self, smfake, smfake_client):
        smfake.fail("CreateModel", "TeapotException", unmodelled=True, message="short and stout")
        with pytest.raises(ClientError, match=r"\(TeapotException\).*short and stout"):
            smfake_client.create_model(**smfake.request())

    def test_two_without_end(self, smfake):
        smfake.fail("CreateModel", "ResourceLimitExceeded", times=None, optional=True)
        for operation, keywords in [("CreateModel", {"times": None}), ("CreateModel", {}), ("CreateModel", {"when": bool})]:
            with pytest.raises(
                ValueError, match=r"can never be triggered: fail\('CreateModel', 'ResourceLimitExceeded', times=None\) is active already"
            ):
                smfake.fail(operation, "ThrottlingException", **keywords)
        smfake.fail("DeleteModel", "ThrottlingException", times=None, optional=True)
        smfake.delay("CreateModel", 1, optional=True)
        with pytest.raises(ValueError, match="can never be triggered"):
            smfake.delay("CreateModel", 2)

    def test_two_without_end_of_different_scope(self, smfake):
        smfake.fail("CreateModel", "503", times=None, when=lambda call: call.region == "eu-west-1", optional=True)
        smfake.fail("CreateModel", "500", times=None, when=lambda call: call.region == "us-east-1", optional=True)
        smfake.fail("*", "502", times=None, optional=True)
        with pytest.raises(ValueError, match="can never be triggered"):
            smfake.fail("ListModels", "502")

    @pytest.mark.parametrize("chance", [-0.1, 1.1, "often", True, float("nan")])
    def test_what_is_no_probability(self, chance):
        with pytest.raises(ValueError, match="is not a probability, which is a number from 0 to 1"):
            probability(chance)

    @pytest.mark.parametrize(
        "keywords",
        [
            {"rate": 0, "burst": 1},
            {"rate": -1, "burst": 1},
            {"rate": 1, "burst": 0},
            {"rate": float("inf"), "burst": 1},
            {"rate": LARGE, "burst": 1},
            {"rate": 1, "burst": LARGE},
        ],
        ids=str,
    )
    def test_rates_that_cannot_be(self, smfake, keywords):
        with pytest.raises(ValueError, match=r"rate must be a number over 0|burst=.* is not "):
            smfake.throttle(**keywords)

    @pytest.mark.parametrize("seconds", [0, -1, "long", float("inf"), float("nan"), True, 10**11, LARGE], ids=repr)
    def test_delays_that_cannot_be(self, smfake, seconds):
        with pytest.raises(ValueError, match="seconds must be a number over 0"):
            smfake.delay("ListModels", seconds)

    def test_operations_of_throttles_and_delays(self, smfake):
        with pytest.raises(ValueError, match="is not an operation"):
            smfake.throttle(rate=1, burst=1, operation="ListModel")
        with pytest.raises(ValueError, match="is not an operation"):
            smfake.delay("ListModel", 1)

    @pytest.mark.parametrize("faults", [["CreateModel"], [("CreateModel",)], [{"operation": "CreateModel"}], [3]], ids=str)
    def test_data_that_is_no_fault(self, faults):
        with pytest.raises(ValueError, match=r"expected a pair \(operation, code\), or a dict with these"):
            FakeSageMaker(faults=faults)

    @pytest.mark.parametrize(
        ("code", "nearest"),
        [
            ("resourcelimitexceeded", "ResourceLimitExceeded"),
            ("RessourceLimitExceded", "ResourceLimitExceeded"),
            ("InvalidClientTokenID", "InvalidClientTokenId"),
            ("conection-reset", "connection-reset"),
        ],
    )
    def test_a_code_that_is_nearly_one(self, smfake, code, nearest):
        with pytest.raises(ValueError, match=f"'{code}' is not a failure of CreateModel; near it: {nearest}[,;].* there are: Resource"):
            smfake.fail("CreateModel", code)

    def test_a_code_that_nothing_is_near(self, smfake):
        with pytest.raises(ValueError, match="'xyz' is not a failure of CreateModel; there are: ResourceLimitExceeded"):
            smfake.fail("CreateModel", "xyz")

    @pytest.mark.parametrize("keyword", ["tims", "Times", "optinal"])
    def test_a_keyword_of_a_fault_as_data_that_there_is_not(self, keyword):
        with pytest.raises(ValueError, match=rf"faults: fail\(\) takes no {keyword}=2; did you mean '(times|optional)'\?"):
            FakeSageMaker(faults=[{"operation": "CreateModel", "code": "503", keyword: 2}])

    def test_nothing_is_left_of_what_is_refused(self, smfake):
        with pytest.raises(ValueError, match="effect"):
            smfake.fail("CreateModel", "ThrottlingException", effect="during")
        assert codes(smfake, 1) == [None]


class TestUnused:
    def test_at_the_end_of_its_block(self, smfake):
        with (
            pytest.raises(UnusedFaultError, match=r"fail\('CreateModel', '503'\) was never triggered: no call of CreateModel arrived"),
            smfake.fail("CreateModel", "503"),
        ):
            smfake.client().list_models()

    def test_at_the_end_of_the_fake(self):
        @FakeSageMaker(faults=[("CreateModel", "503")])
        def listing():
            FakeSageMaker().client().list_models()

        with pytest.raises(UnusedFaultError, match="Calls: ListModels. If this is intended: optional=True"):
            listing()

    def test_all_of_them_at_once(self):
        faults = [("CreateModel", "503"), {"operation": "DeleteModel", "code": "503", "optional": True}, ("ListModels", "500")]
        with pytest.raises(UnusedFaultError) as caught, FakeSageMaker(faults=faults):
            pass
        assert [line.partition(" was never")[0] for line in str(caught.value).splitlines()] == [
            "fail('CreateModel', '503')",
            "fail('ListModels', '500')",
        ]

    def test_not_on_top_of_another_exception(self, smfake):
        with pytest.raises(RuntimeError, match="boom"), FakeSageMaker() as fake, fake.fail("CreateModel", "503"):
            raise RuntimeError("boom")

    def test_stopping_it_does_not_hide_it(self):
        with pytest.raises(UnusedFaultError), FakeSageMaker() as fake:
            fake.fail("CreateModel", "503").stop()

    def test_an_optional_one(self):
        with FakeSageMaker() as fake, fake.fail("CreateModel", "503", optional=True), fake.delay("ListModels", 1, optional=True):
            pass

    @pytest.mark.parametrize(
        ("keywords", "role", "why"),
        [
            ({"after": 3}, None, "it skips the first 3 calls of CreateModel, and 1 of 1 reached it"),
            ({"when": lambda _: False}, None, "`when` was true for none of 1 calls of CreateModel, or they were rejected before"),
            ({}, "x" * 30, "1 calls of CreateModel were rejected before, triggered another fault, or came before it was added"),
        ],
        ids=["after", "when", "rejected"],
    )
    def test_why(self, smfake, keywords, role, why):
        request = smfake.request() | ({"ExecutionRoleArn": role} if role else {})
        with pytest.raises(UnusedFaultError, match=why), smfake.fail("CreateModel", "ResourceLimitExceeded", **keywords):
            code_of(smfake.client().create_model, **request)
