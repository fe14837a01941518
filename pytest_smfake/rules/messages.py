"""The service's words for violations, and a parser that reads them back.

The grammar is observed: two violations of one member in aws-samples/sagemaker-ml-workflow-with-apache-airflow#3, a map's
value in aws/sagemaker-sparkml-serving-container#12, a list's member in aws/amazon-sagemaker-examples#2228, a list over its
bound in hashicorp/terraform-provider-aws#29225, the order of an enum's values in public logs (see `_enum_order`). From other
services of the same framework: a map's key in boto/boto3#2601 (QuickSight), a list's scalar item in appleboy/lambda-action#72
(Lambda). How structures are echoed is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from .inputs import counted

if TYPE_CHECKING:
    from botocore.model import Shape

    from .rule import Rule, Violation

Constraint = tuple[str, Any]
"""A constraint as it is printed: its keyword (`max length`, `min value`, `pattern`, `enum`, `required`) and bound."""

_NUMBERS = {"integer", "long", "float", "double"}
ENTRIES: Mapping[str, Literal["Map keys", "Map value", "Member"]] = {"[key]": "Map keys", "[value]": "Map value", "[]": "Member"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the errors that a message counts.

    Attributes:
        value: the value as the message prints it, None for null.
        path: the place: `tags.1.member.key`.
        constraints: what the value failed to satisfy; of an entry of a map or list all that hold for it.
        entry: `Map keys`, `Map value` or `Member` where the constraints are those of an entry, else None.
    """

    value: str | None
    path: str
    constraints: tuple[Constraint, ...]
    entry: str | None = None

    def __str__(self) -> str:
        value = "null" if self.value is None else f"'{self.value}'"
        text = ", ".join(map(_sentence, self.constraints))
        if self.entry:
            text = f"{self.entry} must satisfy constraint: [{text}]"
        return f"Value {value} at '{self.path}' failed to satisfy constraint: {text}"


def clause(violation: Violation) -> Clause:
    """Return the clause by which the service reports a violated constraint."""
    rules = violation.entry or (violation.rule,)
    suffix = next((suffix for suffix in ENTRIES if violation.rule.path.endswith(suffix)), "")
    return Clause(
        value=violation.echo,
        path=violation.path,
        constraints=tuple(constraint for rule in rules if (constraint := _constraint(rule)) is not None),
        entry=ENTRIES[suffix] if violation.entry else None,
    )


def message(violations: Sequence[Violation], left_out: int = 0) -> str:
    """Return the service's one text for all the violations of a request.

    Args:
        violations: one at least.
        left_out: how many more errors are counted, and not told.

    Example:
        >>> from pytest_smfake import message, validate
        >>> message(validate("DeleteModel", {"ModelName": "x" * 64}))[:60]
        "1 validation error detected: Value 'xxxxxxxxxxxxxxxxxxxxxxxx"
    """
    first = violations[0]
    if first.text is not None:
        return first.text
    if first.rule.keyword == "type":
        return _serialization_message(first)
    clauses = list(dict.fromkeys(map(clause, violations)))
    return f"{counted(len(clauses) + left_out, 'validation error')} detected: {'; '.join(map(str, clauses))}"


_VALUE = r"Value (?:null|'(.*?)') at '([^']*?)' failed to satisfy constraint: "
_SENTENCE = r"Member must (?:not be null|have \w+ (?:less|greater) than or equal to [\d.eE+-]+|satisfy (?:regular|enum).*?)"
_ONE = re.compile(
    rf"{_VALUE}(?:(Map keys|Map value|Member) must satisfy constraint: \[({_SENTENCE}(?:, {_SENTENCE})*|)\]|({_SENTENCE}))", re.DOTALL
)
MOST_VIOLATIONS = 1000
"""Violations of a request that are told, and clauses of a message; further ones are counted. That the service tells no more is assumed."""


def parse(text: str) -> list[Clause]:
    """Read a message of the constraint stage back into its clauses.

    Raises:
        ValueError: the text is not such a message.

    Example:
        >>> from pytest_smfake import parse
        >>> parse("1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null")
        [Clause(value=None, path='modelName', constraints=(('required', True),), entry=None)]
    """
    head = re.match(r"(\d{1,9}) validation errors? detected: ", text)
    found = _cut(text[head.end() :], int(head[1])) if head else None
    if found is None:
        raise ValueError(f"not a message of the constraint stage ('N validation errors detected: ...'): {text[:200]!r}")
    return [_read(*match.groups()) for match in found]


def _cut(text: str, count: int) -> list[re.Match[str]] | None:
    """Cut a text into clauses, None where it has not so many. A value can hold what looks like the end of a clause."""
    pieces = text.split("; Value ")
    pieces = [pieces[0], *(f"Value {piece}" for piece in pieces[1:])]
    if len(pieces) < count < MOST_VIOLATIONS or len(pieces) > 2 * MOST_VIOLATIONS:
        return None
    spare = max(0, len(pieces) - count)
    found: list[re.Match[str]] = []
    start = 0
    while start < len(pieces):
        is_last = len(found) + 1 == min(count, MOST_VIOLATIONS)
        # Usually a piece is a clause. Where there are more pieces than clauses, some belong to the value of the one before.
        for end in range(start + 1, min(start + spare, len(pieces) - 1) + 2):
            match = _ONE.fullmatch("; ".join(pieces[start:end]))
            if match is not None and is_last is (end == len(pieces)):
                break
        else:
            return None
        found.append(match)
        spare -= end - start - 1
        start = end
    return found if len(found) == min(count, MOST_VIOLATIONS) else None


