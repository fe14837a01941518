"""Finds what identifies an account, a person or a place in a text, by its form alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

Replace = Callable[[str, str], str]
"""Takes a kind and a value; returns what stands for it, or the value itself where it may stay."""

KINDS = (
    "account",
    "address",
    "digits",
    "host",
    "id",
    "image",
    "key",
    "mail",
    "name",
    "number",
    "path",
    "place",
    "resource",
    "text",
    "token",
)
TOKEN = re.compile(rf"\{{(?:account|cut|data|image|name|role|time[+-][\d.]+|(?:{'|'.join(KINDS)})-(?:[a-z]+\d+\.)?\d+)\}}")
"""What stands for a value: `{account}`, `{name-3}`, `{time+1.5}`; under xdist with the worker, `{name-gw0.3}`."""

_ACCOUNT = r"(?:\d{12}|\{account(?:-[\w.]+)?\})"
_UNIT = r"\{[\w.+-]+\}"
_ARN = r"arn:aws[a-z-]*:[\w-]*:[\w-]*:(?:\{account(?:-[\w.]+)?\}|\w*):"
_TOP = (
    "com|net|org|edu|gov|int|mil|io|dev|app|cloud|info|biz|aws|corp"
    "|home|internal|intra|lan|local|localdomain|localhost|test|example|invalid"
)
_FORMS = {
    # Between quotes an ARN may hold spaces, as those of objects in S3 do; elsewhere it ends at one.
    "arn": rf"(?<=\"){_ARN}[^\"\n]+(?=\")|(?<='){_ARN}[^'\n]+(?=')|{_ARN}(?:{_UNIT}|[^\s\"'<>\\,;()\[\]{{}}|]|,(?=[\w.+@-])(?!arn:))*",
    "image": rf"(?<![\w.-]){_ACCOUNT}\.dkr[.-]ecr[\w.-]*(?:/[\w./-]*\w)?(?:@sha256:\w+|:\w[\w.-]*)?",
    "place": rf"(?<![a-z0-9])[a-z][a-z0-9+.-]*://(?:{_UNIT}|[^\s\"'<>\\,;()\[\]{{}}|])+",
    "stays": TOKEN.pattern,
    "id": r"(?<![0-9a-f])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-f])",
    # Of a role's session the id and the name of the session are one.
    "key": r"(?<![a-z0-9])a(?:3t|bia|cca|gpa|ida|ipa|kia|npa|nva|pka|roa|sca|sia)[a-z0-9]{12,}(?::[\w+=,.@-]+)?",
    "mail": r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*",
    "resource": r"(?<![\w-])[a-z]{1,12}(?:-[a-z]{1,12})?-[0-9a-f]{8}(?:[0-9a-f]{9})?(?![0-9a-z])",
    "address": r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)|(?<![\w-])ip(?:-\d{1,3}){4}[\w.-]*"
    r"|(?<![\w:.])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?!\w)|(?<![\w:.])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?!\w)"
    r"|(?<![\w:.])(?:[0-9a-f]{1,4}:){2,7}:(?![\w:])"
    r"|(?<![\w:.])::[0-9a-f]{2,4}(?::[0-9a-f]{1,4})*(?!\w)",
    "host": rf"(?<![\w.-])(?:{_UNIT}|[a-z0-9_-])+(?:\.(?:{_UNIT}|[a-z0-9_-])+)*\.(?:{_TOP}|[a-z]{{2}})(?![\w-])",
    "path": r"(?:[a-z]:)?[\\/]+(?:home|users)[\\/]+[^\s\"'<>,;()]+",
    "text": r"(?<![\w/+=.-])[\w/+=.-]{20,}",
    "account": r"(?<!\d)\d{12}(?!\d)|(?<![\d-])\d{4}-\d{4}-\d{4}(?![\d-])",
    "digits": r"\d{13,}",
}
_ANY = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _FORMS.items()), re.IGNORECASE)
_TYPES = set(
    re.findall(
        r"[\w-]+",
        "alias assumed-role cluster endpoint endpoint-config federated-user function group inference-component instance-profile "
        "key log-group log-stream model model-package model-package-group policy repository role root secret security-group "
        "server-certificate service-role stream subnet table training-job transform-job user vpc",
    )
)
"""Types of resources, which stay in an ARN."""
_PUBLIC = re.compile(
    r"(?:https?://)?(?:docs\.aws|internal)\.amazon\.com(?:/.*)?|(?:(?:api|runtime)\.)?"
    r"(?:sagemaker|sts|iam|kms|s3|ec2|ecr|lambda|logs|monitoring|events|secretsmanager)(?:-fips)?(?:\.[a-z]+(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?",
    re.IGNORECASE,
)
"""Hosts that are the same for everybody."""
_BOUNDS = {str(2**63 + delta) for delta in (-1, 0)}
"""The bounds of a long integer, which rules name."""
_WHO = re.compile(
    r"\b((?:user|role|group|session|bucket|host|account|principal|caller|owner|profile|tenant|team|project)"
    r"(?:[ _-]?(?:name|id|alias))?(?:\\?[\"'])?\s*[:=]\s*(?:\\?[\"'])?)(?!arn:)([\w+=,.@/-]*[\w+=@/-])"
    r"|\b((?:user|username|role|bucket|host|hostname|principal)\s+)([\w+=,.@/-]*[\d_@.-][\w+=,.@/-]*\w)",
    re.IGNORECASE,
)


def replace_identifiers(text: str, replace: Replace) -> str:
    """Return a text with something else in the place of each identifier.

    Example:
        >>> replace_identifiers("User: arn:aws:sts::111122223333:assumed-role/Admin/jo is not authorized", lambda kind, _: f"<{kind}>")
        'User: arn:aws:sts::<account>:assumed-role/<name>/<name> is not authorized'
    """
    text = re.sub(r"\\/", "/", re.sub(r"\\u00([2-7][0-9a-f])", _unescaped, text, flags=re.IGNORECASE))
    if "%" in text:
        text = re.sub(r"[^\s\"'<>]+", lambda match: _decoded(match[0], replace), text)
    text = _ANY.sub(lambda match: _replaced(str(match.lastgroup), match[0], replace), text)
    return _WHO.sub(lambda match: _named(match, replace), text)


def _unescaped(match: re.Match[str]) -> str:
    """Return what an escape of JSON within a text stands for; what would end a string stays escaped."""
    character = chr(int(match[1], 16))
    return character if character not in " \"'\\\x7f" else match[0]


def _decoded(word: str, replace: Replace) -> str:
    """Return a word in which something is encoded as in a URL: as it is, unless what it stands for identifies somebody."""
    plain = word
    while "%" in plain and (further := unquote(plain)) != plain:
        plain = further
    if plain == word:
        return word
    replaced = replace_identifiers(plain, replace)
    return word if replaced == plain else replaced


def _named(match: re.Match[str], replace: Replace) -> str:
    """Return who is named with the word that says what they are, such as `user: jo`."""
    what, who = (match[1], match[2]) if match[1] else (match[3], match[4])
    return what + replace("name", who)


def _replaced(kind: str, value: str, replace: Replace) -> str:
    if kind == "stays" or value in _BOUNDS or _PUBLIC.fullmatch(value):
        return value
    if kind in ("arn", "place", "host", "mail"):
        bare = value.rstrip(".:!?\\")
        rest = value[len(bare) :]
        return (replace_arn(bare, replace) if kind == "arn" else _addressed(kind, bare, replace)) + rest
    if kind == "text" and value.isdecimal():
        kind = "digits"
    # A long word of letters alone is a name of the service's; a secret has digits, or the signs of Base64.
    if kind == "text" and not re.search(r"\d|\w.*[+=]", value):
        return value
    return replace(kind, value)


def _addressed(kind: str, value: str, replace: Replace) -> str:
    if kind != "place":
        return replace(kind, value)
    scheme, _, rest = value.partition("://")
    return value if TOKEN.fullmatch(rest) or _PUBLIC.fullmatch(value) else f"{scheme}://{replace(kind, rest)}"


def replace_arn(arn: str, replace: Replace) -> str:
    """Return an ARN whose account and resource are replaced: partition, service, region and the type of the resource stay.

    Example:
        >>> replace_arn("arn:aws:sagemaker:us-east-1:111122223333:model/a", lambda kind, _: f"<{kind}>")
        'arn:aws:sagemaker:us-east-1:<account>:model/<name>'
    """
    *head, account, resource = arn.split(":", 5)
    if account and account.lower() != "aws" and not TOKEN.fullmatch(account):
        account = replace("account", account)
    first, *more = re.split("([/:])", resource)
    if more and first.lower() in _TYPES:
        parts = [first, *(_part(part, replace) for part in more)]
    else:
        parts = [_part(part, replace) for part in (first, *more)]
    return ":".join([*head, account, "".join(parts)])


def _part(part: str, replace: Replace) -> str:
    # What begins with the name of this run is this run's.
    stays = part in ("", "/", ":", "*") or part.startswith("{name}") or TOKEN.fullmatch(part)
    return part if stays else replace("name", part)
