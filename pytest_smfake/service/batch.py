"""Batch transform on bytes: split an object into payloads, filter records by JSONPath, join them with predictions. It does no I/O.

Source: developer guide, "Associate Prediction Results with Input Records", supported operators. A path with several names yields an
object of their values, one with several indices a list of their items, as in the guide's examples.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Pick = Callable[[Any], Any]

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*|\*)
      | \[\s*(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\s*\]
      | \[\s*(?P<indices>[-\d:*][-\d:,\s*]*)\s*\]""",
    re.VERBOSE | re.ASCII,
)


def compile_path(path: str) -> Pick:
    """Return the function that applies a JSONPath to a value.

    Raises:
        ValueError: batch transform does not support the path.

    Example:
        >>> compile_path("$[0,2:]")([1, 2, 3, 4])
        [1, 3, 4]
        >>> compile_path("$['id','SageMakerOutput']")({"id": 7, "x": 1, "SageMakerOutput": 0.5})
        {'id': 7, 'SageMakerOutput': 0.5}
    """
    if not path.startswith("$"):
        raise ValueError(f"{path!r} is not a JSONPath: it begins with $")
    picks: list[Pick] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(f"{path!r} is not a JSONPath that batch transform knows, from {path[position:]!r} on")
        picks.append(_pick(match))
        position = match.end()

    def pick(value: Any) -> Any:
        for step in picks:
            value = step(value)
        return value

    return pick


def _pick(match: re.Match[str]) -> Pick:
    if match["name"] == "*":
        return lambda value: list(value.values()) if isinstance(value, dict) else list(value)
    if match["name"]:
        return _member(match["name"])
    if match["names"]:
        names = re.findall(r"'([^']*)'", match["names"])
        if len(names) == 1:
            return _member(names[0])
        members = [(name, _member(name)) for name in names]
        return lambda value: {name: member(value) for name, member in members}
    parts = [part.strip() for part in match["indices"].split(",")]
    if len(parts) == 1 and re.fullmatch(r"-?\d+", parts[0]):
        return _item(int(parts[0]))
    items = [_items(part, match[0]) for part in parts]
    return lambda value: [found for item in items for found in item(value)]


def _member(name: str) -> Pick:
    def pick(value: Any) -> Any:
        if not isinstance(value, dict) or name not in value:
            raise LookupError(f"there is no member {name!r}")
        return value[name]

    return pick


def _item(index: int) -> Pick:
    def pick(value: Any) -> Any:
        if not isinstance(value, list) or not -len(value) <= index < len(value):
            raise LookupError(f"there is no item {index}")  # an error: documented of OutputFilter
        return value[index]

    return pick


def _items(part: str, whole: str) -> Pick:
    if part == "*":
        return list
    if re.fullmatch(r"-?\d+", part):
        item = _item(int(part))
        return lambda value: [item(value)]
    bounds = re.fullmatch(r"(-?\d+)?:(-?\d+)?", part)
    if bounds is None:
        raise ValueError(f"{whole!r} is not a JSONPath step that batch transform knows")
    start, stop = (None if bound is None else int(bound) for bound in bounds.groups())
    return lambda value: value[start:stop]


MEGABYTE = 1024 * 1024
MAX_PAYLOAD = 6
"""The default of MaxPayloadInMB (documented). 0 means no bound (documented)."""
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
OUTPUT, INPUT = "SageMakerOutput", "SageMakerInput"


class TransformError(Exception):
    """An object of the input cannot be transformed; the text gives the reason."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings by which a job splits, filters and joins."""

    split: bool
    single: bool
    max_payload: int
    assemble_lines: bool
    compressed: bool
    content_type: str
    input_filter: str
    output_filter: str
    join: bool

    @classmethod
    def of(cls, request: dict[str, Any]) -> Plan:
        """Return the plan for the request that creates a job."""
        source, target = request["TransformInput"], request["TransformOutput"]
        processing = request.get("DataProcessing") or {}
        most = request.get("MaxPayloadInMB", MAX_PAYLOAD)
        return cls(
            split=source.get("SplitType", "None") == "Line",
            single=request.get("BatchStrategy") == "SingleRecord",
            max_payload=most * MEGABYTE,
            assemble_lines=target.get("AssembleWith", "None") == "Line",
            compressed=source.get("CompressionType", "None") == "Gzip",
            content_type=source.get("ContentType", ""),
            input_filter=processing.get("InputFilter", "$"),
            output_filter=processing.get("OutputFilter", "$"),
            join=processing.get("JoinSource", "None") == "Input",
        )

    @property
    def processes(self) -> bool:
        """Whether records are filtered or joined, so that they must be parsed."""
        return self.join or (self.input_filter, self.output_filter) != ("$", "$")


