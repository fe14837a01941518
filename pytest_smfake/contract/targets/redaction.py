"""Replace values that identify an account, a person or a host in recordings and reports with tokens."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pytest_smfake.rules.catalogue import catalogue
from pytest_smfake.rules.messages import echo
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.rules.service_model import operation_model

if TYPE_CHECKING:
    from botocore.model import Shape

    from pytest_smfake.contract.check import Reply
    from pytest_smfake.contract.report import Result

    from .target import Target

ReplaceText = Callable[[str, str], str]
"""A function that takes a kind and a value, and returns the replacement, or the value itself if it may stay."""

TOKEN_KINDS = (
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
TOKEN = re.compile(rf"\{{(?:account|cut|data|image|name|role|time[+-][\d.]+|(?:{'|'.join(TOKEN_KINDS)})-(?:[a-z]+\d+\.)?\d+)\}}")
"""Matches a token: `{account}`, `{name-3}`, `{time+1.5}`; under xdist the token has the worker, `{name-gw0.3}`."""

_ACCOUNT = r"(?:\d{12}|\{account(?:-[\w.]+)?\})"
_UNIT = r"\{[\w.+-]+\}"
_ARN = r"arn:aws[a-z-]*:[\w-]*:[\w-]*:(?:\{account(?:-[\w.]+)?\}|\w*):"
_TOP = (
    "com|net|org|edu|gov|int|mil|io|dev|app|cloud|info|biz|aws|corp"
    "|home|internal|intra|lan|local|localdomain|localhost|test|example|invalid"
)
_PATTERNS = {
    # Between quotes an ARN may have spaces, such as the ARN of an S3 object; elsewhere it ends at a space.
    "arn": rf"(?<=\"){_ARN}[^\"\n]+(?=\")|(?<='){_ARN}[^'\n]+(?=')|{_ARN}(?:{_UNIT}|[^\s\"'<>\\,;()\[\]{{}}|]|,(?=[\w.+@-])(?!arn:))*",
    "image": rf"(?<![\w.-]){_ACCOUNT}\.dkr[.-]ecr[\w.-]*(?:/[\w./-]*\w)?(?:@sha256:\w+|:\w[\w.-]*)?",
    "place": rf"(?<![a-z0-9])[a-z][a-z0-9+.-]*://(?:{_UNIT}|[^\s\"'<>\\,;()\[\]{{}}|])+",
    "stays": TOKEN.pattern,
    "id": r"(?<![0-9a-f])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-f])",
    # The id of a role session continues with a colon and the name of the session.
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
_ANY = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()), re.IGNORECASE)
_TYPES = set(
    re.findall(
        r"[\w-]+",
        "alias assumed-role cluster endpoint endpoint-config federated-user function group inference-component instance-profile "
        "key log-group log-stream model model-package model-package-group policy repository role root secret security-group "
        "server-certificate service-role stream subnet table training-job transform-job user vpc",
    )
)
"""Types of resources, which are not replaced in an ARN."""
_PUBLIC = re.compile(
    r"(?:https?://)?(?:docs\.aws|internal)\.amazon\.com(?:/.*)?|(?:(?:api|runtime)\.)?"
    r"(?:sagemaker|sts|iam|kms|s3|ec2|ecr|lambda|logs|monitoring|events|secretsmanager)(?:-fips)?(?:\.[a-z]+(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?",
    re.IGNORECASE,
)
"""Matches public hosts of AWS, which are not replaced."""
_BOUNDS = {str(2**63 + delta) for delta in (-1, 0)}
"""The bounds of a 64-bit integer, which rules name."""
_WHO = re.compile(
    r"\b((?:user|role|group|session|bucket|host|account|principal|caller|owner|profile|tenant|team|project)"
    r"(?:[ _-]?(?:name|id|alias))?(?:\\?[\"'])?\s*[:=]\s*(?:\\?[\"'])?)(?!arn:)([\w+=,.@/-]*[\w+=@/-])"
    r"|\b((?:user|username|role|bucket|host|hostname|principal)\s+)([\w+=,.@/-]*[\d_@.-][\w+=,.@/-]*\w)",
    re.IGNORECASE,
)


def replace_identifiers(text: str, replace: ReplaceText) -> str:
    """Return a text in which each identifier is replaced.

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
    """Return the character of a JSON escape in a text; a character that could end a string stays escaped."""
    character = chr(int(match[1], 16))
    return character if character not in " \"'\\\x7f" else match[0]


