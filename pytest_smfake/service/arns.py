"""ARNs, partitions, accounts and regions; also the account that an access key belongs to."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from functools import cache, lru_cache


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


DNS_SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
"""The end of host names in partitions that have not `amazonaws.com`."""


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
