"""Every failure at every call of a release: what a sweep finds in the first version, and that the second passes."""

import pytest
from churn_deployment.releases import release, release_at_first
from churn_deployment.settings import Settings

from pytest_smfake import sweep

REGION = "us-east-1"


def released_by(function):
    """Return the scenario in which churn-2 is released and replaces churn-1."""

    def scenario(fake):
        fake.add_model(ModelName="churn-1")
        settings = Settings("churn-2", fake.image, fake.model_data_url, fake.role_arn)
        function(settings, "review-7", "churn-1", REGION)

    return scenario


def approved(fake):
    return all("approval" in model.tags for name, model in fake.models.items() if name != "churn-1")


def test_a_release(smfake):
    released_by(release)(smfake)
    assert list(smfake.models) == ["churn-2"]
    assert smfake.models["churn-2"].tags == {"approval": "review-7"}


@pytest.mark.parametrize("failure", ["connection-reset", "ThrottlingException"])
def test_a_failing_call(smfake, failure):
    smfake.fail("AddTags", failure)
    with pytest.raises(Exception, match=r"AddTags|Connection was closed"):
        released_by(release)(smfake)
    assert list(smfake.models) == ["churn-1"]


def test_a_version_that_is_gone_already(smfake, settings):
    release(settings, "review-7", "churn-0", REGION)
    assert list(smfake.models) == ["churn-1"]


def test_the_sweep_finds_the_leak_and_the_swallowed_failure_in_the_first_version():
    wrong = {}
    for run in sweep(released_by(release_at_first)):
        try:
            run.check()
        except AssertionError as error:
            wrong[run.id] = str(error)
    assert {run_id.partition(":")[0] for run_id in wrong} == {"2", "3"}
    assert "run 2:ThrottlingException, in which AddTags failed: model/churn-2 was left behind." in wrong["2:ThrottlingException"]
    assert "run 3:AccessDeniedException, in which DeleteModel failed: the failure was swallowed." in wrong["3:AccessDeniedException"]


def test_the_second_version_passes(smfake_factory, subtests):
    # A release whose clean-up fails is still a release.
    for run in sweep(released_by(release), keeps=["DeleteModel:model/churn-2"], invariant=approved, factory=smfake_factory):
        with subtests.test(run.id):
            run.check()
