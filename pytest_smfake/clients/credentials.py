"""Credentials while a fake is active: dummies everywhere, nothing read, refreshed or sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_smfake.protocol.active import ActiveFake

KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
SET_ASIDE = (
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
"""The variables that botocore reads credentials from. Region, profile, endpoint and retry variables stay."""

METADATA = "AWS_EC2_METADATA_DISABLED"
ALWAYS = (*KEY_VARIABLES, METADATA)
"""The variables that have a value while a fake is active; the others have one only where they had one before."""

AT_START = {name: os.environ[name] for name in SET_ASIDE if name in os.environ}
"""What was there when the package was imported: a mock that ends while a fake is active may bring it back."""

SPARE = 7
"""Letters at the end of an access key that say nothing of its account."""
DUMMY = "smfake"
"""What takes the place of a value that is no key."""


class Variables:
    """Variables that have other values for a while.

    Others change the environment, too, and undo it in any order. So each value that is put there is kept with the one whose place it
    took, and is no value that others use: wherever it turns up again, it is known what belongs there.
    """

    def __init__(self) -> None:
        self._before: dict[str, dict[str | None, str | None]] = {}
        """By variable: of each value that was put there, the value of before."""
        self._taken: dict[tuple[str, str, str | None], str] = {}
        """By variable, wanted value and value of before: the value that was put there."""
        self._known: dict[str, set[str | None]] = {}
        """By variable: what was there since the first of the active fakes was entered, and belongs to nobody's test."""
        self._active = False

    def note(self) -> None:
        """Note what is there now, at the begin of a test: a mock of the test that ends while a fake is active may bring it back."""
        if not self._active:
            self._known = {name: {AT_START.get(name), self.value(name)} for name in SET_ASIDE}

    def cover(self, wanted: Mapping[str, str]) -> None:
        """Give variables other values; those that a test has given a value since the first fake was entered stay as they are."""
        begins, self._active = not self._active, True
        for name, value in wanted.items():
            current = os.environ.get(name)
            if current is None and name not in ALWAYS:
                continue
            ours = self._before.setdefault(name, {})
            known = self._known.setdefault(name, {AT_START.get(name)})
            is_of_test = current not in ours and not begins and current not in known
            if is_of_test:
                continue
            before = ours.get(current, current)
            taken = self._value_for(name, value, before)
            if taken != current:
                ours[taken] = before  # before the step, so that `restore` finds it after an error, too
                if before is None or not before.isdecimal():  # 12 digits are an account that a test chooses, and no key
                    known.add(before)
                os.environ[name] = taken

    def _value_for(self, name: str, value: str, before: str | None) -> str:
        """Return a variant of the wanted value that stands for one value of before."""
        key = (name, value, before)
        if key not in self._taken:
            number = sum(1 for other in self._taken if other[:2] == key[:2])
            self._taken[key] = _variant(name, value, number)
        return self._taken[key]

    def keep(self, wanted: Mapping[str, str]) -> None:
        """Set aside again what a mock brought back: what was there when the first fake was entered, the test began, or at the import."""
        for name, value in wanted.items():
            current = self.value(name)
            if current is not None and current in self._known.get(name, ()):
                self.cover({name: value})

    def value(self, name: str) -> str | None:
        """Return what somebody else gave a variable, None where there is nothing or a value of ours."""
        current = os.environ.get(name)
        return None if current in self._before.get(name, ()) else current

    def restore(self) -> None:
        """Put back what was there. It may be called at any time, again, and after an error halfway."""
        self._active = False
        for name, ours in self._before.items():
            current = os.environ.get(name)
            if current not in ours:
                continue
            if (before := ours[current]) is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before


def _variant(name: str, value: str, number: int) -> str:
    """Return another form of a value that means the same: a key of the same account, a truth in other letters, or a text with a number."""
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
"""Those that are set aside while any fake is active."""

METHOD = "smfake"
"""How the fake's own credentials say where they are from: the fake that is active then puts its own in their place."""
ENVIRONMENT = "smfake environment"
"""How those say it that a test put into the environment."""
KEPT_CREDENTIALS = ("explicit", ENVIRONMENT)
"""Credentials that a request keeps: those written out in code, and those that a test put into the environment."""


def dummy(account: str) -> Any:
    """Return botocore credentials that belong to an account."""
    from botocore.credentials import Credentials

    from pytest_smfake.protocol.signatures import SECRET
    from pytest_smfake.service.arns import access_key_of

    return Credentials(access_key_of(account), SECRET, method=METHOD)


def environment(url: str, account: str, region: str) -> dict[str, str]:
    """Return the variables by which a process of any language reaches the fake at an address: endpoints, dummy keys, region."""
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
    """Return the variables of the environment while a fake is active: dummy keys, and nobody is asked for others.

    Where a variable was, one is: an absent one could not be told from one that somebody else took away. `True` is as good as `true` to
    every SDK, and as a value of ours it is seldom that of somebody else.
    """
    from pytest_smfake.protocol.signatures import SECRET
    from pytest_smfake.service.arns import access_key_of

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
