"""Many threads, one world."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from botocore.exceptions import ClientError

THREADS = 16


def race(create, names) -> Counter[str]:
    """Call `create` with each name in a thread of its own, all at once, and count the verdicts."""
    barrier = Barrier(len(names))

    def run(name):
        barrier.wait()
        try:
            create(name)
        except ClientError as error:
            return error.response["Error"]["Code"] + ("" if "already existing" not in str(error) else " already existing")
        return "created"

    with ThreadPoolExecutor(len(names)) as pool:
        return Counter(pool.map(run, names))


def test_one_name(smfake, smfake_client):
    verdicts = race(lambda name: smfake_client.create_model(**smfake.request(ModelName=name)), ["churn"] * THREADS)
    assert verdicts == {"created": 1, "ValidationException already existing": 15}
    assert len(smfake.calls) == THREADS


def test_a_limit_of_five(smfake, smfake_client):
    smfake.limit("models", 5)
    names = [f"m{index}" for index in range(THREADS)]
    verdicts = race(lambda name: smfake_client.create_model(**smfake.request(ModelName=name)), names)
    assert verdicts == {"created": 5, "ResourceLimitExceeded": 11}
    assert len(smfake.models) == 5
