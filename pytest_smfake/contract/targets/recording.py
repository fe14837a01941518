"""Record the replies of a target, redacted, and replay a recording as a target."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pytest_smfake.contract.boundaries import CHECKED_OPERATIONS
from pytest_smfake.contract.check import Check, Difference, Reply, as_text
from pytest_smfake.rules import inputs as look
from pytest_smfake.rules.inputs import Look, counted, write_whole
from pytest_smfake.rules.rule import EDITIONS

from .redaction import Redaction
from .target import Target, V

RECORDING_FORMAT = "pytest-smfake contract recording"
RECORDING_VERSION = 2
KEPT_HEADERS = ("content-type", "x-amzn-requestid", "x-amzn-errortype")
"""The headers that a recording keeps. Others, such as the date, do not matter for the contract."""
NOT_RECORDED = "a recording has only replies"
RECORD_AGAIN = "make a new recording"

EXAMPLE_ACCOUNT = "123456789012"
OTHER_ACCOUNT = "111122223333"
"""The account of a replayed target: the example account if the recorded target used it, otherwise an account that no request names."""


class Recorder:
    """Record the replies of a target to checks until `write`.

    Args:
        target: the target.
        edition: the edition whose rules the boundary cases test.
    """

    def __init__(self, target: Target, edition: str) -> None:
        self._target = target
        self._edition = edition
        self._calls: dict[str, list[tuple[Any, str, Reply]]] = {}
        target.listeners.append(self._keep)

    def _keep(self, request: Any, region: str, reply: Reply) -> None:
        self._calls.setdefault(self._target.check, []).append((deepcopy(request), region, reply))

    def write(self, path: Path) -> None:
        """Write the recording to a file."""
        target = self._target
        target.listeners.remove(self._keep)
        redaction = Redaction(target)
        # Redact twice: a name that a later reply reveals can be in the text of an earlier reply.
        for check in self._calls:
            self._redacted(redaction, check)
        data = {
            "format": RECORDING_FORMAT,
            "version": RECORDING_VERSION,
            "edition": self._edition,
            "name_length": len(target.name_of()),
            "region": target.region,
            "other_region": target.other_region,
            "service": target.is_service,
            "own": {name: _value_kind(value, getattr(Target, name, EXAMPLE_ACCOUNT)) for name, value in _own(target).items()},
            "lacks": {capability: redaction.text(reason) for capability, reason in target.lacks.items()},
            "checks": {check: self._redacted(redaction, check) for check in self._calls if self._is_about_models(check)},
        }
        write_whole(path, json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n")

    def _is_about_models(self, check: str) -> bool:
        return all(reply.operation in CHECKED_OPERATIONS for _, _, reply in self._calls[check])

    def _redacted(self, redaction: Redaction, check: str) -> list[dict[str, Any]]:
        redaction.begin()
        return [
            {
                "operation": reply.operation,
                "elsewhere": region != self._target.region,
                "request": redaction.request(reply.operation, request),
                "status": reply.status,
                "headers": {name: redaction.header(name, reply.headers[name]) for name in KEPT_HEADERS if name in reply.headers},
                "body": redaction.answer(reply),
            }
            for request, region, reply in self._calls[check]
        ]


def _own(target: Target) -> dict[str, str]:
    return {"role_arn": target.role_arn, "image": target.image, "model_data_url": target.model_data_url, "account": target.account or ""}


def _value_kind(value: str, example: str) -> str:
    """Return whether a value of a target is the example value, another one, or empty."""
    return ("example" if value == example else "other") if value else "none"


OWN = ("account", "image", "model_data_url", "role_arn")
VALUE_KINDS = ("none", "example", "other")


def _body(place: str, value: Any) -> None:
    """Check a recorded body, which has either text or JSON."""
    look.map_of(look.printable)(place, value)
    if value.keys() == {"text"}:
        look.text(f"{place}.text", value["text"])
    elif value.keys() != {"json"}:
        raise look.wrong(place, "an object with either 'text' or 'json'", value)


CALL: Mapping[str, Look] = {
    "operation": look.one_of(CHECKED_OPERATIONS),
    "elsewhere": look.boolean,
    "request": look.printable,
    "status": look.whole(100, 599),
    "headers": look.map_of(look.text),
    "body": _body,
}
RECORDING: Mapping[str, Look] = {
    "edition": look.one_of(EDITIONS),
    "name_length": look.whole(1, 63),
    "region": look.name,
    "other_region": look.name,
    "service": look.boolean,
    "own": look.object_of(dict.fromkeys(OWN, look.one_of(VALUE_KINDS))),
    "lacks": look.map_of(look.text),
    "checks": look.map_of(look.list_of(look.object_of(CALL))),
}


class RecordingTarget(Target):
    """Replay a recording offline; checks that it does not contain are skipped.

    Args:
        path: the path of the recording.
        name: the name in tables and reports; by default `recording=PATH`.

    Raises:
        ValueError: the file is not a recording, has another version, or was changed or truncated.
    """

    is_elsewhere = False

    def __init__(self, path: str, name: str = "") -> None:
        data = look.document(Path(path), "recording", (RECORDING_FORMAT, RECORDING_VERSION), RECORDING)
        own, others = data["own"], _others(data["region"])
        account = {"none": None, "example": EXAMPLE_ACCOUNT, "other": OTHER_ACCOUNT}[own["account"]]
        super().__init__(name or f"recording={path}", region=data["region"], other_region=data["other_region"], account=account)
        for member, other in others.items():
            setattr(self, member, {"none": "", "example": getattr(Target, member), "other": other}[own[member]])
        # Names have the same length as in the recording, since some checks extend them up to the maximum.
        self.run = "r" * max(1, data["name_length"] - len("smfake-"))
        self.is_service = data["service"]
        self.lacks: Mapping[str, str] = {"limits": NOT_RECORDED, "faults": NOT_RECORDED, "hosting": NOT_RECORDED} | data["lacks"]
        self._checks: dict[str, list[dict[str, Any]]] = data["checks"]
        self._next = 0
        self._redaction = Redaction(self)

    def why_not(self, check: Check) -> str | None:
        """Return the reason why a check cannot run, None if it can."""
        return super().why_not(check) or (None if check.id in self._checks else "the recording does not contain it")

    def begin(self) -> None:
        """Begin with the first recorded call of a check."""
        self._next = 0
        self._redaction.begin()

    def end(self) -> None:
        """Do nothing: a replayed check creates no models."""

    def eventually(self, read: Callable[[], V], expected: V) -> V:
        """Read again as often as in the recording, until the value is the expected one."""
        begun = self._next
        found = read()
        while found != expected and self._at(self._next) == self._at(begun) is not None:
            begun = self._next
            found = read()
        return found

    def _at(self, number: int) -> tuple[Any, ...] | None:
        """Return operation, region and request of a recorded call by its number, None if there are fewer calls."""
        entries = self._checks.get(self.check, [])
        if number >= len(entries):
            return None
        entry = entries[number]
        return entry["operation"], entry["elsewhere"], _comparable(entry["request"])

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Return the recorded reply to this call.

        Raises:
            Difference: the recording has another call here, since the check has changed.
        """
        elsewhere = region not in (None, self.region)
        made = self._redaction.request(operation, request)
        recorded = self._at(self._next)
        if recorded != (operation, elsewhere, _comparable(made)):
            calls = self._checks.get(self.check, [])
            expected = _call_text(calls[self._next]) if recorded else f"only {counted(len(calls), 'call')} of {self.check}"
            raise Difference(
                f"the recorded call: {expected}; {RECORD_AGAIN}",
                _call_text({"operation": operation, "request": made, "elsewhere": elsewhere}),
            )
        entry = self._checks[self.check][self._next]
        self._next += 1
        try:
            headers = {name: self._redaction.restore(value) for name, value in entry["headers"].items()}
            body = entry["body"]
            text = json.dumps(self._redaction.restore(body["json"])) if "json" in body else self._redaction.restore(body["text"])
            reply = _reply(operation, entry["status"], headers, text.encode("utf-8", "surrogatepass"))
        except Exception as error:  # noqa: BLE001  # botocore raises various errors for JSON of an unexpected shape
            raise Difference("a reply that botocore can parse", f"{type(error).__name__} of {as_text(entry['body'], 300)}", made) from None
        for listener in self.listeners if self._depth else ():
            listener(request, region or self.region, reply)
        return reply