def _read(value: str | None, path: str, entry: str | None, several: str | None, single: str | None) -> Clause:
    text = single if single is not None else several or ""
    sentences = re.split(r", (?=Member must )", text) if several else [text] if text else []
    return Clause(value, path, tuple(map(_parse_sentence, sentences)), entry)


def _constraint(rule: Rule) -> Constraint | None:
    """Return how a rule is printed; the type of a member never is."""
    if rule.keyword == "type":
        return None
    if rule.keyword in ("max", "min"):
        return f"{rule.keyword} {'value' if rule.kind in _NUMBERS else 'length'}", rule.bound
    return rule.keyword, _enum_order(rule.bound) if rule.keyword == "enum" else rule.bound


_BUCKETS = 32


@lru_cache(maxsize=256)
def _enum_order(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return an enum's values as the service prints them: by bucket of a hash table, within one the last of the model's list first.

    The bucket is the remainder of Java's `String.hashCode()` by 32. Observed of SageMaker in five public logs of 2019 to 2025 (no
    stable addresses), of sets of 26 values and more; that it orders smaller sets so, too, is assumed. Other services of AWS do not.
    """
    last_first = values[::-1]
    return tuple(sorted(last_first, key=_bucket))


def _bucket(text: str) -> int:
    units = text.encode("utf-16-be", "surrogatepass")
    rest = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        rest = (31 * rest + (high << 8 | low)) % _BUCKETS
    return rest


_BOUNDS = {"max": "less than or equal to", "min": "greater than or equal to"}
_BOUND = re.compile(r"Member must have (length|value) (less|greater) than or equal to (-?[\d.eE+-]+)")


def _sentence(constraint: Constraint) -> str:
    keyword, bound = constraint
    match keyword.split():
        case ["required"]:
            return "Member must not be null"
        case ["pattern"]:
            return f"Member must satisfy regular expression pattern: {bound}"
        case ["enum"]:
            return f"Member must satisfy enum value set: [{', '.join(bound)}]"
        case [side, measure]:
            return f"Member must have {measure} {_BOUNDS[side]} {bound}"
    raise ValueError(f"{keyword!r} is not a constraint that the service prints")


def _parse_sentence(text: str) -> Constraint:
    if text == "Member must not be null":
        return "required", True
    if (bare := text.removeprefix("Member must satisfy regular expression pattern: ")) != text:
        return "pattern", bare
    if (bare := text.removeprefix("Member must satisfy enum value set: [")) != text:
        return "enum", tuple(bare[:-1].split(", "))
    if bound := _BOUND.fullmatch(text):
        number = float(bound[3])
        return f"{'max' if bound[2] == 'less' else 'min'} {bound[1]}", int(number) if number.is_integer() else number
    raise ValueError(f"not a constraint that the service prints: {text!r}")


def echo(value: Any, shape: Shape | None = None) -> str | None:
    """Return a value as Java prints it: `{K=V, K2=V2}`, `[a, b]`, `Tag(key=k, value=v)`; None for null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    kind = shape.type_name if shape is not None else None
    if isinstance(value, dict):
        if shape is not None and kind == "structure":
            members: Mapping[str, Shape] = shape.members
            inner = _pairs((name[:1].lower() + name[1:], item, members.get(name)) for name, item in value.items())
            return f"{shape.name}({inner})"
        item_shape = getattr(shape, "value", None)
        return f"{{{_pairs((key, item, item_shape) for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_or_null(item, getattr(shape, 'member', None)) for item in value)}]"
    return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]" if isinstance(value, bytes) else str(value)


def _pairs(items: Iterable[tuple[str, Any, Shape | None]]) -> str:
    return ", ".join(f"{key}={_or_null(item, shape)}" for key, item, shape in items)


def _or_null(value: Any, shape: Shape | None) -> str:
    if type(value) is str:  # most are
        return value
    text = echo(value, shape)
    return "null" if text is None else text


_TOKENS = {type(None): "NULL_VALUE", bool: "TRUE_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE", str: "STRING_VALUE"}
_TYPES = {"string": "a String", "boolean": "a Boolean", "timestamp": "a Timestamp", "integer": "an Integer", "long": "a Long"}


def _serialization_message(violation: Violation) -> str:
    """Return the text of a `SerializationException` for a value of the wrong JSON type.

    The two forms were reported of Athena and of DynamoDB (aws-amplify/amplify-js#13265), which speak the same protocol; that
    SageMaker uses them is assumed.
    """
    value = violation.value
    if isinstance(value, dict):
        return "Start of structure or map found where not expected"
    if isinstance(value, list):
        return "Start of list found where not expected"
    token = "FALSE_VALUE" if value is False else _TOKENS.get(type(value), type(value).__name__)
    kind = violation.rule.bound
    if kind in ("structure", "map", "list"):
        return f"{token} found where the start of a {'list' if kind == 'list' else 'structure or map'} was expected"
    return f"{token} can not be converted to {_TYPES.get(kind, f'a {kind.capitalize()}')}"