def _decoded(word: str, replace: ReplaceText) -> str:
    """Return a word with URL encoding: unchanged, or decoded and replaced if it contains an identifier."""
    plain = word
    while "%" in plain and (further := unquote(plain)) != plain:
        plain = further
    if plain == word:
        return word
    replaced = replace_identifiers(plain, replace)
    return word if replaced == plain else replaced


def _named(match: re.Match[str], replace: ReplaceText) -> str:
    """Return a noun with its name replaced, such as `user: jo`."""
    noun, name = (match[1], match[2]) if match[1] else (match[3], match[4])
    return noun + replace("name", name)


def _replaced(kind: str, value: str, replace: ReplaceText) -> str:
    if kind == "stays" or value in _BOUNDS or _PUBLIC.fullmatch(value):
        return value
    if kind in ("arn", "place", "host", "mail"):
        bare = value.rstrip(".:!?\\")
        rest = value[len(bare) :]
        return (replace_arn(bare, replace) if kind == "arn" else _addressed(kind, bare, replace)) + rest
    if kind == "text" and value.isdecimal():
        kind = "digits"
    # A long word of letters only is a name in the service model; a secret has digits or the characters + and = of Base64.
    if kind == "text" and not re.search(r"\d|\w.*[+=]", value):
        return value
    return replace(kind, value)


def _addressed(kind: str, value: str, replace: ReplaceText) -> str:
    if kind != "place":
        return replace(kind, value)
    scheme, _, rest = value.partition("://")
    return value if TOKEN.fullmatch(rest) or _PUBLIC.fullmatch(value) else f"{scheme}://{replace(kind, rest)}"


def replace_arn(arn: str, replace: ReplaceText) -> str:
    """Return an ARN with account and resource replaced; partition, service, region and the type of the resource stay.

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


def _part(part: str, replace: ReplaceText) -> str:
    # A part that starts with the token {name} is a name of this run.
    stays = part in ("", "/", ":", "*") or part.startswith("{name}") or TOKEN.fullmatch(part)
    return part if stays else replace("name", part)


KNOWN_WORDS = set(
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
"""Words in messages of the service, which are not replaced even if a model has such a name."""
COMMON_WORDS = set(
    re.findall(
        r"[\w-]+",
        "account-level built-in cross-account identity-based multi-container multi-model non-empty resource-based",
    )
)
_PLAIN = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+|(?:\w-\w)+|ml(?:\.\w+)+|[a-z]{2}(?:-[a-z]+)+-\d|x-amzn?-[a-z-]+")
QUOTED = re.compile(r"(\\*[\"'`])((?:[^\s\"'`\\]|\\(?=\w))+)\1")
"""Matches a word between quotes."""


class Tokens:
    """Assign a token to each value: the same token wherever the value is found.

    Args:
        worker: the xdist worker of this process; its name makes the tokens of workers different.
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
            if kind in ("name", "text", "token"):  # values of other kinds are found by their pattern
                self._words.append(value)
                self._pattern = None
        return self._known[value]

    def replace(self, text: str, stays: Callable[[str], bool]) -> str:
        """Return a text with known values replaced by their tokens, ignoring case; short values only between quotes."""
        if self._pattern is None:
            known = sorted((value for value in self._words if len(value) > 3 and value.lower() not in KNOWN_WORDS), key=len, reverse=True)
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
    """Return an example value for a token whose value is not known; a number for `{number-1}`.

    Example:
        >>> value_of("{account-1}"), value_of("{name-3}")
        ('900000000001', 'name-3')
    """
    kind, number = token[1:-1].rsplit("-", 1)
    count = int(number)
    examples: dict[str, Any] = {
        "account": f"9{count:011}",
        "address": f"198.18.{count // 250 % 256}.{count % 250}",
        "digits": f"9{count:015}",
        "host": f"host-{count}.example.com",
        "id": f"00000000-0000-4000-8000-{count:012}",
        "key": f"AKIAEXAMPLE{count:09}",
        "mail": f"mail-{count}@example.com",
        "number": 900_000_000_000 + count,
    }
    return examples.get(kind, f"{kind}-{count}")


