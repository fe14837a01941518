"""Tokens, which stand for values in a redacted text, and the words that stay in one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_smfake.spec.catalogue import catalogue
from pytest_smfake.spec.messages import echo
from pytest_smfake.spec.model import operation_model
from pytest_smfake.spec.rules import EDITIONS

from .identifiers import TOKEN

if TYPE_CHECKING:
    from botocore.model import Shape

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
