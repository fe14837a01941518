"""What a kind of resource has to be, and what of it follows from the shapes."""

from __future__ import annotations

import pytest

from pytest_smfake.rules.coded import not_taken
from pytest_smfake.service.limits import Quota
from pytest_smfake.service.records import FILTERS, filters_of
from pytest_smfake.service.resources import Kind, Resource
from pytest_smfake.service.service import KINDS, OPERATIONS, keep

TAKEN = not_taken("CodeRepository", "assumed", "made up")
QUOTAS = {"code-repositories": Quota("Total number of code repositories", "Code Repositories", 100)}


def kind(**changed) -> Kind[Resource]:
    facts = {"noun": "CodeRepository", "nouns": "CodeRepositories", "label": "code repository", "holds": Resource, "quotas": QUOTAS}
    return Kind(missing="No {name}.", taken=TAKEN, **facts | changed)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"noun": "CodeRepositry"}, "noun='CodeRepositry': the installed botocore has no operation CreateCodeRepositry"),
        ({"nouns": ""}, r"quotas=\['code-repositories'\]: there is none for 'code-repositorys'"),
        ({"noun": "Model", "nouns": "", "quotas": {}}, "noun='Model': a kind of this noun is kept already"),
    ],
)
def test_kinds_that_cannot_be(changed, text):
    before = list(KINDS), dict(OPERATIONS)
    with pytest.raises(ValueError, match=text):
        keep(kind(**changed))
    assert before == (KINDS, OPERATIONS)


def test_resources_of_no_kind(smfake):
    with pytest.raises(
        ValueError, match=r"resources\(\) takes a Kind that the fake keeps, got 'models'; there are those of Model, EndpointConfig"
    ):
        smfake.resources("models")


def test_half_an_endpoint_is_not_left(smfake):
    with smfake.limit("endpoints", 0), pytest.raises(ValueError, match="Total number of endpoints"):
        smfake.add_endpoint("churn")
    assert (list(smfake.models), list(smfake.endpoint_configs)) == ([], [])
    smfake.add_endpoint("churn")
    assert smfake.endpoints["churn"].status == "InService"


@pytest.mark.parametrize("kept", KINDS, ids=lambda kept: kept.noun)
def test_every_filter_of_a_list_is_implemented(kept):
    assert set(filters_of(kept.listing)) - {*FILTERS, *kept.filters} == set()
