"""Names of AWS, and whether one may be called while a fake is active."""

from __future__ import annotations

from fnmatch import fnmatchcase

from .active import ActiveFake, active, servers
from .sending import refused

SUFFIXES = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
    "aws",
    "signin.aws.amazon.com",
    "signin.amazonaws.cn",
    "signin.amazonaws-us-gov.com",
    "signin-fips.amazonaws-us-gov.com",
    "signin.amazonaws-eusc.eu",
    "signin.c2shome.ic.gov",
    "signin.sc2shome.sgov.gov",
    "signin.csphome.adc-e.uk",
    "signin.csphome.hci.ic.gov",
)
"""Domains of AWS: suffixes and dual-stack suffixes of the partitions, and where sign-in hands out credentials.
Source: botocore 1.43, partitions.json and endpoint-rule-set-1.json of the service signin. Amazon owns `aws` as a whole; `api.aws`
and `on.aws`, the addresses of Lambda functions, are in it."""

_BELOW = tuple(f".{suffix}" for suffix in SUFFIXES)
_DOMAINS = frozenset(SUFFIXES) - {"aws"}  # a machine of a local network may be called that
_PORTS = {"http": "80", "https": "443"}

LOOKED_UP = "looked up"
PROXY = "reached through a proxy"
KEPT = "called over a connection from before"
GREETED = "greeted with a TLS handshake"


def aws_name(host: object) -> str:
    """Return a name of AWS, in lower case and without a dot at its end; an empty string for anything else.

    Args:
        host: what a resolver takes: a string, bytes, None.

    Example:
        >>> aws_name("S3.AmazonAWS.com.")
        's3.amazonaws.com'
        >>> aws_name("notamazonaws.com")
        ''
    """
    if not isinstance(host, str):
        if not isinstance(host, bytes | bytearray):
            return ""
        host = host.decode("latin-1")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:  # no resolver takes it
            return ""
    name = host.lower().rstrip(".")
    return name if name.endswith(_BELOW) or name in _DOMAINS else ""


def check(host: object, port: object, how: str) -> None:
    """Refuse a name of AWS while a fake is active, unless it allows the host.

    Raises:
        NetworkBlockedError: that is so.
    """
    name = aws_name(host)
    if name and (fake := active()) is not None and not _is_allowed(name, port, fake):
        raise refused(f"{name} was not {how}", name)


def _is_allowed(name: str, port: object, fake: ActiveFake) -> bool:
    number = port.decode("latin-1") if isinstance(port, bytes) else str(port or "")
    netloc = f"{name}:{_PORTS.get(number.lower(), number)}"
    if netloc in servers:
        return True
    for pattern in map(str.lower, fake.allow):
        # Who looks up a name without a port may go on to the one that is allowed.
        host = pattern.partition(":")[0] if netloc.endswith(":") else pattern
        if fnmatchcase(name, host) or fnmatchcase(netloc, pattern):
            return True
    return False
