"""Signature Version 4: a request taken apart, and its canonical form."""

from __future__ import annotations

import hashlib
import hmac
import re
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from pytest_smfake.service.errors import ServiceError
from pytest_smfake.spec.failures import ANY, failure

from .exchange import Request

SECRET = "smfake"  # noqa: S105  # a dummy, for requests that never leave the process
ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
FORM = "%Y%m%dT%H%M%SZ"
WEEK = 7 * 24 * 3600
"""The longest validity of a signature in a query, in seconds (documented: Signature Version 4, X-Amz-Expires)."""


class Signed(NamedTuple):
    """The signature of a request, taken apart."""

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


def refusal(code: str, text: str | None = None) -> ServiceError:
    """Return the error by which a signature is refused, with the text known of the code unless there is another."""
    known = failure(ANY, code)
    return ServiceError(known.code, known.text if text is None else text, status=known.status)


def take_apart(request: Request) -> tuple[Signed, list[tuple[str, str]]]:
    """Return the signature of a request, and the query without it.

    The texts for what is missing are observed of Kinesis, which speaks the same protocol (mhart/kinesalite, index.js).
    """
    pairs = parse_qsl(urlsplit(request.signed_target).query, keep_blank_values=True)
    query = dict(pairs)
    header = request.headers.get("authorization", "").strip()
    wanted: tuple[str, ...] = ("Credential", "Signature", "SignedHeaders")
    if header and "X-Amz-Algorithm" in query:
        text = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        raise refusal("InvalidSignatureException", text)
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
        raise refusal("MissingAuthenticationTokenException")
    if algorithm != ALGORITHM:
        raise refusal("IncompleteSignature", f"Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM}). {ending}")
    if missing:
        raise refusal("IncompleteSignature", "".join(missing) + ending)
    scope = found["Credential"].split("/")
    if len(scope) != 5:
        text = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
        raise refusal("IncompleteSignature", f"{text}, got '{found['Credential']}'")
    headers = tuple(name.strip().lower() for name in found["SignedHeaders"].split(";"))
    if "host" not in headers:
        raise refusal("IncompleteSignature", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    lasts = None
    if not header:
        if not re.fullmatch(r"[0-9]{1,6}", found["Expires"]) or not 0 < int(found["Expires"]) <= WEEK:
            raise refusal("IncompleteSignature", f"X-Amz-Expires must be a number of seconds from 1 to {WEEK}, got '{found['Expires']}'")
        lasts = int(found["Expires"])
    name, day, region, service, term = scope
    signed = Signed(name, day, region, service, term, headers, found["Signature"], found["Date"], token, lasts)
    return signed, [pair for pair in pairs if pair[0] != "X-Amz-Signature"]


def _basic(date: str) -> str:
    """Return the date of a `Date` header in the basic form of ISO 8601, or as it is where it is in no known form."""
    try:
        return parsedate_to_datetime(date).strftime(FORM)
    except (ValueError, OverflowError):
        return date


def payload_of(request: Request, query: list[tuple[str, str]]) -> str:
    """Return the hash of the body, or the words in its place that leave it unsigned."""
    said = request.headers.get("x-amz-content-sha256") or dict(query).get("X-Amz-Content-Sha256")
    return UNSIGNED if said == UNSIGNED else hashlib.sha256(request.body).hexdigest()


def canonical_request(request: Request, query: list[tuple[str, str]], headers: tuple[str, ...], payload: str) -> str:
    """Return the canonical form of a request: what is hashed and signed.

    Source: Signature Version 4, 'Create a canonical request': a path is encoded once more than it was sent.
    """
    path = quote(_normal(urlsplit(request.signed_target).path), safe="/~")
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in query)
    values = {"host": request.netloc} | dict(request.headers)
    lines = [f"{name}:{' '.join(values.get(name, '').split())}" for name in headers]
    return "\n".join((request.method, path, "&".join(f"{name}={value}" for name, value in pairs), *lines, "", ";".join(headers), payload))


def _normal(path: str) -> str:
    """Return a path without empty and dotted parts."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept = kept[:-1]
        elif part not in ("", "."):
            kept.append(part)
    end = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return f"/{'/'.join(kept)}{end}"


def signing_key(secret: str, signed: Signed) -> bytes:
    """Return the key that a secret gives for a day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (signed.day, signed.region, signed.service, signed.term):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
