"""A judge of requests that shares no code with the validator.

A JSON Schema is made from the SDK's service description as it is on disk, with the page's facts written down here once more, and
checked with `jsonschema`; patterns are matched by `regex`, another engine. The rules between members are written down here once
more, too. The verdict is the set of the ids of all rules that a request breaks.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import botocore
import jsonschema
import regex

PAGE = {
    "ModelName": {"pattern": "^[a-zA-Z0-9](-*[a-zA-Z0-9])*", "max": 63},
    "RoleArn": {"pattern": r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$", "min": 20, "max": 2048},
    "TagList": {"min": 0, "max": 50},
    "ContainerDefinitionList": {"max": 5},
}
"""What the page says of a shape, by the shape's name in the SDK: it holds for CreateModel, and for others that take the same."""
PAGE_REQUIRES = ["ModelName", "ExecutionRoleArn"]
JAVA_DOT = r"[^\n\r\u0085\u2028\u2029]"
TYPES = {
    "structure": "object",
    "map": "object",
    "list": "array",
    "string": "string",
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "timestamp": "number",
    "blob": "string",
}
KEYWORDS = {
    "maxLength": "max",
    "minLength": "min",
    "maxItems": "max",
    "minItems": "min",
    "maxProperties": "max",
    "minProperties": "min",
    "maximum": "max",
    "minimum": "min",
    "pattern": "pattern",
    "enum": "enum",
    "type": "type",
    "required": "required",
    "not": "required",
}


@cache
def description(service: str) -> dict[str, Any]:
    """Return the newest description of a service in the installed SDK."""
    folder = Path(botocore.__file__).parent / "data" / service
    newest = sorted(folder.glob("*/service-2.json*"))[-1]
    if newest.suffix == ".gz":
        import gzip

        return json.loads(gzip.decompress(newest.read_bytes()))
    return json.loads(newest.read_text("utf-8"))


@cache
def java(pattern: str) -> regex.Pattern:
    r"""Return a pattern of Java's for an engine that knows `\p{L}`: only its dot and its end of input differ."""
    inside, parts = False, []
    for token in regex.findall(r"\\.|\[\^?|\]|.", pattern, flags=regex.DOTALL):
        inside = token.startswith("[") or (inside and token != "]")
        parts.append(JAVA_DOT if token == "." and not inside else r"\Z" if token == r"\z" else token)
    return regex.compile("".join(parts), regex.VERSION0)


@lru_cache(maxsize=20_000)
def matches(pattern: str, text: str) -> bool:
    r"""Whether the whole of a text matches; Java's `\d`, `\w`, `\S` and `\p{Print}` are of ASCII, its `\p{L}` is not."""
    if r"\p" not in pattern:
        return regex.compile(java(pattern).pattern, regex.VERSION0 | regex.ASCII).fullmatch(text) is not None
    plain = pattern.replace(r"\d", "[0-9]").replace(r"\S", r"[^ \t\n\x0b\f\r]").replace(r"\p{Print}", r"\x20-\x7e")
    return java(plain).fullmatch(text) is not None


def printed_order(values: list[str]) -> list[str]:
    """Return the values of an enum in the service's order: those of a table of 32 chains, each value put at the head of its chain."""
    chains: list[list[str]] = [[] for _ in range(32)]
    for value in values:
        code = 0
        units = value.encode("utf-16-le", "surrogatepass")
        for place in range(0, len(units), 2):  # a Java int wraps around
            code = (code * 31 + int.from_bytes(units[place : place + 2], "little")) & 0xFFFF_FFFF
        chains[code & 31].insert(0, value)
    return [value for chain in chains for value in chain]


