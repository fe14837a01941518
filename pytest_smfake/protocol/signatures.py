"""Signature Version 4: find the key that signed a request, and verify the signature."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from pytest_smfake.rules.failures import ANY, failure
from pytest_smfake.rules.inputs import shown
from pytest_smfake.service.arns import access_key_of, account_of
from pytest_smfake.service.clock import Clock
from pytest_smfake.service.errors import ServiceError

from .http import Request

SECRET = "smfake"  # noqa: S105  # a dummy, for requests that never leave the process
ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
WEEK = 7 * 24 * 3600
"""Maximum validity in seconds of a signature in the query (documented: Signature Version 4, X-Amz-Expires)."""


class Signed(NamedTuple):
    """The parts of a request's signature."""

    key: str
    day: str
    region: str
    service: str
    term: str
    headers: tuple[str, ...]
    signature: str
    moment: str
    token: str | None
    lasts: int | None


def _refusal(code: str, text: str | None = None) -> ServiceError:
    """Return the error for a wrong signature, with the code's known text by default."""
    known = failure(ANY, code)
    return ServiceError(known.code, known.text if text is None else text, status=known.status)


def parse_signature(request: Request) -> tuple[Signed, list[tuple[str, str]]]:
    """Return the signature of a request, and the query without it.

    The texts for missing parts are observed of Kinesis, which has the same protocol (mhart/kinesalite, index.js).
    """
    pairs = parse_qsl(urlsplit(request.signed_target).query, keep_blank_values=True)
    query = dict(pairs)
    header = request.headers.get("authorization", "").strip()
    wanted: tuple[str, ...] = ("Credential", "Signature", "SignedHeaders")
    if header and "X-Amz-Algorithm" in query:
        text = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        raise _refusal("InvalidSignatureException", text)
    if header:
        algorithm, _, rest = header.partition(" ")
        found = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in rest.split(","))}
        found["Date"] = request.headers.get("x-amz-date") or _basic(request.headers.get("date", ""))
        missing = [f"Authorization header requires '{name}' parameter. " for name in wanted if not found.get(name)]
        if not found["Date"]:
            missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
        ending = f"Authorization={header}"
        token = request.headers.get("x-amz-security-token")
    elif "X-Amz-Algorithm" in query:
        algorithm = query["X-Amz-Algorithm"]
        found = {name.removeprefix("X-Amz-"): value for name, value in query.items()}
        wanted += ("Date", "Expires")
        missing = [f"AWS query-string parameters must include 'X-Amz-{name}'. " for name in wanted if not found.get(name)]
        ending = "Re-examine the query-string parameters."
        token = found.get("Security-Token")
    else:
        raise _refusal("MissingAuthenticationTokenException")
    if algorithm != ALGORITHM:
        raise _refusal("IncompleteSignature", f"Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM}). {ending}")
    if missing:
        raise _refusal("IncompleteSignature", "".join(missing) + ending)
    scope = found["Credential"].split("/")
    if len(scope) != 5:
        text = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
        raise _refusal("IncompleteSignature", f"{text}, got '{found['Credential']}'")
    headers = tuple(name.strip().lower() for name in found["SignedHeaders"].split(";"))
    if "host" not in headers:
        raise _refusal("IncompleteSignature", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    lasts = None
    if not header:
        if not re.fullmatch(r"[0-9]{1,6}", found["Expires"]) or not 0 < int(found["Expires"]) <= WEEK:
            raise _refusal("IncompleteSignature", f"X-Amz-Expires must be a number of seconds from 1 to {WEEK}, got '{found['Expires']}'")
        lasts = int(found["Expires"])
    name, day, region, service, term = scope
    signed = Signed(name, day, region, service, term, headers, found["Signature"], found["Date"], token, lasts)
    return signed, [pair for pair in pairs if pair[0] != "X-Amz-Signature"]


def _basic(date: str) -> str:
    """Return a `Date` header in the basic format of ISO 8601, or unchanged if it cannot be parsed."""
    try:
        return parsedate_to_datetime(date).strftime(DATE_FORMAT)
    except (ValueError, OverflowError):
        return date


def payload_of(request: Request, query: list[tuple[str, str]]) -> str:
    """Return the hash of the body, or `UNSIGNED-PAYLOAD` if the client did not sign it."""
    declared = request.headers.get("x-amz-content-sha256") or dict(query).get("X-Amz-Content-Sha256")
    return UNSIGNED if declared == UNSIGNED else hashlib.sha256(request.body).hexdigest()


def canonical_request(request: Request, query: list[tuple[str, str]], headers: tuple[str, ...], payload: str) -> str:
    """Return the canonical request, whose hash is signed.

    Source: Signature Version 4, 'Create a canonical request': the path is URL-encoded once more than in the request.
    """
    path = quote(_normal(urlsplit(request.signed_target).path), safe="/~")
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in query)
    values = {"host": request.netloc} | dict(request.headers)
    lines = [f"{name}:{' '.join(values.get(name, '').split())}" for name in headers]
    return "\n".join((request.method, path, "&".join(f"{name}={value}" for name, value in pairs), *lines, "", ";".join(headers), payload))