def is_plain(word: str) -> bool:
    """Whether a word is a known word of the service, or of a pattern that names seldom have."""
    return word.lower() in KNOWN_WORDS | COMMON_WORDS or _PLAIN.fullmatch(word) is not None


@cache
def vocabulary(operation: str) -> frozenset[str]:
    """Return the names of the members of an operation, and the values of its enumerations."""
    found = {"Member", "Key", "Value"}
    for rule in (rule for edition in EDITIONS for rule in catalogue(edition).rules(operation)):
        found |= {*re.findall(r"\w+", rule.path), *(rule.bound if rule.keyword == "enum" else ())}
    return frozenset(found)


def _leaf_texts(value: Any) -> Iterator[str]:
    """Yield every value and every key of a request as text."""
    if isinstance(value, dict | list):
        for item in value if isinstance(value, list) else (*value, *value.values()):
            yield from _leaf_texts(item)
    else:
        yield str(value)


def echoes(operation: str, request: Any) -> Iterator[str]:
    """Yield every value of a request as the service shows it in messages."""
    pending: list[tuple[Any, Shape | None]] = [(request, operation_model(operation).input_shape)]
    while pending:
        value, shape = pending.pop()
        yield echo(value, shape) or ""
        kind = shape.type_name if shape is not None else ""
        if isinstance(value, dict):
            members = shape.members if shape is not None and kind == "structure" else {}
            inner = shape.value if shape is not None and kind == "map" else None
            pending += [(item, members.get(key, inner)) for key, item in value.items()] + [(key, None) for key in value]
        elif isinstance(value, list):
            pending += [(item, shape.member if shape is not None and kind == "list" else None) for item in value]


