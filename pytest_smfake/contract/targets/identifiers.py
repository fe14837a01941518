"""What identifies an account, a person or a place in a text, and the tokens that stand for it in a redacted one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.messages import echo
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.rules.service_model import operation_model

if TYPE_CHECKING:
    from botocore.model import Shape

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


WORDS = set(
    re.findall(
        r"[\w-]+",
        "a access account active algorithm all already an and any are at be been boolean both by bytes call can cannot "
        "constraint contain container containers converted correct could create current data default definition delete delta "
        "denied describe detected direct does duplicate each either endpoint enum equal error errors every exceeded "
        "execution exist existing exists expected expression failed find for found greater has have hold http image in input "
        "integer invalid invocation is isolation it key keys length less level limit list map maps may member message mode "
        "model models more most multi must name names need needs network no not null number of one or parameter pattern "
        "pipeline production rate region regular request required resource role sagemaker satisfy scoped service set should "
        "specified specify start string structure support supported tag tags test than the them these this timestamp to "
        "token type unknown url used user utilization validation value values where will with would",
    )
)
"""Words that texts of the service are made of: a model of such a name is not what they are about."""
COMMON = set(
    re.findall(
        r"[\w-]+",
        "account-level built-in cross-account identity-based multi-container multi-model non-empty resource-based",
    )
)
_PLAIN = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+|(?:\w-\w)+|ml(?:\.\w+)+|[a-z]{2}(?:-[a-z]+)+-\d|x-amzn?-[a-z-]+")
QUOTED = re.compile(r"(\\*[\"'`])((?:[^\s\"'`\\]|\\(?=\w))+)\1")
"""A word between quotes."""


class Tokens:
    """Gives each value a token of its own: the same one wherever the value is found.

    Args:
        worker: the worker of xdist that this process is, whose tokens are told from those of others by its name.
    """

    def __init__(self, worker: str = "") -> None:
        self._worker = f"{worker}." if worker else ""
        self._known: dict[str, str] = {}
        self._words: list[str] = []
        self._counts: Counter[str] = Counter()
        self._pattern: re.Pattern[str] | None = None

    def of(self, kind: str, value: str) -> str:
        """Return the token of a value."""
        if value not in self._known:
            self._counts[kind] += 1
            self._known[value] = f"{{{kind}-{self._worker}{self._counts[kind]}}}"
            if kind in ("name", "text", "token"):  # others are known by their form
                self._words.append(value)
                self._pattern = None
        return self._known[value]

    def replace(self, text: str, stays: Callable[[str], bool]) -> str:
        """Return a text with tokens in the place of the values that have one, whatever their case; short ones only between quotes."""
        if self._pattern is None:
            known = sorted((value for value in self._words if len(value) > 3 and value.lower() not in WORDS), key=len, reverse=True)
            whole = rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, known))})(?![A-Za-z0-9])"
            self._pattern = re.compile(rf"{TOKEN.pattern}|{whole}" if known else TOKEN.pattern, re.IGNORECASE)
        text = self._pattern.sub(lambda match: match[0] if stays(match[0]) else self._found(match[0]), text)
        return QUOTED.sub(lambda match: match[0] if stays(match[2]) else f"{match[1]}{self._found(match[2])}{match[1]}", text)

    def _found(self, value: str) -> str:
        if value in self._known or TOKEN.fullmatch(value):
            return self._known.get(value, value)
        other = next((known for known in self._known if known.lower() == value.lower()), None)
        return value if other is None else self._known[other]


def value_of(token: str) -> Any:
    """Return what stands for a token where its value is not known: of the form of such values, and a number for `{number-1}`.

    Example:
        >>> value_of("{account-1}"), value_of("{name-3}")
        ('900000000001', 'name-3')
    """
    kind, number = token[1:-1].rsplit("-", 1)
    count = int(number)
    forms: dict[str, Any] = {
        "account": f"9{count:011}",
        "address": f"198.18.{count // 250 % 256}.{count % 250}",
        "digits": f"9{count:015}",
        "host": f"host-{count}.example.com",
        "id": f"00000000-0000-4000-8000-{count:012}",
        "key": f"AKIAEXAMPLE{count:09}",
        "mail": f"mail-{count}@example.com",
        "number": 900_000_000_000 + count,
    }
    return forms.get(kind, f"{kind}-{count}")


def is_plain(word: str) -> bool:
    """Whether a word is one of the service's, or of a form that names of things seldom have."""
    return word.lower() in WORDS | COMMON or _PLAIN.fullmatch(word) is not None


@cache
def vocabulary(operation: str) -> frozenset[str]:
    """Return the names of an operation's members, and the values of its enumerations."""
    found = {"Member", "Key", "Value"}
    for rule in (rule for edition in EDITIONS for rule in catalogue(edition).rules(operation)):
        found |= {*re.findall(r"\w+", rule.path), *(rule.bound if rule.keyword == "enum" else ())}
    return frozenset(found)


def leaves(value: Any) -> Iterator[str]:
    """Yield every value of a request, and every key, as a text."""
    if isinstance(value, dict | list):
        for item in value if isinstance(value, list) else (*value, *value.values()):
            yield from leaves(item)
    else:
        yield str(value)


def echoes(operation: str, request: Any) -> Iterator[str]:
    """Yield every value of a request as texts of the service show it."""
    waiting: list[tuple[Any, Shape | None]] = [(request, operation_model(operation).input_shape)]
    while waiting:
        value, shape = waiting.pop()
        yield echo(value, shape) or ""
        kind = shape.type_name if shape is not None else ""
        if isinstance(value, dict):
            members = shape.members if shape is not None and kind == "structure" else {}
            inner = shape.value if shape is not None and kind == "map" else None
            waiting += [(item, members.get(key, inner)) for key, item in value.items()] + [(key, None) for key in value]
        elif isinstance(value, list):
            waiting += [(item, shape.member if shape is not None and kind == "list" else None) for item in value]
