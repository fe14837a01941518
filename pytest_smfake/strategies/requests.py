"""Strategies for valid requests, for values of single members, and for requests that break exactly one rule."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from hypothesis import strategies as st

from pytest_smfake.generate.mutations import Mutation, Unobservable, Verdict, breakers, broken_request, formatted, is_alone, rejection
from pytest_smfake.generate.requests import ACCOUNT, REGION, Maker, maker_of
from pytest_smfake.generate.strings import DRAWN_BYTES
from pytest_smfake.generate.tree import LEAST, Node
from pytest_smfake.rules.coded import Example
from pytest_smfake.rules.inputs import check_account
from pytest_smfake.rules.rule import Edition, Rule
from pytest_smfake.rules.service_model import check_region

_PICKS = st.binary(max_size=12)


def _load() -> None:
    """Load what the first call would load, so that Hypothesis does not count it against the deadline of an example."""
    from pytest_smfake.fake import load  # the strategies serve code without a fake, too, until they draw

    load()


@lru_cache(maxsize=4096)
def _numbers(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


@lru_cache(maxsize=64)
def _bytes(count: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=count, max_size=count)


class Drawn:
    """A source of choices that Hypothesis draws: a number shrinks to the least, bytes to none."""

    def __init__(self, draw: st.DrawFn) -> None:
        _load()
        self.draw = draw

    def number(self, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        return least if least == most else self.draw(_numbers(least, most))

    def bits(self, count: int) -> int:
        """Return a number of so many bits, drawn as bytes: an integer would seldom have its high bits set."""
        return int.from_bytes(self.draw(_bytes((count + 7) // 8))) >> -count % 8

    def picks(self) -> bytes:
        """Return a few bytes."""
        return self.draw(_PICKS)

    def part(self, node: Node) -> Any:
        """Return a value of a member, drawn by a strategy of its own."""
        return self.draw(_part(node))


@st.composite
def _drawn(draw: st.DrawFn, node: Node) -> Any:
    return node.make(Drawn(draw))


@lru_cache(maxsize=4096)
def _part(node: Node) -> st.SearchStrategy[Any]:
    return _drawn(node)


def pinned(draw: st.DrawFn, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members, with each strategy replaced by a value that it draws."""
    return {name: draw(value) if isinstance(value, st.SearchStrategy) else value for name, value in members.items()}


Parameters = dict[str, Any]
"""The parameters of a call as JSON has them: dict, list, str, int, float, bool, and bytes for a blob."""


def create_model_requests(
    *,
    edition: Edition = "page",
    rules: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[Parameters]:
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
) -> st.SearchStrategy[Parameters]:
    """Return a strategy for valid requests of an operation; the resources that they name need not exist.

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
    maker = _maker(operation, edition, rules, region, account)
    check_given(maker, members, omit)
    return _requests(maker, members, frozenset(omit))


@st.composite
def _requests(draw: st.DrawFn, maker: Maker, members: Mapping[str, Any], omit: frozenset[str]) -> Parameters:
    choices = Drawn(draw)
    request: Parameters = maker.request(choices, given=pinned(draw, members), omit=omit)
    return request


def _maker(operation: str, edition: Edition, rules: Mapping[str, Any] | None, region: str, account: str) -> Maker:
    if region is None or account is None:
        raise ValueError(f"a strategy needs a region and an account, got region={region!r}, account={account!r}")
    check_region(region)
    check_account(account)
    return maker_of(operation, edition, rules, region, account)


def check_given(maker: Maker, members: Collection[str], omit: Collection[str]) -> None:
    """Refuse names of unknown members, and a member that is both pinned and omitted.

    Raises:
        ValueError: there is one.
    """
    if isinstance(omit, str) or not isinstance(omit, Collection):
        raise ValueError(f"omit={omit!r} is not a set of members, such as {{'Tags'}}")
    maker.check_members([*members, *omit])
    if both := sorted({*members} & {*omit}):
        raise ValueError(f"{', '.join(both)}: a member cannot both be omitted and have a value")


RuleOverrides = Mapping[str, Any]


def values(
    operation: str,
    path: str,
    *,
    edition: Edition = "page",
    rules: RuleOverrides | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of one member, which keep every rule about it and those inside it.

    A value shrinks to the shortest, the least, or the one with the fewest members.

    Args:
        operation: such as `CreateModel`.
        path: the member, as the ids of rules name it: `VpcConfig.Subnets[]`, `PrimaryContainer.Environment[key]`.
        edition, rules, region, account: as of `create_model_requests`.
        omit, members: of a structure, members to leave out, and members with the value that they have.

    Raises:
        ValueError: an unknown operation, edition, rule or member.

    Example:
        >>> from hypothesis import find
        >>> find(values("CreateModel", "VpcConfig"), lambda config: True)
        {'SecurityGroupIds': ['sg-a'], 'Subnets': ['subnet-a']}
    """
    maker = _maker(operation, edition, rules, region, account)
    node = maker.member(path)
    for name in (*omit, *members):
        if name not in node.members or node.kind != "structure":
            known = ", ".join(node.members) if node.kind == "structure" else "none"
            raise ValueError(f"{operation}/{path} has no member {name!r}; its members are: {known}")
    return _values(node, members, frozenset(omit))


