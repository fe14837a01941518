"""ARNs, partitions, accounts and regions; also the account that an access key belongs to."""

from __future__ import annotations

import base64
import re
import warnings
from collections.abc import Iterable
from functools import cache, lru_cache

from pytest_smfake.rules.inputs import near, shown
from pytest_smfake.rules.service_model import loader

COMMON_REGIONS = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-east-1"),
    }
)
"""Regions that every version of botocore lists. To check one of them, botocore need not be loaded."""


class UnlistedRegionWarning(UserWarning):
    """The installed botocore does not list the region: most likely it is misspelled."""


@cache
def listed_regions() -> frozenset[str]:
    """Return every region of every partition that the installed botocore lists."""
    partitions = loader().load_data("partitions")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def check_region(region: str | None, stacklevel: int = 3) -> None:
    """Check the name of a region; warn if the installed botocore does not list it.

    Args:
        region: the name; None passes.
        stacklevel: as in `warnings.warn`; by default the warning names the line that called the caller.

    Raises:
        ValueError: no region can have this name.
    """
    if region is None or (isinstance(region, str) and region in COMMON_REGIONS):
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
    """Check the id of an account; None passes.

    Raises:
        ValueError: it is not a string of 12 digits.
    """
    if account is not None and not (isinstance(account, str) and re.fullmatch(r"[0-9]{12}", account)):
        raise ValueError(f"{shown(account)} is not an account id, which is a string of 12 digits")


def elsewhere(scopes: Iterable[tuple[str, str]], own: tuple[str, str]) -> str:
    """Return the part of an error text that names other scopes that hold the resource; empty if there are none.

    Args:
        scopes: the account and region of each scope that holds it.
        own: the account and region that were searched.

    Example:
        >>> elsewhere([("123456789012", "eu-west-1")], ("123456789012", "us-east-1"))
        ', but there is one in eu-west-1: .at(region="eu-west-1")'
    """
    found = []
    for account, region in scopes:
        keywords = [f'region="{region}"'] if region != own[1] else []
        keywords += [f'account="{account}"'] if account != own[0] else []
        of = f" of account {account}" if account != own[0] else ""
        found.append(f"{region}{of}: .at({', '.join(keywords)})")
    return f", but there is one in {' and in '.join(found)}" if found else ""


PARTITIONS = (
    ("aws-cn", r"cn-"),
    ("aws-us-gov", r"us-gov-"),
    ("aws-iso", r"us-iso-"),
    ("aws-iso-b", r"us-isob-"),
    ("aws-iso-e", r"eu-isoe-"),
    ("aws-iso-f", r"us-isof-"),
    ("aws-eusc", r"eusc-"),
)
"""The partitions other than `aws`, each with the prefix of its regions. Source: botocore's partitions.json."""


@cache
def partition_of(region: str) -> str:
    """Return the partition of a region; `aws` for an unknown region.

    Example:
        >>> partition_of("cn-north-1"), partition_of("mars-west-1")
        ('aws-cn', 'aws')
    """
    return next((name for name, start in PARTITIONS if region.startswith(start)), "aws")


def arn(region: str, account: str, resource: str) -> str:
    """Return the ARN of a SageMaker resource, such as `model/churn`. Upper and lower case of the name are kept (assumed)."""
    return f"arn:{partition_of(region)}:sagemaker:{region}:{account}:{resource}"


def console_of(region: str) -> str:
    """Return the address of the console in a region. That of `aws` was observed in texts of the service; the others are documented."""
    domains = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
    return f"https://{region}.{domains.get(partition_of(region), 'console.aws.amazon.com')}"


# An access key contains its account. After the four letters of the prefix, five bytes in base32 hold the upper bits plus an
# offset; one more letter holds the last bit. Keys from before 2019 contain no account. Source: moto's iam/utils.py.
_KEY = re.compile(r"A[KS]IA(?P<account>[A-Z2-7]{8})(?P<odd>[A-Z2-7])[A-Z2-7]{7}")
_OFFSET = 1 << 39


@lru_cache(maxsize=1024)
def account_of(access_key: str) -> str | None:
    """Return the account of an access key: the key itself if it is 12 digits, else the account that it contains, else None.

    Example:
        >>> account_of(access_key_of("111122223333")), account_of("111122223333"), account_of("testing")
        ('111122223333', '111122223333', None)
    """
    if re.fullmatch("[0-9]{12}", access_key):
        return access_key
    key = _KEY.fullmatch(access_key)
    if key is None:
        return None
    half = int.from_bytes(base64.b32decode(key["account"]), "big") - _OFFSET
    account = 2 * half + (key["odd"] >= "Q" or key["odd"].isdigit())
    return f"{account:012}" if 0 <= account < 10**12 else None


@lru_cache(maxsize=1024)
def access_key_of(account: str) -> str:
    """Return a made-up access key that belongs to an account."""
    number = int(account)
    return f"AKIA{base64.b32encode((number // 2 + _OFFSET).to_bytes(5, 'big')).decode()}{'AQ'[number % 2]}SMFAKEX"