class Oracle:
    """The judge of one operation in one edition."""

    def __init__(self, operation: str, edition: str) -> None:
        self.operation = operation
        self.edition = edition
        services = (description(name) for name in ("sagemaker", "sagemaker-runtime"))
        service = next(service for service in services if operation in service["operations"])
        self.shapes = service["shapes"]
        name = service["operations"][operation]["input"]["shape"]
        schema = self.schema(name)
        if operation == "CreateModel" and edition == "page":
            schema["required"] = PAGE_REQUIRES
        checker = jsonschema.validators.extend(
            jsonschema.Draft202012Validator,
            {"pattern": self._pattern},
            type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
                {
                    "object": lambda _, value: type(value) is dict,
                    "array": lambda _, value: type(value) is list,
                    "integer": lambda _, value: type(value) is int and -(2**31) <= value < 2**31,
                    "number": lambda _, value: type(value) in (int, float),
                    "string": lambda _, value: type(value) in (str, bytes),
                    "boolean": lambda _, value: type(value) is bool,
                }
            ),
        )
        self.validator = checker(schema)

    @staticmethod
    def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Any:
        if isinstance(value, str) and not matches(pattern, value):
            yield jsonschema.ValidationError(f"{value[:40]!r} does not match {pattern}")

    def facts(self, name: str) -> dict[str, Any]:
        """Return what is known of a shape."""
        shape = self.shapes[name]
        return shape | PAGE.get(name, {}) if self.edition == "page" and self.operation != "InvokeEndpoint" else shape

    def schema(self, name: str) -> dict[str, Any]:
        """Return the JSON Schema of a shape."""
        facts = self.facts(name)
        kind = facts["type"]
        schema: dict[str, Any] = {"type": TYPES[kind]}
        suffix = {"string": "Length", "blob": "Length", "list": "Items", "map": "Properties"}.get(kind, "imum")
        for side in ("max", "min"):
            if side in facts:
                schema[f"{side}{suffix}"] = facts[side]
        for keyword in ("pattern", "enum"):
            if facts.get(keyword):
                schema[keyword] = facts[keyword]
        if kind == "structure":
            schema["properties"] = {member: self.schema(to["shape"]) for member, to in facts["members"].items()}
            schema["required"] = facts.get("required", [])
        elif kind == "list":
            schema["items"] = {"not": {"type": "null"}} | {"if": {"not": {"type": "null"}}, "then": self.schema(facts["member"]["shape"])}
        elif kind == "map":
            value = self.schema(facts["value"]["shape"])
            schema["additionalProperties"] = {"not": {"type": "null"}} | {"if": {"not": {"type": "null"}}, "then": value}
            schema["propertyNames"] = self.schema(facts["key"]["shape"])
        return schema

    def broken(self, request: Any) -> set[str]:
        """Return the ids of the rules that a request breaks."""
        request = without_nulls(request, self.validator.schema)
        found: set[str] = set()
        for error in self.validator.iter_errors(request):
            found |= self._ids(error)
        if any(rule.endswith(":type") for rule in found):
            return {rule for rule in found if rule.endswith(":type")}
        return found or self._between(request)

    def _ids(self, error: jsonschema.ValidationError) -> set[str]:
        if error.validator in ("if", "then", "propertyNames") and error.context:
            return {rule for inner in error.context for rule in self._ids(inner)}
        path = self._path(error)
        if error.validator == "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            return {self._id(f"{path}.{name}" if path else name, "required") for name in missing}
        return {self._id(path, KEYWORDS[error.validator])}

    def _path(self, error: jsonschema.ValidationError) -> str:
        path, schema = "", self.validator.schema
        for step in error.absolute_path:
            if isinstance(step, int):
                path, schema = f"{path}[]", schema["items"]["then"]
            elif step in schema.get("properties", {}):
                path, schema = f"{path}.{step}" if path else step, schema["properties"][step]
            else:
                path, schema = f"{path}[value]", schema["additionalProperties"]["then"]
        return f"{path}[key]" if "propertyNames" in error.absolute_schema_path else path

    def _id(self, path: str, keyword: str) -> str:
        return f"{self.operation}/{path}:{keyword}" if path else f"{self.operation}:{keyword}"

    def _between(self, request: dict[str, Any]) -> set[str]:
        from .between import BETWEEN

        return {
            f"{self.operation}{rule}"
            for operation, rule, editions, breaks in BETWEEN
            if operation in (self.operation, "*") and self.edition in editions and breaks(request)
        }


def without_nulls(value: Any, schema: dict[str, Any]) -> Any:
    """Return a request without the nulls that stand for members that are not there."""
    if type(value) is dict and "properties" in schema:
        return {
            name: without_nulls(item, schema["properties"].get(name, {}))
            for name, item in value.items()
            if item is not None or name not in schema["properties"]
        }
    if type(value) is list and "items" in schema:
        return [without_nulls(item, schema["items"]["then"]) for item in value]
    return value