@st.composite
def _values(draw: st.DrawFn, node: Node, members: RuleOverrides, omit: frozenset[str]) -> Any:
    return node.make(Drawn(draw), given=pinned(draw, members) or None, omit=omit)


def model_names(*, edition: Edition = "page", rules: RuleOverrides | None = None) -> st.SearchStrategy[str]:
    """Return a strategy for names of models, up to 63 characters. It shrinks to `a`."""
    return values("CreateModel", "ModelName", edition=edition, rules=rules)


def role_arns(*, edition: Edition = "page", rules: RuleOverrides | None = None, account: str = ACCOUNT) -> st.SearchStrategy[str]:
    """Return a strategy for ARNs of execution roles, up to 2048 characters. It shrinks to `arn:aws:iam::123456789012:role/a`."""
    return values("CreateModel", "ExecutionRoleArn", edition=edition, rules=rules, account=account)


def image_uris(
    *, edition: Edition = "page", rules: RuleOverrides | None = None, region: str = REGION, account: str = ACCOUNT
) -> st.SearchStrategy[str]:
    """Return a strategy for images, up to 255 characters, three in four of them in ECR.

    It shrinks to `123456789012.dkr.ecr.us-east-1.amazonaws.com/a`.
    """
    return values("CreateModel", "PrimaryContainer.Image", edition=edition, rules=rules, region=region, account=account)


def model_data_urls(*, edition: Edition = "page", rules: RuleOverrides | None = None) -> st.SearchStrategy[str]:
    """Return a strategy for addresses of artifacts, up to 1024 characters. It shrinks to `s3://bucket/a`."""
    return values("CreateModel", "PrimaryContainer.ModelDataUrl", edition=edition, rules=rules)


def model_package_names(
    *, edition: Edition = "page", rules: RuleOverrides | None = None, region: str = REGION, account: str = ACCOUNT
) -> st.SearchStrategy[str]:
    """Return a strategy for names and ARNs of model packages, up to 176 characters. It shrinks to `a`."""
    return values("CreateModel", "PrimaryContainer.ModelPackageName", edition=edition, rules=rules, region=region, account=account)


def container_hostnames(*, edition: Edition = "page", rules: RuleOverrides | None = None) -> st.SearchStrategy[str]:
    """Return a strategy for hostnames of containers, up to 63 characters. It shrinks to `a`."""
    return values("CreateModel", "Containers[].ContainerHostname", edition=edition, rules=rules)


def environments(*, edition: Edition = "page", rules: RuleOverrides | None = None) -> st.SearchStrategy[dict[str, str]]:
    """Return a strategy for environments, up to 100 entries with keys and values up to 1024 characters. It shrinks to `{}`.

    One alone can hold more than the 32 KB that those of a model may hold together; in requests they are cut down to that.
    """
    return values("CreateModel", "PrimaryContainer.Environment", edition=edition, rules=rules)


def tags(*, edition: Edition = "page", rules: RuleOverrides | None = None) -> st.SearchStrategy[list[dict[str, str]]]:
    """Return a strategy for lists of tags, up to 50, each with a key of its own, in any script. It shrinks to `[]`."""
    return values("CreateModel", "Tags", edition=edition, rules=rules)