_MIME = re.compile(r"[a-z]+/[\w.+-]+(?:; ?charset=[\w-]+)?")
_VALUE = re.compile(r"(?<=Value ')(.*?)(?=' at ')", re.DOTALL)
_CODE = re.compile(r"[\w.#:/-]{1,200}")
_WORD = re.compile(r"(?<![\w{./:@\\\[\]+-])(?:[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+|[A-Za-z]+\d\w{3,})(?![\w}/:@\\\[\]+-]|\.\w)")
_CUT = re.compile(r"(\.\.\. \(\d+ characters\))")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)("|\\?$)')
BASE = 1_700_000_000.0
"""The first time of a replayed recording, in seconds since the epoch."""


class Redaction:
    """Replace identifying values of a target with tokens, but keep values that come from the check itself.

    In a request, only the own values of the target and values from earlier replies are replaced. In a reply, everything is
    replaced except values that the check sent and names from the service model.

    Args:
        target: the target.
        tokens: assigns the tokens; the targets of a report share it.
        label: the name of the target in a report; by default its own name.
    """

    def __init__(self, target: Target, tokens: Tokens | None = None, label: str = "") -> None:
        self.label = label or target.name
        self._tokens = tokens or Tokens()
        values = {"name": target.name_of(), "role": target.role_arn, "image": target.image, "data": target.model_data_url}
        self.own = {f"{{{token}}}": value for token, value in (values | {"account": target.account or ""}).items() if value}
        """The own values of the target by token; the value of `{name}` is the start of the names of a run."""
        for value in map(self._without_own, _leaf_texts(list(target.request().values()))):
            if not TOKEN.fullmatch(value) and not value.isalpha():
                self.own[self._tokens.of("text", value)] = value
        # The longest first, since a role and an image contain the account.
        self.own = dict(sorted(self.own.items(), key=lambda entry: len(entry[1]), reverse=True))
        prefix = target.name_of().partition(target.run)[0].strip("-")
        for part in re.split("[/:]", f"{target.role_arn.rpartition(':')[2]}/{target.image.partition('/')[2]}/{prefix}"):
            if len(part) > 3 and part != "smfake" and not is_plain(part):
                self._tokens.of("name", part)
        self._run_tag = target.run_tag
        self._first: float | None = None
        self.begin()

    def begin(self) -> None:
        """Begin a check: forget the values of the check before it."""
        self._sent = {self._run_tag}
        self._vocabulary: set[str] = set()
        self._flow: dict[str, str] = {}
        self._timed = False
        self._last: tuple[str, Any] = ("", None)

    # Requests.

    def request(self, operation: str, request: Any) -> Any:
        """Return a redacted request, and remember its values as sent by the check."""
        found = self._request(request.decode("utf-8", "backslashreplace") if isinstance(request, bytes) else request)
        self._vocabulary |= vocabulary(operation)
        for leaf in _leaf_texts(found):
            self._sent |= {leaf, *re.split("[/:]", leaf), leaf.removeprefix("{name}-")}
            replace_identifiers(leaf, self._keep)
        self._last = operation, found
        return found

    def _keep(self, _: str, value: str) -> str:
        self._sent.add(value)
        return value

    def _request(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._request(key): self._request(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._request(item) for item in value]
        if isinstance(value, str):
            return self._sent_text(value)
        return self._time(float(value)) if self._timed and _is_moment(value) else value

    def _sent_text(self, text: str) -> str:
        """Return a redacted text of a request. A text, or a part of an ARN, that comes from an earlier reply becomes its token."""
        text = self._without_own(text)
        if text in self._flow and text not in self._sent and len(text) > 3:
            return self._flow[text]
        return "".join(self._flow.get(part, part) for part in re.split("([/:])", text)) if text.startswith("arn:") else text

    def _without_own(self, text: str) -> str:
        for token, value in self.own.items():
            text = text.replace(value, token)
        return text

    # Replies.

    def answer(self, reply: Reply) -> dict[str, Any]:
        """Return the redacted body of a reply, as `json`, or as `text` if it is not JSON."""
        text = reply.body.decode("utf-8", "replace")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return {"text": self._message(text)}
        shape = operation_model(reply.operation).output_shape if reply.code is None else None
        return {"json": self._tree(data, shape, "")}

    def header(self, name: str, value: str) -> str:
        """Return the redacted value of a header."""
        if name == "x-amzn-requestid":
            return self._token("id", value) if value else ""
        return value if _MIME.fullmatch(value) else self._message(value)

    def _tree(self, value: Any, shape: Shape | None, member: str) -> Any:
        kind = shape.type_name if shape is not None else ""
        if isinstance(value, dict):
            members = shape.members if shape is not None and kind == "structure" else {}
            inner = shape.value if shape is not None and kind == "map" else None
            return {self._key(key, members): self._tree(item, members.get(key, inner), key) for key, item in value.items()}
        if isinstance(value, list):
            inner = shape.member if shape is not None and kind == "list" else None
            return [self._tree(item, inner, member) for item in value]
        if isinstance(value, str):
            return self._moment(value) if kind == "timestamp" else self._leaf(value, shape, member)
        return self._number(value, kind)

    def _key(self, key: str, members: Mapping[str, Any]) -> str:
        return key if key in members or key.lower() in ("__type", "code", "type", "message") else self._leaf(key, None, "")

    def _leaf(self, value: str, shape: Shape | None, member: str) -> str:
        text = self._without_own(value)
        if not text or text in self._sent or text in getattr(shape, "enum", ()) or text.startswith("{name}") or TOKEN.fullmatch(text):
            return text
        if shape is None and member.lower() == "message":
            return self._message(value)
        if shape is None and member.lower() in ("__type", "code", "type") and _CODE.fullmatch(value):
            return replace_identifiers(text, self._token)
        if text.startswith("arn:") and text.count(":") > 4:
            return replace_arn(text, self._token)
        return self._token("name" if member.endswith("Name") else "token" if member == "NextToken" else "text", text)

    def _token(self, kind: str, value: str) -> str:
        if value in self._sent:
            return value
        token = self._tokens.of(kind, value)
        self._flow[value] = token
        return token

    def _token_in_prose(self, kind: str, value: str) -> str:
        return value if self._stays(value) else self._token(kind, value)

    def _stays(self, text: str) -> bool:
        """Whether a word was sent by the check, or comes from the service model, such as the path `tags.1.member.key`."""
        first, *more = text.split(".")
        named = all(part.isdecimal() or part[:1].upper() + part[1:] in self._vocabulary for part in more)
        return text in self._sent or text in self._vocabulary or (first[:1].upper() + first[1:] in self._vocabulary and named)

    def _number(self, value: Any, kind: str = "") -> Any:
        if str(value) in self._sent:
            return value
        if kind in ("", "timestamp") and _is_moment(value):
            self._timed = True
            return self._time(float(value))
        return self._token("number", str(value)) if isinstance(value, int) and 1e11 <= value < 1e12 else value

    def _moment(self, text: str) -> Any:
        """Return the token of a time that is formatted as text."""
        from botocore.utils import parse_timestamp

        try:
            return self._number(parse_timestamp(text).timestamp())
        except (ValueError, OverflowError):
            return self._leaf(text, None, "")

    def _time(self, moment: float) -> str:
        self._first = moment if self._first is None else self._first
        return f"{{time{moment - self._first:+.3f}}}"

    def _message(self, text: str) -> str:
        """Return a redacted message of the service. Values that the check sent stay, also as the service formats them."""
        text = self._without_own(text)
        sent = set(echoes(*self._last)) if "Value '" in text else set()
        parts: list[str] = _VALUE.split(text)
        return "".join(part if number % 2 and part in sent else self._prose(part) for number, part in enumerate(parts))

    def _prose(self, text: str) -> str:
        text = replace_identifiers(self._tokens.replace(text, self._stays), self._token_in_prose)
        text = QUOTED.sub(lambda match: f"{match[1]}{self._name(match[2])}{match[1]}", text)
        return _WORD.sub(lambda match: self._name(match[0]), text)

    def _name(self, word: str) -> str:
        """Return the token of a word that may be a name, or the word itself if it is a word of the service."""
        bare = word.rstrip(".,;:!?")
        if bare.startswith(("{name}", "arn:")) or "://" in bare or TOKEN.fullmatch(bare) or is_plain(bare):
            return word
        return self._token_in_prose("name", bare) + word[len(bare) :]

    # Replays.

    def restore(self, value: Any) -> Any:
        """Return the body or a header of a recorded reply, with tokens replaced by values of this target."""
        if isinstance(value, dict):
            return {self.restore(key): self.restore(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.restore(item) for item in value]
        if not isinstance(value, str):
            return value
        if found := re.fullmatch(r"\{time([+-][\d.]+)\}", value):
            self._timed, self._first = True, BASE
            return BASE + float(found[1])
        number = re.fullmatch(r"\{number-\d+\}", value)
        return value_of(value) if number else TOKEN.sub(lambda match: self._restored(match[0]), value)

    def _restored(self, token: str) -> str:
        """Return a value for a token, and remember it for requests of the check."""
        if "-" not in token:
            return self.own.get(token, token)
        value = str(value_of(token))
        self._flow[value] = token
        return value

    # Reports.

    def learn(self, request: Any, region: str, reply: Reply) -> None:  # noqa: ARG002  # the signature of a listener
        """Remember the values in the request and reply of a call."""
        self.request(reply.operation, request)
        self.answer(reply)

    def text(self, text: str) -> str:
        """Return a redacted text of a report."""
        parts = _CUT.split(self._without_own(text))
        parts[:-1:2] = map(self._whole, parts[:-1:2])
        return replace_identifiers(self._tokens.replace("".join(parts), self._stays), self._token_in_prose)

    def _whole(self, text: str) -> str:
        """Return a truncated text with `{cut}` in place of an incomplete word or string at its end, which cannot be recognized."""
        end = next((match[1] for match in _STRING.finditer(text) if match[2] != '"'), re.split(r"[\s\"]", text)[-1])
        bare = end.rstrip("\\")
        if not any(sent.startswith(bare) for sent in self._sent):
            return f"{text[: len(text) - len(end)]}{{cut}}"
        self._sent |= {bare, *re.split("[/:]", bare)}
        return text

    def result(self, result: Result) -> Result:
        """Return the redacted result of a check."""
        expected, actual, request = (None if text is None else self.text(text) for text in (result.expected, result.actual, result.request))
        return replace(result, target=self.label, reason=self.text(result.reason), expected=expected, actual=actual, request=request)


def _is_moment(value: Any) -> bool:
    """Whether a number can be a time between 2001 and 2065, in seconds since the epoch."""
    return isinstance(value, int | float) and 1e9 <= value < 3e9
