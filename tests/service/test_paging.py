"""Filters of lists."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_smfake.service import records as paging
from pytest_smfake.service.records import FILTERS, filters_of
from pytest_smfake.service.service import OPERATIONS

LISTS = sorted(name for name in OPERATIONS if name.startswith("List") and name != "ListTags")


@pytest.mark.parametrize("operation", LISTS)
def test_every_filter_of_the_shape_is_implemented(operation):
    assert set(filters_of(operation)) <= set(FILTERS)


def test_a_filter_that_is_not_implemented_is_no_longer_list(smfake, smfake_client, monkeypatch):
    monkeypatch.setattr(paging, "FILTERS", {})
    smfake_client.list_models()
    with pytest.raises(ClientError, match="ListModels with NameContains is not implemented"):
        smfake_client.list_models(NameContains="a")
