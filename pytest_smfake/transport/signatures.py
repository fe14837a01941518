"""Whose key signed a request, and whether the signature is right."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pytest_smfake.service.arns import access_key_of, account_of
from pytest_smfake.service.clock import Clock
from pytest_smfake.spec.given import shown

from .exchange import Request
from .sigv4 import ALGORITHM, FORM, SECRET, Signed, canonical_request, payload_of, refusal, signing_key, take_apart

Auth = Literal["lenient", "strict"]
SKEW = 5 * 60
"""Seconds that a signature may be off (observed in the texts: hassy/artillery-dino#2)."""

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "
    "Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
    "The String-to-Sign should have been\n'{to_sign}'\n"
)
"""Observed of SageMaker's runtime: DavidMuller/aws-requests-auth#33."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key pair that a fake knows, and whose it is.

    Attributes:
        secret: the secret access key.
        account: the account it belongs to, 12 digits; by default the one that the key's id holds, or the fake's.
        principal: the ARN of who signs with it, for the texts of denials; by default that of a made-up user.
        session_token: the token that requests must bring along with it; None for a key that lasts.
        expires: when it expires, in seconds since the epoch on the fake's clock; None for never.

    Example:
        >>> from pytest_smfake import FakeSageMaker
        >>> key = AccessKey(secret="s3cr3t", account="111122223333", principal="arn:aws:iam::111122223333:user/ann")
        >>> with FakeSageMaker(auth="strict", keys={"AKIAEXAMPLE": key}) as fake:
        ...     client = fake.client(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="s3cr3t")
        ...     client.create_model(**fake.request())["ModelArn"]
        'arn:aws:sagemaker:us-east-1:111122223333:model/model'
    """

    secret: str = field(repr=False)
    account: str | None = None
    principal: str | None = None
    session_token: str | None = field(default=None, repr=False)
    expires: float | None = None


class Caller(NamedTuple):
    """Who sent a request: the account, None where the key tells none, and the principal, None for a made-up user."""

    account: str | None
    principal: str | None


class Signatures:
    """Looks at the signatures of requests.

    Args:
        auth: `lenient` takes every request as it is, signed or not; `strict` verifies.
        keys: the key pairs that are known by their ids, beside those that the fake lends; a string is a secret.
        clock: whose time it is.

    Raises:
        ValueError: another mode, or something that is no key pair.
    """

    def __init__(self, auth: Auth, keys: Mapping[str, Any], clock: Clock) -> None:
        if auth not in ("lenient", "strict"):
            raise ValueError(f"auth={auth!r} is not how signatures are looked at; there are: lenient, strict")
        if not isinstance(keys, Mapping):
            raise ValueError(f"keys={keys!r} is not a dict of key pairs by the ids of their access keys")
        self.auth = auth
        self.keys = {name: _access_key(name, key) for name, key in keys.items()}
        self._clock = clock

    def _find(self, name: str) -> AccessKey | None:
        known = self.keys.get(name)
        if known is None and (account := account_of(name)) is not None and name == access_key_of(account):
            return AccessKey(secret=SECRET)  # one that the fake lends
        return known

    def caller(self, name: str) -> Caller:
        """Return who signs with an access key, as far as that says."""
        known = self.keys.get(name)
        return Caller((known.account if known else None) or account_of(name), known.principal if known else None)

    def verify(self, request: Request) -> None:
        """Refuse a request whose signature is not right.

        Raises:
            ServiceError: `MissingAuthenticationTokenException`, `IncompleteSignature`, `UnrecognizedClientException`,
                `ExpiredTokenException` or `InvalidSignatureException`.
        """
        if self.auth == "lenient":
            return
        signed, query = take_apart(request)
        key = self._find(signed.key)
        if key is None or key.session_token != signed.token:
            raise refusal("UnrecognizedClientException")
        if key.expires is not None and self._clock.now() >= key.expires:
            raise refusal("ExpiredTokenException")
        if signed.service != "sagemaker" or signed.term != "aws4_request":
            # Observed of EMR: aws/aws-sdk-ruby#431.
            raise refusal("InvalidSignatureException", "Credential should be scoped to correct service: 'sagemaker'. ")
        self._check_time(signed)
        canonical = canonical_request(request, query, signed.headers, payload_of(request, query))
        scope = f"{signed.day}/{signed.region}/{signed.service}/{signed.term}"
        to_sign = "\n".join((ALGORITHM, signed.moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        right = hmac.new(signing_key(key.secret, signed), to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right.encode(), signed.signature.encode()):
            raise refusal("InvalidSignatureException", MISMATCH.format(canonical=canonical, to_sign=to_sign))

    def _check_time(self, signed: Signed) -> None:
        """Refuse a signature that is not of now: of real time, of the fake's clock, or of between them, since clients have either."""
        try:
            moment = timegm(time.strptime(signed.moment, FORM))
        except ValueError:
            raise refusal("IncompleteSignature", f"Date must be in ISO-8601 'basic format'. Got '{signed.moment}'.") from None
        if signed.day != signed.moment[:8]:
            text = f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{signed.day}' != "
            raise refusal("InvalidSignatureException", f"{text}'{signed.moment[:8]}', from '{signed.moment}'.")
        first, now = sorted((time.time(), self._clock.now()))
        if signed.lasts is not None:
            if moment + signed.lasts < now:
                raise refusal(
                    "InvalidSignatureException", f"Signature expired: {_text(moment + signed.lasts)} is now earlier than {_text(now)}"
                )
        elif moment < first - SKEW:
            raise refusal(
                "InvalidSignatureException",
                f"Signature expired: {signed.moment} is now earlier than {_text(first - SKEW)} ({_text(first)} - 5 min.)",
            )
        if moment > now + SKEW:
            raise refusal(
                "InvalidSignatureException",
                f"Signature not yet current: {signed.moment} is still later than {_text(now + SKEW)} ({_text(now)} + 5 min.)",
            )


def _access_key(name: str, key: Any) -> AccessKey:
    try:
        made = AccessKey(secret=key) if isinstance(key, str) else key if isinstance(key, AccessKey) else AccessKey(**key)
    except TypeError:
        raise ValueError(f"keys: {key!r} of {name!r} is not a secret, an AccessKey, nor a dict of its attributes") from None
    for attribute in ("secret", "principal", "session_token"):
        value = getattr(made, attribute)
        if not (isinstance(value, str) and value and value.isascii()) and (value is not None or attribute == "secret"):
            raise ValueError(f"keys: {attribute}={shown(value)} of {name!r} is not a text of ASCII letters")
    if made.expires is not None and (isinstance(made.expires, bool) or not isinstance(made.expires, int | float)):
        raise ValueError(f"keys: expires={shown(made.expires)} of {name!r} is not a number of seconds since the epoch")
    if made.account is not None and not (isinstance(made.account, str) and re.fullmatch(r"[0-9]{12}", made.account)):
        raise ValueError(f"keys: {made.account!r} of {name!r} is not an account id, which is a string of 12 digits")
    return made


def _text(moment: float) -> str:
    return time.strftime(FORM, time.gmtime(moment))
