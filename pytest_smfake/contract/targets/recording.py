"""Recordings: what a target answered, without what tells whose account it was, and a target that answers from one."""

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
from pytest_smfake.rules.inputs import Look, write_whole
from pytest_smfake.rules.rule import EDITIONS

from .redaction import Redaction
from .target import Target, V

RECORDING_FORMAT = "pytest-smfake contract recording"
RECORDING_VERSION = 2
KEPT_HEADERS = ("content-type", "x-amzn-requestid", "x-amzn-errortype")
"""The headers that a recording keeps; others, such as dates, tell of the day and not of the contract."""
NOT_PLAYED = "a recording holds answers alone"
ANEW = "make the recording anew"

EXAMPLE_ACCOUNT = "123456789012"
OTHER_ACCOUNT = "111122223333"
"""The account of a recording is played by one that requests name as an example too, or by one that none names, as it was recorded."""


class Recorder:
    """Keeps what a target answers to checks, from now on; `write` ends it.

    Args:
        target: the target.
        edition: whose rules the boundary cases are about.
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
        # Twice: a name that one answer tells by its place can stand in the text of an earlier one.
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
            "checks": {check: self._redacted(redaction, check) for check in self._calls},
        }
        write_whole(path, json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n")

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
    """Return how a value of a target stands to the one that requests name as an example."""
    return ("example" if value == example else "other") if value else "none"


OWN = ("account", "image", "model_data_url", "role_arn")
VALUE_KINDS = ("none", "example", "other")


def _body(place: str, value: Any) -> None:
    """Look at a body, which is a text or an object of JSON."""
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
    """Answers from a recording, offline; a check that is not in it is skipped.

    Args:
        path: the recording.
        name: as tables name it.

    Raises:
        ValueError: the file is no recording, one of another version, or one that was cut short; the sentence says which.
    """

    is_elsewhere = False

    def __init__(self, path: str, name: str = "") -> None:
        data = look.document(Path(path), "recording", (RECORDING_FORMAT, RECORDING_VERSION), RECORDING)
        own, others = data["own"], _others(data["region"])
        account = {"none": None, "example": EXAMPLE_ACCOUNT, "other": OTHER_ACCOUNT}[own["account"]]
        super().__init__(name or f"recording={path}", region=data["region"], other_region=data["other_region"], account=account)
        for member, other in others.items():
            setattr(self, member, {"none": "", "example": getattr(Target, member), "other": other}[own[member]])
        # Names are as long as those that were recorded, which some checks fill up to their bound.
        self.run = "r" * max(1, data["name_length"] - len("smfake-"))
        self.is_service = data["service"]
        self.lacks: Mapping[str, str] = {"limits": NOT_PLAYED, "faults": NOT_PLAYED} | data["lacks"]
        self._checks: dict[str, list[dict[str, Any]]] = data["checks"]
        self._next = 0
        self._playing = Redaction(self)

    def why_not(self, check: Check) -> str | None:
        """Return why a check cannot be run."""
        return super().why_not(check) or (None if check.id in self._checks else "the recording does not hold it")

    def begin(self) -> None:
        """Begin with the first answer of a check, at its first call."""
        self._next = 0
        self._playing.begin()

    def end(self) -> None:
        """Nothing is left of a check."""

    def eventually(self, read: Callable[[], V], expected: V) -> V:
        """Read again as often as it was read when the recording was made, until it is what is expected."""
        begun = self._next
        found = read()
        while found != expected and self._at(self._next) == self._at(begun) is not None:
            begun = self._next
            found = read()
        return found

    def _at(self, number: int) -> tuple[Any, ...] | None:
        """Return what was called as the call of a number, None where nothing was."""
        entries = self._checks.get(self.check, [])
        if number >= len(entries):
            return None
        entry = entries[number]
        return entry["operation"], entry["elsewhere"], _comparable(entry["request"])

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:
        """Return what was answered to this call.

        Raises:
            Difference: another call was recorded here: the check has changed since.
        """
        elsewhere = region not in (None, self.region)
        made = self._playing.request(operation, request)
        recorded = self._at(self._next)
        if recorded != (operation, elsewhere, _comparable(made)):
            calls = self._checks.get(self.check, [])
            said = _told(calls[self._next]) if recorded else f"no more than {len(calls)} calls of {self.check}"
            raise Difference(
                f"the call that was recorded: {said}; {ANEW}", _told({"operation": operation, "request": made, "elsewhere": elsewhere})
            )
        entry = self._checks[self.check][self._next]
        self._next += 1
        try:
            headers = {name: self._playing.restore(value) for name, value in entry["headers"].items()}
            body = entry["body"]
            text = json.dumps(self._playing.restore(body["json"])) if "json" in body else self._playing.restore(body["text"])
            reply = _reply(operation, entry["status"], headers, text.encode("utf-8", "surrogatepass"))
        except Exception as error:  # noqa: BLE001  # botocore reads objects of the right shape, and meets others in ways of its own
            raise Difference("an answer that botocore can read", f"{type(error).__name__} of {as_text(entry['body'], 300)}", made) from None
        for listener in self.listeners if self._depth else ():
            listener(request, region or self.region, reply)
        return reply


def _others(region: str) -> dict[str, str]:
    """Return what the target of a recording has where the one that was recorded had values of its own."""
    return {
        "role_arn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/recorded",
        "image": f"{OTHER_ACCOUNT}.dkr.ecr.{region}.amazonaws.com/recorded:1",
        "model_data_url": "s3://recorded/model.tar.gz",
    }


def _told(call: Mapping[str, Any]) -> str:
    place = " in the other region" if call["elsewhere"] else ""
    return f"{call['operation']}{place} {as_text(call['request'], 300)}"


def _comparable(request: Any) -> str:
    """Return a redacted request without its moments, which differ from run to run."""
    text = json.dumps(request, sort_keys=True)
    return re.sub(r"\{time[+-][\d.]+\}", "{time}", text)


def _reply(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Return a reply as botocore reads the response."""
    from botocore.parsers import create_parser

    from pytest_smfake.rules.service_model import operation_model

    shape = operation_model(operation).output_shape
    parsed = create_parser("json").parse({"status_code": status, "headers": dict(headers), "body": body}, shape)
    error = parsed.pop("Error", None)
    parsed.pop("ResponseMetadata", None)
    if error is not None:
        return Reply(operation, status, headers, body, error["Code"], error.get("Message", ""), {})
    return Reply(operation, status, headers, body, None, "", parsed)
