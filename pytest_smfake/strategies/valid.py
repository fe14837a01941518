"""Requests that keep every rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from hypothesis import strategies as st

from pytest_smfake.spec.rules import Edition
from pytest_smfake.values.requests import ACCOUNT, REGION, Maker, maker_of

from .drawn import Drawn, pinned

Request = dict[str, Any]
"""The parameters of a call as JSON has them: dict, list, str, int, float, bool, and bytes for a blob."""


def create_model_requests(
    *,
    edition: Edition = "page",
    rules: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[Request]:
    """Return a strategy for requests that CreateModel accepts, as long as the name is free and no limit is met.

    A request shrinks to `ModelName="a"`, one container with an image, and nothing optional. Lengths and counts are as often as
    not at a bound, or next to one.

    Args:
        edition: `page` or `sdk`.
        rules: overrides by rule id.
        region: the region that ARNs and images name: that of the call, since a model package has to be of it.
        account: the account that they name.
        omit: members to leave out, such as `{"Tags", "VpcConfig"}`.
        members: members with the value that they have, or a strategy for it; what they break is not mended.

    Raises:
        ValueError: an unknown edition, rule or member, or one that is both omitted and pinned.

    Example:
        >>> from hypothesis import given
        >>> from pytest_smfake import FakeSageMaker
        >>> from pytest_smfake.strategies import create_model_requests
        >>> @given(create_model_requests(EnableNetworkIsolation=True, omit={"Tags"}))
        ... def test_isolated(request):
        ...     with FakeSageMaker() as fake:
        ...         fake.client().create_model(**request)
        ...         assert fake.models[request["ModelName"]]["EnableNetworkIsolation"]
        >>> test_isolated()
    """
    return requests("CreateModel", edition=edition, rules=rules, region=region, account=account, omit=omit, **members)


def requests(
    operation: str,
    *,
    edition: Edition = "page",
    rules: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[Request]:
    """Return a strategy for requests of an operation that break no rule; whether what they name is there is another matter.

    A request shrinks to its required members, with the shortest names and the least numbers.

    Args:
        operation: such as `DescribeModel`, or `InvokeEndpoint`.
        edition, rules, region, account, omit, members: as of `create_model_requests`.

    Raises:
        ValueError: an unknown operation, edition, rule or member, or one that is both omitted and pinned.

    Example:
        >>> from hypothesis import find
        >>> find(requests("CreateEndpointConfig"), lambda request: True)["ProductionVariants"]
        [{'VariantName': 'a', 'InstanceType': 'ml.t2.medium', 'InitialInstanceCount': 1, 'ModelName': 'a'}]
    """
    maker = maker_of(operation, edition, rules, region, account)
    check(maker, members, omit)
    return _requests(maker, members, frozenset(omit))


@st.composite
def _requests(draw: st.DrawFn, maker: Maker, members: Mapping[str, Any], omit: frozenset[str]) -> Request:
    choices = Drawn(draw)
    request: Request = maker.request(choices, given=pinned(draw, members), omit=omit)
    return request


def check(maker: Maker, members: Collection[str], omit: Collection[str]) -> None:
    """Refuse names of members that are none, and one that is both pinned and omitted.

    Raises:
        ValueError: there is one.
    """
    if isinstance(omit, str):
        raise ValueError(f"omit={omit!r} is not a set of members, such as {{'Tags'}}")
    maker.check_members([*members, *omit])
    if both := sorted({*members} & {*omit}):
        raise ValueError(f"{', '.join(both)}: a member cannot both be omitted and have a value")