def transform(data: bytes, plan: Plan, invoke: Callable[[bytes], bytes]) -> bytes:
    r"""Return the output for an object of the input.

    Args:
        data: the object.
        plan: the settings of the job.
        invoke: sends a payload to the model and returns its answer.

    Raises:
        TransformError: a record exceeds the bound, cannot be parsed, or has no answer.
        Exception: any exception of `invoke`.

    Example:
        >>> lines = Plan.of({"TransformInput": {"SplitType": "Line"}, "TransformOutput": {"AssembleWith": "Line"}})
        >>> transform(b"a\nb\n", lines, bytes.upper)
        b'A\nB\n'
    """
    if plan.compressed:
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise TransformError(f"The object is not compressed with Gzip: {error}") from None
    records = data.split(b"\n") if plan.split else [data]
    if plan.split and not records[-1]:
        records.pop()
    format_ = _format(plan) if plan.processes else None
    sent = [format_.filter_input(record) for record in records] if format_ else records
    assembled = []
    for first, last in _payloads(sent, plan):
        answer = invoke(b"\n".join(sent[first:last]))
        if format_ is not None:
            answer = format_.finish(records[first:last], answer)
        assembled.append(answer)
    if plan.assemble_lines:
        # An answer that ends with a line end gets no second one (assumed).
        return b"".join(answer if answer.endswith(b"\n") else answer + b"\n" for answer in assembled)
    return b"".join(assembled)


def _payloads(records: list[bytes], plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield the first record and the end of each payload: one record, or as many as fit into MaxPayloadInMB (documented)."""
    most = plan.max_payload or float("inf")
    for index, record in enumerate(records):
        if len(record) > most:
            limit = f"MaxPayloadInMB, {plan.max_payload // MEGABYTE}"
            raise TransformError(f"Record {index + 1} has {len(record)} bytes, which is over {limit}")
    first, size = 0, 0
    for index, record in enumerate(records):
        if index > first and (plan.single or size + 1 + len(record) > most):
            yield first, index
            first, size = index, 0
        size += len(record) + (index > first)
    if records:
        yield first, len(records)


def _format(plan: Plan) -> _Format:
    kind = plan.content_type.split(";")[0].strip().lower()
    if kind not in (CSV, JSON, JSON_LINES):
        # Documented: data processing supports CSV and JSON only.
        raise TransformError(f"DataProcessing takes input of {CSV}, {JSON} or {JSON_LINES}; ContentType is {plan.content_type!r}")
    return _Format(kind, plan)


class _Format:
    """Filters and joins the records of a content type."""

    def __init__(self, kind: str, plan: Plan) -> None:
        self.kind = kind
        self.plan = plan
        self.pick_input = compile_path(plan.input_filter)
        self.pick_output = compile_path(plan.output_filter)

    def filter_input(self, record: bytes) -> bytes:
        """Apply InputFilter to a record and return the result, which is sent to the model."""
        if self.plan.input_filter == "$":
            return record
        return self._map(record, self.pick_input)

    def finish(self, records: list[bytes], answer: bytes) -> bytes:
        """Join each record of a payload with its prediction in the answer, and apply OutputFilter."""
        if not (self.plan.split or self.kind == CSV):
            return self._one(records[0], answer)
        answers = answer.removesuffix(b"\n").split(b"\n")
        lines = records if self.plan.split else records[0].removesuffix(b"\n").split(b"\n")
        if len(answers) != len(lines):
            raise TransformError(f"The model answered {len(answers)} records for {len(lines)}, so they cannot be joined or filtered")
        return b"\n".join(self._one(record, line) for record, line in zip(lines, answers, strict=True))

    def _one(self, record: bytes, answer: bytes) -> bytes:
        if not self.plan.join:
            return self._map(answer, self.pick_output)
        given, made = self._read(record), self._read(answer)
        if self.kind == CSV:
            joined = given + made
        elif isinstance(given, dict):
            joined = given | {OUTPUT: made}
        else:
            joined = {INPUT: given, OUTPUT: made}
        return self._write(self._picked(joined, self.pick_output))

    def _map(self, text: bytes, pick: Callable[[Any], Any]) -> bytes:
        lines = text.split(b"\n") if self.kind == CSV and not self.plan.split else [text]
        return b"\n".join(self._write(self._picked(self._read(line), pick)) if line else line for line in lines)

    def _picked(self, value: Any, pick: Callable[[Any], Any]) -> Any:
        try:
            return pick(value)
        except (LookupError, TypeError) as error:
            raise TransformError(f"A filter cannot be applied to {value!r}: {error}") from None

    def _read(self, text: bytes) -> Any:
        try:
            if self.kind == CSV:
                return next(csv.reader(io.StringIO(text.decode("utf-8"))), [])
            return json.loads(text)
        except (ValueError, csv.Error) as error:
            raise TransformError(f"{text[:80]!r} cannot be read as {self.kind}: {error}") from None

    def _write(self, value: Any) -> bytes:
        if self.kind != CSV:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return line.getvalue().encode()
