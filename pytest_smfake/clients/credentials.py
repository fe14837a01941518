"""Dummy credentials while a fake is active, in clients and in the environment. True ones are never read, refreshed or sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_smfake.protocol.active import ActiveFake

KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
COVERED = (
    *KEY_VARIABLES,
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
)
"""The variables from which botocore reads credentials. Variables of region, profile, endpoint and retries are left alone."""

METADATA = "AWS_EC2_METADATA_DISABLED"
ALWAYS = (*KEY_VARIABLES, METADATA)
"""The variables that always have a value while a fake is active. The others have one only if they had one before."""

AT_START = {name: os.environ[name] for name in COVERED if name in os.environ}
"""Values at the import of the package: a mock that ends while a fake is active can bring them back."""

SPARE = 7
"""Number of letters at the end of an access key that do not depend on its account."""
DUMMY = "smfake"
"""The dummy value of a variable that holds no access key."""


class Variables:
    """Environment variables whose values are covered with dummies for a while.

    Other code changes the environment too, and undoes its changes in any order. So each original value gets a unique dummy: if
    the dummy appears again later, the original is known.
    """

    def __init__(self) -> None:
        self._originals: dict[str, dict[str | None, str | None]] = {}
        """By variable: the original of each dummy."""
        self._dummies: dict[tuple[str, str, str | None], str] = {}
        """By variable, wanted value and original: the dummy."""
        self._known: dict[str, set[str | None]] = {}
        """By variable: values from before the first active fake, which no test has set."""
        self._active = False

    def note(self) -> None:
        """Note the values at the start of a test: a mock of the test that ends while a fake is active can bring them back."""
        if not self._active:
            self._known = {name: {AT_START.get(name), self.value(name)} for name in COVERED}

    def cover(self, wanted: Mapping[str, str]) -> None:
        """Cover variables with dummies. A value that a test has set since the first fake was entered is kept."""
        begins, self._active = not self._active, True
        for name, value in wanted.items():
            current = os.environ.get(name)
            if current is None and name not in ALWAYS:
                continue
            ours = self._originals.setdefault(name, {})
            known = self._known.setdefault(name, {AT_START.get(name)})
            is_of_test = current not in ours and not begins and current not in known
            if is_of_test:
                continue
            before = ours.get(current, current)
            dummy = self._dummy_for(name, value, before)
            if dummy != current:
                ours[dummy] = before  # before the next step, so that `restore` finds it after an error
                if before is None or not before.isdecimal():  # 12 digits are an account that a test chose, not a true key
                    known.add(before)
                os.environ[name] = dummy

    def _dummy_for(self, name: str, value: str, before: str | None) -> str:
        """Return a variant of the wanted value: the dummy for one original."""
        key = (name, value, before)
        if key not in self._dummies:
            number = sum(1 for other in self._dummies if other[:2] == key[:2])
            self._dummies[key] = _variant(name, value, number)
        return self._dummies[key]

    def keep(self, wanted: Mapping[str, str]) -> None:
        """Cover again the values that a mock brought back: from the import, the start of the test, or the entry of the first fake."""
        for name, value in wanted.items():
            current = self.value(name)
            if current is not None and current in self._known.get(name, ()):
                self.cover({name: value})

    def value(self, name: str) -> str | None:
        """Return the value of a variable, or None if it has none or a dummy."""
        current = os.environ.get(name)
        return None if current in self._originals.get(name, ()) else current

    def restore(self) -> None:
        """Restore the originals. It can be called at any time, again, and after it has raised an error."""
        self._active = False
        for name, ours in self._originals.items():
            current = os.environ.get(name)
            if current not in ours:
                continue
            if (before := ours[current]) is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before


def _variant(name: str, value: str, number: int) -> str:
    """Return a variant of a value with the same meaning: another key of the account, `true` in other letter case, or a numbered text."""
    if number == 0:
        return value
    if name == METADATA:
        return "".join(letter.upper() if number >> place & 1 else letter.lower() for place, letter in enumerate(value))
    if name != KEY_VARIABLES[0]:
        return f"{value}-{number}"
    letters = []
    for _ in range(SPARE):
        number, letter = divmod(number, 26)
        letters.append(chr(ord("A") + letter))
    return value[:-SPARE] + "".join(letters)


variables = Variables()
"""The variables that are covered while any fake is active."""

METHOD = "smfake"
"""The `method` of a fake's own credentials, which the active fake replaces by its own."""
ENVIRONMENT = "smfake environment"
"""The `method` of credentials that a test put into the environment."""
KEPT_CREDENTIALS = ("explicit", ENVIRONMENT)
"""The `method` of credentials that are never replaced: given in code, or put into the environment by a test."""


def dummy(account: str) -> Any:
    """Return dummy botocore credentials of an account."""
    from botocore.credentials import Credentials

    from pytest_smfake.protocol.signatures import SECRET
    from pytest_smfake.service.arns import access_key_of

    return Credentials(access_key_of(account), SECRET, method=METHOD)


def environment(url: str, account: str, region: str) -> dict[str, str]:
    """Return the variables that lead a process of any language to the fake at a URL: endpoints, dummy keys, region."""
    from pytest_smfake.protocol.signatures import SECRET
    from pytest_smfake.service.arns import access_key_of

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
    """Return the variables while a fake is active: dummy keys, and no request to the metadata service for others.

    A variable that had a value gets a dummy and is not removed: a missing one could not be told from one that other code removed.
    Every SDK takes `True` like `true`, and other code seldom sets it.
    """
    from pytest_smfake.protocol.signatures import SECRET
    from pytest_smfake.service.arns import access_key_of

    keys = (access_key_of(account), SECRET)
    return dict.fromkeys(COVERED, DUMMY) | dict(zip(KEY_VARIABLES, keys, strict=True)) | {METADATA: "True"}


def credentials_of(session: Any, fake: ActiveFake) -> Any:
    """Return the credentials of a botocore session while a fake is active. None are loaded or stored in the session.

    Credentials given in code are kept. Credentials that a test put into the environment apply, unless the session names a profile.
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
    """Missing credentials, in place of those with which a client was made."""

    def get_frozen_credentials(self) -> None:
        """Return None, for which botocore raises a NoCredentialsError."""


def signing_credentials(found: Any, fake: ActiveFake) -> Any:
    """Return the credentials to sign a request with, in place of those that botocore found."""
    if found is not None and getattr(found, "method", "explicit") in KEPT_CREDENTIALS:
        return found
    return dummy(fake.account) if fake.credentials else NoCredentials()
