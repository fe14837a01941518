"""Credentials while a fake is active: dummies everywhere, nothing read, refreshed or sent."""

from __future__ import annotations

import os
from typing import Any

from pytest_smfake.service.arns import access_key_of

SECRET = "smfake"  # noqa: S105  # a dummy, for requests that never leave the process
METHOD = "smfake"
"""How the fake's own credentials say where they are from: the fake that is active then puts its own in their place."""
ENVIRONMENT = "smfake environment"
"""How those say it that a test put into the environment."""
KEPT = ("explicit", ENVIRONMENT)
"""Credentials that a request keeps: those written out in code, and those that a test put into the environment."""

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


def environment(url: str, account: str, region: str) -> dict[str, str]:
    """Return the variables by which a process of any language reaches the fake at an address: endpoints, dummy keys, region."""
    return {
        "AWS_ENDPOINT_URL_SAGEMAKER": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ACCESS_KEY_ID": access_key_of(account),
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


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


def credentials_of(session: Any, account: str) -> Any:
    """Return what a botocore session has for credentials while a fake is active; nothing is loaded, and nothing kept.

    Those given in code stay. Those that a test put into the environment count, unless the session is of a named profile.
    """
    from botocore.credentials import Credentials

    given = session._credentials
    if given is not None and given.method == "explicit":
        return given
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    by_profile = session.instance_variables().get("profile") is not None
    if key and secret and key != access_key_of(account) and not by_profile:
        return Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN"), method=ENVIRONMENT)
    return dummy(account)
