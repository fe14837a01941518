"""Accounts and regions as users write them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import cache

from pytest_smfake.spec.given import near, shown
from pytest_smfake.spec.model import loader

COMMON = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-east-1"),
    }
)
"""Regions that every botocore lists: botocore is not loaded for them."""


class UnlistedRegionWarning(UserWarning):
    """A region that the installed botocore does not list: most likely it is misspelled."""


@cache
def listed_regions() -> frozenset[str]:
    """Return every region of every partition that the installed botocore lists."""
    partitions = loader().load_data("partitions")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def check_region(region: str | None, stacklevel: int = 3) -> None:
    """Refuse what cannot be the name of a region, and warn of one that the installed botocore does not list.

    Args:
        region: the name; None for none.
        stacklevel: whose line the warning is about, as of `warnings.warn`: by default that of who calls the caller.

    Raises:
        ValueError: it has another form.
    """
    if region is None or (isinstance(region, str) and region in COMMON):
        return
    if not isinstance(region, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,62}[0-9]", region):
        raise ValueError(f"{shown(region)} is not the name of a region; one looks like us-east-1")
    known = listed_regions()
    if region not in known:
        swapped = [other for other in sorted(known) if sorted(other) == sorted(region)]  # the likeliest mistake, before others
        nearest = ", ".join(swapped[:1] or near(region, known, count=1)) or "none"
        text = f"{region!r} is not a region that the installed botocore lists; near it: {nearest}"
        warnings.warn(UnlistedRegionWarning(text), stacklevel=stacklevel)


def check_account(account: str | None) -> None:
    """Refuse what cannot be the id of an account; None stands for none.

    Raises:
        ValueError: it is none.
    """
    if account is not None and not (isinstance(account, str) and re.fullmatch(r"[0-9]{12}", account)):
        raise ValueError(f"{shown(account)} is not an account id, which is a string of 12 digits")


def elsewhere(held: Iterable[tuple[str, str]], here: tuple[str, str]) -> str:
    """Return the part of a sentence that says where else a name is held, given accounts and regions; empty for nowhere.

    Example:
        >>> elsewhere([("123456789012", "eu-west-1")], ("123456789012", "us-east-1"))
        ', but there is one in eu-west-1: .at(region="eu-west-1")'
    """
    found = []
    for account, region in held:
        keywords = [f'region="{region}"'] if region != here[1] else []
        keywords += [f'account="{account}"'] if account != here[0] else []
        of = f" of account {account}" if account != here[0] else ""
        found.append(f"{region}{of}: .at({', '.join(keywords)})")
    return f", but there is one in {' and in '.join(found)}" if found else ""