def _normal(path: str) -> str:
    """Return a path without empty parts, `.` and `..`."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept = kept[:-1]
        elif part not in ("", "."):
            kept.append(part)
    end = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return f"/{'/'.join(kept)}{end}"


def signing_key(secret: str, signed: Signed) -> bytes:
    """Return the signing key of a secret for a day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (signed.day, signed.region, signed.service, signed.term):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


Auth = Literal["lenient", "strict"]
SKEW = 5 * 60
"""Maximum difference in seconds between a signature's time and now (observed in the texts: hassy/artillery-dino#2)."""

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "
    "Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
    "The String-to-Sign should have been\n'{to_sign}'\n"
)
"""Observed of SageMaker's runtime: DavidMuller/aws-requests-auth#33."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key pair that a fake knows, and its owner.

    Attributes:
        secret: the secret access key.
        account: the owner's account, 12 digits; by default the account in the key's id, or the fake's.
        principal: the owner's ARN, for the texts of denied permissions; by default that of a made-up user.
        session_token: the session token that requests must have; None for a long-term key.
        expires: expiry time, in seconds since the epoch on the fake's clock; None for never.

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
    """The sender of a request: the account, None if the key names none, and the principal, None for a made-up user."""

    account: str | None
    principal: str | None


class Signatures:
    """Verifies the signatures of requests.

    Args:
        auth: `lenient` accepts every request, signed or not; `strict` verifies signatures.
        keys: the known key pairs by access key id, beside the fake's own dummies; a string is a secret.
        clock: the clock against which signatures are checked.

    Raises:
        ValueError: an unknown mode, or an invalid key pair.
    """

    def __init__(self, auth: Auth, keys: Mapping[str, Any], clock: Clock) -> None:
        if auth not in ("lenient", "strict"):
            raise ValueError(f"unknown auth {auth!r}; expected one of: lenient, strict")
        if not isinstance(keys, Mapping):
            raise ValueError(f"keys must be a dict of access key ids and secrets or AccessKeys, got {keys!r}")
        self.auth = auth
        self.keys = {name: _access_key(name, key) for name, key in keys.items()}
        self._clock = clock

    def _find(self, name: str) -> AccessKey | None:
        known = self.keys.get(name)
        if known is None and (account := account_of(name)) is not None and name == access_key_of(account):
            return AccessKey(secret=SECRET)  # a dummy key of the fake
        return known

    def caller(self, name: str) -> Caller:
        """Return the account and principal of an access key, as far as known."""
        known = self.keys.get(name)
        return Caller((known.account if known else None) or account_of(name), known.principal if known else None)

    def verify(self, request: Request) -> None:
        """Verify the signature of a request, if `auth` is strict.

        Raises:
            ServiceError: `MissingAuthenticationTokenException`, `IncompleteSignature`, `UnrecognizedClientException`,
                `ExpiredTokenException` or `InvalidSignatureException`.
        """
        if self.auth == "lenient":
            return
        signed, query = parse_signature(request)
        key = self._find(signed.key)
        if key is None or key.session_token != signed.token:
            raise _refusal("UnrecognizedClientException")
        if key.expires is not None and self._clock.now() >= key.expires:
            raise _refusal("ExpiredTokenException")
        if signed.service != "sagemaker" or signed.term != "aws4_request":
            # Observed of EMR: aws/aws-sdk-ruby#431.
            raise _refusal("InvalidSignatureException", "Credential should be scoped to correct service: 'sagemaker'. ")
        self._check_time(signed)
        canonical = canonical_request(request, query, signed.headers, payload_of(request, query))
        scope = f"{signed.day}/{signed.region}/{signed.service}/{signed.term}"
        to_sign = "\n".join((ALGORITHM, signed.moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        right = hmac.new(signing_key(key.secret, signed), to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right.encode(), signed.signature.encode()):
            raise _refusal("InvalidSignatureException", MISMATCH.format(canonical=canonical, to_sign=to_sign))

    def _check_time(self, signed: Signed) -> None:
        """Refuse an expired or future signature. Real time, the fake's clock, and times between them are accepted: clients use either."""
        try:
            moment = timegm(time.strptime(signed.moment, DATE_FORMAT))
        except ValueError:
            raise _refusal("IncompleteSignature", f"Date must be in ISO-8601 'basic format'. Got '{signed.moment}'.") from None
        if signed.day != signed.moment[:8]:
            text = f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{signed.day}' != "
            raise _refusal("InvalidSignatureException", f"{text}'{signed.moment[:8]}', from '{signed.moment}'.")
        first, now = sorted((time.time(), self._clock.now()))
        if signed.lasts is not None:
            if moment + signed.lasts < now:
                raise _refusal(
                    "InvalidSignatureException", f"Signature expired: {_text(moment + signed.lasts)} is now earlier than {_text(now)}"
                )
        elif moment < first - SKEW:
            raise _refusal(
                "InvalidSignatureException",
                f"Signature expired: {signed.moment} is now earlier than {_text(first - SKEW)} ({_text(first)} - 5 min.)",
            )
        if moment > now + SKEW:
            raise _refusal(
                "InvalidSignatureException",
                f"Signature not yet current: {signed.moment} is still later than {_text(now + SKEW)} ({_text(now)} + 5 min.)",
            )


def _access_key(name: str, key: Any) -> AccessKey:
    try:
        made = AccessKey(secret=key) if isinstance(key, str) else key if isinstance(key, AccessKey) else AccessKey(**key)
    except TypeError:
        raise ValueError(f"keys: value of {name!r} must be a secret, an AccessKey, or a dict of its attributes, got {key!r}") from None
    for attribute in ("secret", "principal", "session_token"):
        value = getattr(made, attribute)
        if not (isinstance(value, str) and value and value.isascii()) and (value is not None or attribute == "secret"):
            raise ValueError(f"keys: {attribute} of {name!r} must be a non-empty ASCII string, got {shown(value)}")
    if made.expires is not None and (isinstance(made.expires, bool) or not isinstance(made.expires, int | float)):
        raise ValueError(f"keys: expires of {name!r} must be a number of seconds since the epoch, got {shown(made.expires)}")
    if made.account is not None and not (isinstance(made.account, str) and re.fullmatch(r"[0-9]{12}", made.account)):
        raise ValueError(f"keys: account of {name!r} must be a string of 12 digits, got {made.account!r}")
    return made


def _text(moment: float) -> str:
    return time.strftime(DATE_FORMAT, time.gmtime(moment))
