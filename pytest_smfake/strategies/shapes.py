"""Values of single members."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from hypothesis import strategies as st

from pytest_smfake.spec.rules import Edition
from pytest_smfake.values.requests import ACCOUNT, REGION, maker_of
from pytest_smfake.values.tree import Node

from .drawn import Drawn, pinned

Rules = Mapping[str, Any]


def values(
    operation: str,
    path: str,
    *,
    edition: Edition = "page",
    rules: Rules | None = None,
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
    maker = maker_of(operation, edition, rules, region, account)
    node = maker.member(path)
    for name in (*omit, *members):
        if name not in node.members or node.kind != "structure":
            known = ", ".join(node.members) if node.kind == "structure" else "none"
            raise ValueError(f"{operation}/{path} has no member {name!r}; its members are: {known}")
    return _values(node, members, frozenset(omit))


@st.composite
def _values(draw: st.DrawFn, node: Node, members: Rules, omit: frozenset[str]) -> Any:
    return node.make(Drawn(draw), given=pinned(draw, members) or None, omit=omit)


def model_names(*, edition: Edition = "page", rules: Rules | None = None) -> st.SearchStrategy[str]:
    """Return a strategy for names of models, up to 63 characters. It shrinks to `a`."""
    return values("CreateModel", "ModelName", edition=edition, rules=rules)


def role_arns(*, edition: Edition = "page", rules: Rules | None = None, account: str = ACCOUNT) -> st.SearchStrategy[str]:
    """Return a strategy for ARNs of execution roles, up to 2048 characters. It shrinks to `arn:aws:iam::123456789012:role/a`."""
    return values("CreateModel", "ExecutionRoleArn", edition=edition, rules=rules, account=account)


def image_uris(
    *, edition: Edition = "page", rules: Rules | None = None, region: str = REGION, account: str = ACCOUNT
) -> st.SearchStrategy[str]:
    """Return a strategy for images, up to 255 characters, three in four of them in ECR.

    It shrinks to `123456789012.dkr.ecr.us-east-1.amazonaws.com/a`.
    """
    return values("CreateModel", "PrimaryContainer.Image", edition=edition, rules=rules, region=region, account=account)


def model_data_urls(*, edition: Edition = "page", rules: Rules | None = None) -> st.SearchStrategy[str]:
    """Return a strategy for addresses of artifacts, up to 1024 characters. It shrinks to `s3://bucket/a`."""
    return values("CreateModel", "PrimaryContainer.ModelDataUrl", edition=edition, rules=rules)


def model_package_names(
    *, edition: Edition = "page", rules: Rules | None = None, region: str = REGION, account: str = ACCOUNT
) -> st.SearchStrategy[str]:
    """Return a strategy for names and ARNs of model packages, up to 176 characters. It shrinks to `a`."""
    return values("CreateModel", "PrimaryContainer.ModelPackageName", edition=edition, rules=rules, region=region, account=account)


def container_hostnames(*, edition: Edition = "page", rules: Rules | None = None) -> st.SearchStrategy[str]:
    """Return a strategy for hostnames of containers, up to 63 characters. It shrinks to `a`."""
    return values("CreateModel", "Containers[].ContainerHostname", edition=edition, rules=rules)


def environments(*, edition: Edition = "page", rules: Rules | None = None) -> st.SearchStrategy[dict[str, str]]:
    """Return a strategy for environments, up to 100 entries with keys and values up to 1024 characters. It shrinks to `{}`.

    One alone can hold more than the 32 KB that those of a model may hold together; in requests they are cut down to that.
    """
    return values("CreateModel", "PrimaryContainer.Environment", edition=edition, rules=rules)


def tags(*, edition: Edition = "page", rules: Rules | None = None) -> st.SearchStrategy[list[dict[str, str]]]:
    """Return a strategy for lists of tags, up to 50, each with a key of its own, in any script. It shrinks to `[]`."""
    return values("CreateModel", "Tags", edition=edition, rules=rules)


def vpc_configs(
    *, edition: Edition = "page", rules: Rules | None = None, omit: Collection[str] = (), **members: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for VPC configurations. It shrinks to one security group and one subnet."""
    return values("CreateModel", "VpcConfig", edition=edition, rules=rules, omit=omit, **members)


def container_definitions(
    *,
    edition: Edition = "page",
    rules: Rules | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    omit: Collection[str] = (),
    **members: Any,
) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for containers, as PrimaryContainer takes them. It shrinks to an image and nothing else."""
    path = "PrimaryContainer"
    return values("CreateModel", path, edition=edition, rules=rules, region=region, account=account, omit=omit, **members)
