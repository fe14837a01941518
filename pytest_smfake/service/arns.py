"""ARNs, partitions, and the account that an access key belongs to."""

from __future__ import annotations

import base64
import re
from functools import cache, lru_cache

PARTITIONS = (
    ("aws-cn", r"cn-"),
    ("aws-us-gov", r"us-gov-"),
    ("aws-iso", r"us-iso-"),
    ("aws-iso-b", r"us-isob-"),
    ("aws-iso-e", r"eu-isoe-"),
    ("aws-iso-f", r"us-isof-"),
    ("aws-eusc", r"eusc-"),
)
"""The partitions beside `aws` by the start of their regions' names. Source: botocore's partitions.json."""


@cache
def partition_of(region: str) -> str:
    """Return the partition of a region, `aws` for one that nobody knows.

    Example:
        >>> partition_of("cn-north-1"), partition_of("mars-west-1")
        ('aws-cn', 'aws')
    """
    return next((name for name, start in PARTITIONS if region.startswith(start)), "aws")


def arn(region: str, account: str, resource: str) -> str:
    """Return the ARN of a SageMaker resource, such as `model/churn`; the name's case is kept (assumed)."""
    return f"arn:{partition_of(region)}:sagemaker:{region}:{account}:{resource}"


def console_of(region: str) -> str:
    """Return the address of the console in a region; that of `aws` is observed in texts of the service, the others documented."""
    domains = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
    return f"https://{region}.{domains.get(partition_of(region), 'console.aws.amazon.com')}"


# How an access key holds its account: five bytes in base32 after the four letters of the prefix, offset, and one letter more
# for the last bit. Keys from before 2019 hold none. Source: moto's iam/utils.py, which mints keys in the same way.
_KEY = re.compile(r"A[KS]IA(?P<account>[A-Z2-7]{8})(?P<odd>[A-Z2-7])[A-Z2-7]{7}")
_OFFSET = 1 << 39


@lru_cache(maxsize=1024)
def account_of(access_key: str) -> str | None:
    """Return the account of an access key: the one in it, or the key itself where it is 12 digits; else None.

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
