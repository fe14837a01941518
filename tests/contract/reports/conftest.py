"""Provide a report with every outcome: the results of a run, some of them changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_smfake.contract import FakeTarget, Report, run_contract

HOSTILE = "</script><img src=x onerror=alert(1)> `|` &amp; \u2028 <!--"
"""A text that could end a script, run in a page, or break a table."""
LAX = {"CreateModel/ModelName:max": None, "CreateModel/Tags:max": None}


class Poor(FakeTarget):
    """Lack a capability."""

    lacks = {"limits": f"no limits here {HOSTILE}"}


@pytest.fixture(scope="session")
def report() -> Report:
    """Return the report of a fake, a weakened fake, and a fake that lacks a capability, has outdated results, and was stopped early."""
    select = [
        "create/*",
        "limits/*",
        "CreateModel:limit*",
        "CreateModel/ModelName:*",
        "CreateModel/Tags:*",
        "CreateModel/Containers:*",
        "ListModels/MaxResults:*",
    ]
    poor = Poor(f"poor={HOSTILE}", rules={"CreateModel/Containers:max": 15})
    ran = run_contract(FakeTarget(), FakeTarget("lax", rules=LAX), poor, select=select)
    right = [
        replace(result, outcome="outdated") if result.target == poor.name and result.outcome == "failed" else result
        for result in ran.results
    ]
    left = [result for result in right if not (result.target == poor.name and result.check.startswith("ListModels/"))]
    return replace(ran, results=left)
