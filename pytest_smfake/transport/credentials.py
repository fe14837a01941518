"""Credentials while a fake is active: dummies everywhere, nothing read, refreshed or sent."""

from __future__ import annotations

import os
from typing import Any

from pytest_smfake.service.arns import access_key_of

SECRET = "smfake"  # noqa: S105  # a dummy, for requests that never leave the process
METHOD = "smfake"
"""How credentials made by the fake say where they are from."""
KEPT = ("explicit", METHOD)
"""Credentials that a request keeps: those written out in code, and the fake's own."""

SET_ASIDE = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
)
"""The variables that botocore reads credentials from. Region, profile, endpoint and retry variables stay."""


def dummy(account: str) -> Any:
    """Return botocore credentials that belong to an account."""
    from botocore.credentials import Credentials

    return Credentials(access_key_of(account), SECRET, method=METHOD)


def set_aside(account: str) -> dict[str, str | None]:
    """Put dummies in the place of the credential variables, and return what was there."""
    before = {name: os.environ.pop(name, None) for name in SET_ASIDE}
    before["AWS_EC2_METADATA_DISABLED"] = os.environ.get("AWS_EC2_METADATA_DISABLED")
    os.environ["AWS_ACCESS_KEY_ID"] = access_key_of(account)
    os.environ["AWS_SECRET_ACCESS_KEY"] = SECRET
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    return before


def put_back(before: dict[str, str | None]) -> None:
    """Undo `set_aside`."""
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def found_in_environment(resolver: Any) -> Any:
    """Return the credentials that a test put into the environment, if a chain of providers looks there at all.

    A session of a named profile does not.
    """
    from botocore.credentials import Credentials

    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret and any(provider.METHOD == "env" for provider in resolver.providers):
        return Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN"), method=METHOD)
    return None