def vpc_configs(
    *, edition: Edition = "page", rules: RuleOverrides | None = None, omit: Collection[str] = (), **members: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for VPC configurations. It shrinks to one security group and one subnet."""
    return values("CreateModel", "VpcConfig", edition=edition, rules=rules, omit=omit, **members)


def container_definitions(
    *,
    edition: Edition = "page",
    rules: RuleOverrides | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for containers, as PrimaryContainer takes them. It shrinks to an image and nothing else."""
    path = "PrimaryContainer"
    return values("CreateModel", path, edition=edition, rules=rules, region=region, account=account, omit=omit, **members)


Breakable = dict[str, tuple[Rule, list[Mutation] | list[Example]]]
"""Rules that can be broken alone, with the mutations to do it, by their ids."""


@dataclass(frozen=True, slots=True)
class InvalidRequest:
    """A request that breaks one rule.

    Attributes:
        operation: such as `CreateModel`.
        request: the parameters, as JSON has them; a list or a scalar where the type of the whole is wrong.
        rule: the rule that it breaks, and the only one.
        path: where: `Tags[0].Key`; empty for the request as a whole.
        before: the value that was there when the request was still valid; `MISSING` where there was none.
        after: the value that is there now; `MISSING` where there is none any more. Of the keys of a map these are keys.
        how: what was done, in words.
        verdict: what to expect.
    """

    operation: str
    request: Any
    rule: Rule
    path: str
    before: Any
    after: Any
    how: str
    verdict: Verdict

    def __repr__(self) -> str:
        before, after = (reprlib.repr(value) for value in (self.before, self.after))
        size = f" ({len(self.after)})" if isinstance(self.after, str | bytes | list | dict) else ""
        what = f"{self.rule.id} at {self.path or 'the request'}: {self.how}; {before} -> {after}{size}"
        return f"<InvalidRequest {what}; request={_without_megabytes(self.request)!r}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002  # by which Hypothesis, as IPython, prints
        printer.text(repr(self))


def _without_megabytes(request: Any) -> Any:
    if not isinstance(request, dict):
        return request
    return {
        name: reprlib.repr(value) if isinstance(value, bytes) and len(value) > DRAWN_BYTES else value for name, value in request.items()
    }


def invalid_create_model_requests(
    *,
    rule: str | None = None,
    edition: Edition = "page",
    rules: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[InvalidRequest]:
    """Return a strategy for CreateModel requests that break one rule each, and no other.

    A record shrinks to the first rule, the first way to break it, and otherwise as `create_model_requests` does.

    Args:
        rule: the id of the rule to break; any by default. Conditions and limits need the state of the account: see
            `pytest_smfake.cases`.
        edition, rules, region, account, omit, members: as of `create_model_requests`.

    Raises:
        ValueError: an unknown edition, rule or member, or a rule that no request breaks alone, with the reason.

    Example:
        >>> from hypothesis import find
        >>> from pytest_smfake.strategies import invalid_create_model_requests
        >>> found = find(invalid_create_model_requests(rule="CreateModel/ModelName:max"), lambda record: True)
        >>> found.path, found.before, found.after == "a" * 64, found.how
        ('ModelName', 'a', True, 'a string longer than the greatest length, which the pattern takes')
    """
    return invalid_requests("CreateModel", rule=rule, edition=edition, rules=rules, region=region, account=account, omit=omit, **members)


def invalid_requests(
    operation: str,
    *,
    rule: str | None = None,
    edition: Edition = "page",
    rules: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[InvalidRequest]:
    """Return a strategy for requests of an operation that break one rule each; see `invalid_create_model_requests`.

    Raises:
        ValueError: an unknown operation, edition, rule or member, or a rule that no request breaks alone, with the reason.

    Example:
        >>> from hypothesis import find
        >>> find(invalid_requests("ListModels", rule="ListModels/MaxResults:max"), lambda record: True).request
        {'MaxResults': 101}
    """
    maker = _maker(operation, edition, rules, region, account)
    check_given(maker, members, omit)
    if rule is not None:
        chosen = {rule: (maker.catalogue.rule(rule), _breakers(maker, maker.catalogue.rule(rule)))}
    elif rules or members or omit:
        chosen = _alone(maker, frozenset(members), frozenset(omit))
    else:
        chosen = _shared(edition, operation)
    return _invalid(maker, tuple(chosen.values()), members, frozenset(omit))


@st.composite
def _invalid(
    draw: st.DrawFn,
    maker: Maker,
    breakable: tuple[tuple[Rule, list[Mutation] | list[Example]], ...],
    members: Mapping[str, Any],
    omit: frozenset[str],
) -> InvalidRequest:
    choices = Drawn(draw)
    rule, mutations = breakable[choices.bits(16) % len(breakable)]  # each as often as any other
    mutation = mutations[choices.number(0, len(mutations) - 1)]
    change = broken_request(maker, rule, mutation, choices, pinned(draw, members), omit)
    path, verdict = formatted(change.where), rejection(rule)
    return InvalidRequest(maker.operation, change.request, rule, path, change.before, change.after, change.how, verdict)


def _breakers(maker: Maker, rule: Rule) -> list[Mutation] | list[Example]:
    if rule.kind == "condition":
        raise ValueError(f"{rule.id} needs the state of the account: pytest_smfake.cases says what has to be there first")
    if rule.operation != maker.operation:
        raise ValueError(f"{rule.id} is no rule of {maker.operation}")
    found = breakers(maker, rule)
    if isinstance(found, Unobservable):
        raise ValueError(f"no request breaks {rule.id} alone: {found.reason}")
    return found


def _alone(maker: Maker, pinned_names: frozenset[str], omit: frozenset[str]) -> Breakable:
    found: Breakable = {}
    for rule in maker.catalogue.rules(maker.operation):
        top = rule.path.partition(".")[0].partition("[")[0]
        if rule.kind == "condition" or top in pinned_names or top in omit or isinstance(mutations := breakers(maker, rule), Unobservable):
            continue
        if all(is_alone(maker, rule, broken_request(maker, rule, mutation, LEAST)) for mutation in mutations):
            found[rule.id] = rule, mutations
    return found


@cache
def _shared(edition: Edition, operation: str) -> Breakable:
    return _alone(maker_of(operation, edition, None), frozenset(), frozenset())
