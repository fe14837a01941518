"""Account limits."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_smfake import FakeSageMaker

TEXT = (
    "An error occurred (ResourceLimitExceeded) when calling the CreateModel operation: The account-level service limit "
    "'Total number of models' is {0} Models, with current utilization of {1} Models and a request delta of 1 Models. "
    "Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS "
    "support to request an increase for this quota."
)


@pytest.mark.smfake(limits={"models": 2})
def test_the_limit_error(smfake, smfake_client):
    for name in ("a", "b"):
        smfake_client.create_model(**smfake.request(ModelName=name))
    with pytest.raises(smfake_client.exceptions.ResourceLimitExceeded) as caught:
        smfake_client.create_model(**smfake.request(ModelName="c"))
    assert str(caught.value) == TEXT.format(2, 2)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert list(smfake.models) == ["a", "b"]
    smfake_client.delete_model(ModelName="a")
    smfake_client.create_model(**smfake.request(ModelName="c"))


def test_none_by_default(smfake, smfake_client):
    for index in range(30):
        smfake_client.create_model(**smfake.request(ModelName=f"m{index}"))
    assert len(smfake.models) == 30


def test_a_limit_ends_with_its_block(smfake, smfake_client):
    with smfake.limit("models", 0), pytest.raises(smfake_client.exceptions.ResourceLimitExceeded):
        smfake_client.create_model(**smfake.request())
    smfake_client.create_model(**smfake.request())


def test_a_stopped_limit_gives_way_to_the_one_before(smfake, smfake_client):
    smfake.limit("models", 1)
    later = smfake.limit("models", None)
    smfake_client.create_model(**smfake.request(ModelName="a"))
    smfake_client.create_model(**smfake.request(ModelName="b"))
    later.stop()
    later.stop()
    with pytest.raises(smfake_client.exceptions.ResourceLimitExceeded) as caught:
        smfake_client.create_model(**smfake.request(ModelName="c"))
    assert str(caught.value) == TEXT.format(1, 2)


def test_a_made_up_utilisation_is_true_at_that_moment(smfake, smfake_client):
    smfake.add_model(ModelName="a")
    smfake.limit("models", 1000, used=999)
    smfake_client.create_model(**smfake.request(ModelName="b"))
    with pytest.raises(smfake_client.exceptions.ResourceLimitExceeded) as caught:
        smfake_client.create_model(**smfake.request(ModelName="c"))
    assert str(caught.value) == TEXT.format(1000, 1000)
    smfake_client.delete_model(ModelName="a")
    smfake_client.create_model(**smfake.request(ModelName="c"))


def test_a_made_up_utilisation_holds_where_nothing_was_created_yet(smfake):
    smfake.limit("models", 5, used=5)
    elsewhere = smfake.client(region_name="eu-west-1")
    with pytest.raises(elsewhere.exceptions.ResourceLimitExceeded):
        elsewhere.create_model(**smfake.at(region="eu-west-1").request())


@pytest.mark.smfake(limits={"models": 1, "models@eu-west-1": 0})
def test_one_region(smfake, smfake_client):
    smfake_client.create_model(**smfake.request())
    elsewhere = smfake.client(region_name="eu-west-1")
    with pytest.raises(elsewhere.exceptions.ResourceLimitExceeded):
        elsewhere.create_model(**smfake.at(region="eu-west-1").request())


def test_one_account(smfake, smfake_client):
    smfake.limit("models", 0, account="111122223333")
    smfake_client.create_model(**smfake.request())
    other = smfake.client(account="111122223333")
    with pytest.raises(other.exceptions.ResourceLimitExceeded):
        other.create_model(**smfake.request())


def test_the_quota_can_be_named(smfake, smfake_client):
    smfake.limit("models", 0, name="Models per account", unit="Pieces")
    with pytest.raises(smfake_client.exceptions.ResourceLimitExceeded, match="limit 'Models per account' is 0 Pieces, with"):
        smfake_client.create_model(**smfake.request())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("projects", 1), r"'projects' is not a limit; there are: models, endpoint-configs, endpoints, .* ml.m5.xlarge for endpoint usage"),
        (("ml.m5.xlarg for endpoint usage", 1), r"'ml.m5.xlarg' is not an instance type for endpoint usage; near it: .*ml.m5.xlarge"),
        (("ml.m5.xlarge for training usage", 1), r"'ml.m5.xlarge for training usage' is not a limit"),
        (("models", -1), "a limit on models is a whole number of at least 0, not -1"),
        (("models", 1.5), "not 1.5"),
        (("models", True), "not True"),
        (("models", "5"), "not '5'"),
        (
            ("models", 10**5000),
            "a limit on models is a whole number of at least 0 and at most 9223372036854775807, not a number of about 5000 d",
        ),
        (("models", -(10**5000)), "a limit on models is a whole number of at least 0, not a number of about 5000 digits"),
        (("models", "9" * 5000), r"not '9{70,}\.\.\. \(5002 characters\)$"),
        (("x" * 5000, 1), r"'x{70,}\.\.\. \(5002 characters\) is not a limit"),
        ((5, 1), "5 is not a limit; there are: models"),
    ],
)
def test_wrong_limits(arguments, sentence, smfake):
    with pytest.raises(ValueError, match=sentence):
        smfake.limit(*arguments)


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"region": "Ireland"}, "'Ireland' is not the name of a region; one looks like us-east-1"),
        ({"region": 7}, "7 is not the name of a region"),
        ({"account": "12"}, "'12' is not an account id, which is a string of 12 digits"),
        ({"name": 5}, "name must be a string that is not blank, such as 'Total number of models'; got 5"),
        ({"unit": " "}, "unit must be a string that is not blank, such as 'Models'; got ' '"),
        ({"enforce": "no"}, "enforce='no' is not True or False"),
    ],
    ids=str,
)
def test_places_that_cannot_be(smfake, keywords, sentence):
    with pytest.raises(ValueError, match=sentence):
        smfake.limit("models", 1, **keywords)


def test_wrong_utilisation(smfake):
    with pytest.raises(ValueError, match="a utilisation on models is a whole number of at least 0, not -1"):
        smfake.limit("models", 5, used=-1)


def test_reset_keeps_the_limits_given_at_the_start():
    with FakeSageMaker(limits={"models": 1}) as fake:
        fake.limit("models", 0)
        fake.reset()
        fake.add_model(ModelName="a")
        with pytest.raises(ValueError, match="is 1 Models, with current utilization of 1 Models"):
            fake.add_model(ModelName="b")


def test_a_misspelled_limit():
    with pytest.raises(ValueError, match=r"'endpoint' is not a limit; did you mean 'endpoints'\?; there are: "):
        FakeSageMaker(limits={"endpoint": 1})


class TestSizes:
    """Limits on the size of a single request: the operations are those of another mock, which has no limits."""

    NAME = "Size of EBS volume for a processing job instance"
    TEXT = (
        "The request delta of {} GBs for 'Size of EBS volume for a processing job instance' is greater than the account-level service-limit "
        "of {} GBs. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact "
        "AWS support to request an increase for this quota."
    )

    def create(self, fake, size):
        cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": size}
        fake.client().create_processing_job(
            ProcessingJobName="p",
            ProcessingResources={"ClusterConfig": cluster},
            AppSpecification={"ImageUri": fake.image},
            RoleArn=fake.role_arn,
        )

    def refused(self, fake, size):
        with pytest.raises(ClientError) as caught:
            self.create(fake, size)
        return caught.value.response["Error"]

    def test_a_size_over_the_limit(self, smfake_moto):
        smfake_moto.limit(self.NAME, 1024)
        assert self.refused(smfake_moto, 1025) == {"Code": "ResourceLimitExceeded", "Message": self.TEXT.format(1025, 1024)}
        self.create(smfake_moto, 1024)

    def test_the_latest_limit_and_its_own_words(self, smfake):
        smfake.limit(self.NAME, 10)
        with smfake.limit(self.NAME, 5, used=100, name="Disk", unit="GiB"):
            said = self.refused(smfake, 6)["Message"]
            assert said.startswith(
                "The request delta of 6 GiB for 'Disk' is greater than the account-level service-limit of 5 GiB. Please "
            )
            assert self.refused(smfake, 5)["Code"] == "NotImplemented"  # what is in use does not count
        assert self.refused(smfake, 6)["Code"] == "NotImplemented"
        assert self.refused(smfake, 11)["Message"] == self.TEXT.format(11, 10)

    @pytest.mark.parametrize(
        ("limits", "size", "bound"), [({}, 1025, 1024), ({"bound": 10, "enforce": False}, 11, 10), ({"bound": None}, 1025, 1024)]
    )
    def test_a_failure_on_purpose(self, smfake, limits, size, bound):
        if limits:
            smfake.limit(self.NAME, **limits)
        smfake.fail("CreateProcessingJob", "ResourceLimitExceeded", times=2)
        assert self.refused(smfake, size)["Message"] == self.TEXT.format(size, bound)
        assert "'ml.m5.large for processing job usage' is 0 Instances" in self.refused(smfake, bound)["Message"]

    def test_training_jobs(self, smfake):
        smfake.limit("Size of EBS volume for a training job instance", 5)
        with pytest.raises(ClientError, match="The request delta of 6 GBs for 'Size of EBS volume for a training job instance' is greater"):
            smfake.client().create_training_job(
                TrainingJobName="t",
                AlgorithmSpecification={"TrainingImage": smfake.image, "TrainingInputMode": "File"},
                RoleArn=smfake.role_arn,
                OutputDataConfig={"S3OutputPath": "s3://b"},
                ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 6},
                StoppingCondition={"MaxRuntimeInSeconds": 60},
            )
