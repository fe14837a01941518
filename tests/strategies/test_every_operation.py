"""Cases, drawn requests and validation of every operation that the installed botocore has, whether the fake implements it or not."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.once

CODE = """
import json
from hypothesis import HealthCheck, Phase, given, settings
from pytest_smfake import validate
from pytest_smfake.cases import cases
from pytest_smfake.rules.service_model import operation_names, shape_of
from pytest_smfake.strategies import invalid_requests, requests

few = settings(max_examples=1, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
counts = [0, 0]
for operation in sorted(operation_names()):
    if shape_of(operation) is None:
        continue
    made = cases(operation, edition="sdk")
    for case in made:
        if case.rule.is_constraint or case.rule.kind == "cross-field":  # others are about what there is
            found = {one.rule.id for one in validate(operation, case.request, edition="sdk")}
            assert found == set(case.verdict.rules), case
    counts[0] += len(made)

    @few
    @given(requests(operation, edition="sdk"))
    def valid(request):
        assert validate(operation, request, edition="sdk") == []
        counts[1] += 1

    valid()
    if any(case.side == "outside" for case in made):

        @few
        @given(invalid_requests(operation, edition="sdk"))
        def invalid(record):
            assert {one.rule.id for one in validate(operation, record.request, edition="sdk")} == set(record.verdict.rules)
            counts[1] += 1

        invalid()
print(json.dumps(counts))
"""


def test_every_operation_within_a_bound_on_time():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    cases, drawn = map(int, done.stdout.strip("[]\n").split(","))
    assert cases > 20_000
    assert drawn > 500
