"""The whole path to a prediction, each limit on it, and what a failure leaves behind."""

import dataclasses

import pytest
from churn_deployment.__main__ import main
from churn_deployment.endpoints import RolloutError, predict, roll_out, take_down

REGION = "us-east-1"
INSTANCES = "ml.m5.xlarge for endpoint usage"


def scores(body, content_type, accept, context):
    """Play the container: the sum of each row, or nothing below the threshold of the model's environment."""
    assert (content_type, accept) == ("text/csv", "text/csv")
    sums = [sum(map(float, line.split(","))) for line in body.decode().splitlines()]
    threshold = float(context.environment["THRESHOLD"])
    return "\n".join(str(total if total > threshold else 0.0) for total in sums).encode()


@pytest.fixture
def stand_in(smfake):
    return smfake.stand_in(smfake.image, scores)


@pytest.fixture
def second(settings):
    return dataclasses.replace(settings, name="churn-2", environment={"THRESHOLD": "5"})


def held(smfake):
    """Return what the account holds: models, endpoint configurations and endpoints."""
    return [*smfake.models], [*smfake.endpoint_configs], [*smfake.endpoints]


def test_the_whole_path(smfake, settings, second, stand_in):
    smfake.endpoints.take(seconds=600)
    roll_out(settings, "churn", REGION)
    assert predict("churn", [[0.1, 0.2], [1, 2]], REGION) == [0.0, 3.0]
    roll_out(second, "churn", REGION)
    assert predict("churn", [[1, 2], [3, 4]], REGION) == [0.0, 7.0]
    take_down("churn", REGION)
    assert held(smfake) == (["churn-1"], ["churn-1"], [])
    assert smfake.endpoint_configs["churn-1"].tags == {"team": "growth"}


@pytest.mark.parametrize("limit", ["models", "endpoint-configs", "endpoints", INSTANCES])
def test_each_limit_and_the_leak_that_a_failing_call_would_leave(smfake, settings, limit):
    smfake.limit(limit, 0)
    with pytest.raises(RolloutError, match=r"churn-1 was not rolled out to churn: .*\(ResourceLimitExceeded\)"):
        roll_out(settings, "churn", REGION)
    assert held(smfake) == ([], [], [])


def test_an_update_needs_room_for_both_fleets(smfake, settings, second, stand_in):
    roll_out(settings, "churn", REGION)
    with smfake.limit(INSTANCES, 1), pytest.raises(RolloutError, match="with current utilization of 1 Instances and a request delta of 1"):
        roll_out(second, "churn", REGION)
    assert held(smfake) == (["churn-1"], ["churn-1"], ["churn"])
    assert predict("churn", [[1, 2]], REGION) == [3.0]


def test_a_container_that_never_gets_healthy(smfake, settings):
    smfake.stand_in(smfake.image, scores, ping=lambda: False)
    with pytest.raises(RolloutError, match="did not pass the ping health check"):
        roll_out(settings, "churn", REGION)
    assert held(smfake) == ([], [], [])


def test_an_update_that_fails_leaves_what_ran(smfake, settings, second, stand_in):
    roll_out(settings, "churn", REGION)
    smfake.endpoints.fail("churn", reason="Unable to locate at least 2 availability zone(s)")
    with pytest.raises(RolloutError, match="availability zone"):
        roll_out(second, "churn", REGION)
    assert held(smfake) == (["churn-1"], ["churn-1"], ["churn"])


def test_a_version_that_is_there_already_is_left_alone(smfake, settings, stand_in):
    roll_out(settings, "churn", REGION)
    with pytest.raises(RolloutError, match="Cannot create already existing model"):
        roll_out(settings, "churn", REGION)
    assert predict("churn", [[1, 2]], REGION) == [3.0]


def test_a_mistake_in_the_instance_type(smfake, settings):
    with pytest.raises(RolloutError, match=r"at 'productionVariants.1.member.instanceType' failed to satisfy constraint"):
        roll_out(dataclasses.replace(settings, instance_type="m5.xlarge"), "churn", REGION)
    assert held(smfake) == ([], [], [])


def test_the_command(smfake, settings, capsys):
    main(["churn", settings.name, settings.image, settings.artifact, settings.role, REGION])
    assert capsys.readouterr().out == "churn serves churn-1\n"
    with pytest.raises(SystemExit, match="usage: python -m churn_deployment ENDPOINT NAME"):
        main(["churn"])
