"""moto under the contract: what it is known to lack is found, and its two ways of answering agree."""

from __future__ import annotations

from collections import Counter
from urllib.request import Request, urlopen

import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from pytest_smfake.contract import EndpointTarget, MotoTarget, run_contract


class MotoServerTarget(EndpointTarget):
    """moto's own server, whose account is ours alone."""

    lacks = MotoTarget.lacks

    def new_client(self, region, **arguments):
        # moto answers much that it cannot do with a status of 500, which clients would wait and retry after.
        config = arguments.pop("config").merge(Config(retries={"total_max_attempts": 1}))
        return super().new_client(region, config=config, **arguments)

    def begin(self):
        with urlopen(Request(f"{self.url}/moto-api/reset", method="POST")) as answer:  # noqa: S310  # on loopback
            assert answer.status == 200


@pytest.fixture(scope="module")
def report():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        served = MotoServerTarget(f"http://{host}:{port}", "moto-server", account="123456789012")
        return run_contract(MotoTarget(), served)
    finally:
        server.stop()


def test_known_gaps_are_findings_with_their_rules(report):
    failed = {result.check for result in report.failed if result.target == "moto"}
    assert {
        "create/same-name",  # duplicates
        "CreateModel/ModelName:pattern-outside",  # patterns
        "CreateModel/ModelName:max-64",  # bounds
        "CreateModel/Tags:max-51",
        "CreateModel/ExecutionRoleArn:required-missing",
        "CreateModel:container-required-missing",
        "list/by-name",  # arguments of lists
        "list/by-time",
        "list/name-contains",
        "list/pages",
        "tags/missing",  # tags of a model that is not there
    } <= failed
    assert "create/response" not in failed
    rules = {check["id"]: check["rule"] for check in report.checks}
    assert rules["CreateModel/ModelName:max-64"] == "CreateModel/ModelName:max"


def test_the_two_columns_agree(report):
    outcomes = {(result.target, result.check): result.outcome for result in report.results}
    checks = [check["id"] for check in report.checks]
    apart = [check for check in checks if outcomes["moto", check] != outcomes["moto-server", check]]
    assert apart == []
    assert Counter(outcomes.values())["failed"] > 800