def _others(region: str) -> dict[str, str]:
    """Return role, image and artifact of a replayed target whose recorded target did not use the example values."""
    return {
        "role_arn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/recorded",
        "image": f"{OTHER_ACCOUNT}.dkr.ecr.{region}.amazonaws.com/recorded:1",
        "model_data_url": "s3://recorded/model.tar.gz",
    }


def _call_text(call: Mapping[str, Any]) -> str:
    region = " in the other region" if call["elsewhere"] else ""
    return f"{call['operation']}{region} {as_text(call['request'], 300)}"


def _comparable(request: Any) -> str:
    """Return a redacted request as JSON without times, which differ in each run."""
    text = json.dumps(request, sort_keys=True)
    return re.sub(r"\{time[+-][\d.]+\}", "{time}", text)


def _reply(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Return a reply from a response, parsed by botocore."""
    from botocore.parsers import create_parser

    from pytest_smfake.rules.service_model import operation_model

    shape = operation_model(operation).output_shape
    parsed = create_parser("json").parse({"status_code": status, "headers": dict(headers), "body": body}, shape)
    error = parsed.pop("Error", None)
    parsed.pop("ResponseMetadata", None)
    if error is not None:
        return Reply(operation, status, headers, body, error["Code"], error.get("Message", ""), {})
    return Reply(operation, status, headers, body, None, "", parsed)
