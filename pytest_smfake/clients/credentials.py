"""Credentials while a fake is active: dummies everywhere, nothing read, refreshed or sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_smfake.protocol.signatures import SECRET
from pytest_smfake.service.arns import access_key_of

from .environment import DUMMY, KEY_VARIABLES, METADATA, SET_ASIDE, variables

if TYPE_CHECKING:
    from pytest_smfake.protocol.active import ActiveFake

METHOD = "smfake"
"""How the fake's own credentials say where they are from: the fake that is active then puts its own in their place."""
ENVIRONMENT = "smfake environment"
"""How those say it that a test put into the environment."""
KEPT_CREDENTIALS = ("explicit", ENVIRONMENT)
"""Credentials that a request keeps: those written out in code, and those that a test put into the environment."""


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


def wanted(account: str) -> Mapping[str, str]:
    """Return the variables of the environment while a fake is active: dummy keys, and nobody is asked for others.

    Where a variable was, one is: an absent one could not be told from one that somebody else took away. `True` is as good as `true` to
    every SDK, and as a value of ours it is seldom that of somebody else.
    """
    keys = (access_key_of(account), SECRET)
    return dict.fromkeys(SET_ASIDE, DUMMY) | dict(zip(KEY_VARIABLES, keys, strict=True)) | {METADATA: "True"}


def credentials_of(session: Any, fake: ActiveFake) -> Any:
    """Return what a botocore session has for credentials while a fake is active; nothing is loaded, and nothing kept.

    Those given in code stay. Those that a test put into the environment count, unless the session is of a named profile.
    """
    from botocore.credentials import Credentials

    given = session._credentials
    if given is not None and given.method == "explicit":
        return given
    variables.keep(wanted(fake.account))
    key, secret = variables.value(KEY_VARIABLES[0]), os.environ.get(KEY_VARIABLES[1])
    by_profile = session.instance_variables().get("profile") is not None
    if key and secret and not by_profile:
        return Credentials(key, secret, variables.value("AWS_SESSION_TOKEN"), method=ENVIRONMENT)
    return dummy(fake.account) if fake.credentials else None


class NoCredentials:
    """Credentials that are none, whatever those were that a client was made with."""

    def get_frozen_credentials(self) -> None:
        """Return None, which botocore signs nothing with: it raises a NoCredentialsError."""


def signing_credentials(found: Any, fake: ActiveFake) -> Any:
    """Return the credentials that a request is signed with in the place of those that were found."""
    if found is not None and getattr(found, "method", "explicit") in KEPT_CREDENTIALS:
        return found
    return dummy(fake.account) if fake.credentials else NoCredentials()
