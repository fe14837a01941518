"""Recordings: what a target answered, without what tells whose account it was, and a target that answers from one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .check import Check
from .target import Reply, Target

FORMAT = "pytest-smfake contract recording"
VERSION = 1
KEPT = ("content-type", "x-amzn-requestid", "x-amzn-errortype")
"""The headers that a recording keeps; others, such as dates, tell of the day and not of the contract."""

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
# A moment as JSON has it, also as the service writes it: 1.684437521362E9.
_TIME = re.compile(r"(?<![\w.{+-])([12](?:\d{9}(?:\.\d+)?|\.\d+E9))(?![\w.])")
_NEXT = re.compile(r'("NextToken": ?")([^"{]{8,})')
_PRINCIPAL = re.compile(r"(?<=User: )arn:\S+")
_MOMENT = re.compile(r"\{time([+-][\d.]+)\}")
BASE = 1_700_000_000.0
"""The moment, in seconds since the epoch, that the first time of a recording stands for when it is replayed."""
NOT_PLAYED = "a recording holds answers alone"
NO_ID = "00000000-0000-4000-8000-000000000000"


class Redaction:
    """Puts tokens in the place of what tells whose account a target is: `{account}`, `{name}`, `{role}`, `{image}`, `{id}`, `{time+1.5}`.

    Args:
        target: the target.
    """

    def __init__(self, target: Target) -> None:
        # The longest first: a role and an image hold the account.
        values = {"name": target.name_of(), "role": target.role_arn, "image": target.image, "account": target.account or ""}
        self._values = {token: value for token, value in values.items() if value}
        self._first: float | None = None
        self._tokens: dict[str, str] = {}

    def redact(self, text: str) -> str:
        """Return a text with tokens."""
        for token, value in self._values.items():
            text = text.replace(value, f"{{{token}}}")
        text = _NEXT.sub(self._token, text)
        return _TIME.sub(self._time, _UUID.sub("{id}", _PRINCIPAL.sub("{principal}", text)))

    def _token(self, match: re.Match[str]) -> str:
        """Return a token of a list with a number in its place: it may hold what it stands for."""
        return match[1] + self._tokens.setdefault(match[2], f"{{token-{len(self._tokens) + 1}}}")

    def _time(self, match: re.Match[str]) -> str:
        moment = float(match[1])
        if self._first is None:
            self._first = moment
        return f"{{time{moment - self._first:+.3f}}}"

    def restore(self, text: str) -> str:
        """Return a text with the values of this target in the place of tokens."""
        for token, value in self._values.items():
            text = text.replace(f"{{{token}}}", value)
        return _MOMENT.sub(lambda match: f"{BASE + float(match[1]):.3f}", text.replace("{id}", NO_ID))


class Recorder:
    """Keeps what a target answers, from now on; `write` ends it.

    Args:
        target: the target.
        edition: whose rules the boundary cases are about.
    """

    def __init__(self, target: Target, edition: str) -> None:
        self._target = target
        self._edition = edition
        self._redaction = Redaction(target)
        self._checks: dict[str, list[dict[str, Any]]] = {}
        target.on_reply = self._keep

    def _keep(self, request: Any, region: str, reply: Reply) -> None:
        entry = {
            "operation": reply.operation,
            "elsewhere": region != self._target.region,
            "request": self._redaction.redact(_text(request)),
            "status": reply.status,
            "headers": {name: self._redaction.redact(reply.headers[name]) for name in KEPT if name in reply.headers},
            "body": self._redaction.redact(reply.body.decode("utf-8", "replace")),
        }
        self._checks.setdefault(self._target.check, []).append(entry)

    def write(self, path: Path) -> None:
        """Write the recording to a file."""
        self._target.on_reply = None
        data = {
            "format": FORMAT,
            "version": VERSION,
            "edition": self._edition,
            "name_length": len(self._target.name_of()),
            "region": self._target.region,
            "other_region": self._target.other_region,
            "lacks": dict(self._target.lacks),
            "checks": self._checks,
        }
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")


class RecordingTarget(Target):
    """Answers from a recording, offline; a check that is not in it is skipped.

    Args:
        path: the recording.
        name: as tables name it.

    Raises:
        ValueError: the file is no recording, one of another version, or one that was cut short; the sentence says which.
    """

    is_service = True

    def __init__(self, path: str, name: str = "") -> None:
        data = _read(Path(path))
        super().__init__(name or f"recording={path}", region=data["region"], other_region=data["other_region"], account="123456789012")
        # Names are as long as those that were recorded, which some checks fill up to their bound.
        self.run = "r" * max(1, data["name_length"] - len("smfake-"))
        self.lacks: Mapping[str, str] = data["lacks"] | {"limits": NOT_PLAYED, "faults": NOT_PLAYED}
        self.model_data_url = "" if "unchecked" in self.lacks else self.model_data_url
        self._checks: dict[str, list[dict[str, Any]]] = data["checks"]
        self._left: Iterator[dict[str, Any]] | None = None
        self._redaction = Redaction(self)

    def why_not(self, check: Check) -> str | None:
        """Return why a check cannot be run."""
        return super().why_not(check) or (None if check.id in self._checks else "the recording does not hold it")

    def begin(self) -> None:
        """Begin with the first answer of a check, at its first call."""
        self._left = None
        self._redaction = Redaction(self)

    def end(self) -> None:
        """Nothing is left of a check."""

    def send(self, operation: str, request: Any, *, region: str | None = None) -> Reply:  # noqa: ARG002  # the answer is the next one
        """Return what was answered to this call.

        Raises:
            ValueError: another call was recorded here: the check has changed since.
        """
        if self._left is None:
            self._left = iter(self._checks.get(self.check, ()))
        entry = next(self._left, None)
        if entry is None or (entry["operation"], _comparable(entry["request"])) != (
            operation,
            _comparable(self._redaction.redact(_text(request))),
        ):
            said = "nothing more" if entry is None else f"{entry['operation']} {entry['request'][:200]}"
            raise ValueError(f"{self.name}: {self.check} calls {operation}, and the recording holds {said}; it has to be made anew")
        body = self._redaction.restore(entry["body"]).encode("utf-8")
        headers = {name: self._redaction.restore(value) for name, value in entry["headers"].items()}
        return _reply(operation, entry["status"], headers, body)


def _text(request: Any) -> str:
    return (
        request.decode("utf-8", "backslashreplace")
        if isinstance(request, bytes)
        else json.dumps(request, ensure_ascii=False, sort_keys=True)
    )


def _comparable(text: str) -> str:
    """Return a redacted text without its moments and tokens of lists, which differ from run to run."""
    return re.sub(r"\{token-\d+\}", "{token}", _MOMENT.sub("{time}", text))


def _reply(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Return a reply as botocore reads the response."""
    from botocore.parsers import create_parser

    from pytest_smfake.spec.model import operation_model

    shape = operation_model(operation).output_shape
    parsed = create_parser("json").parse({"status_code": status, "headers": dict(headers), "body": body}, shape)
    error = parsed.pop("Error", None)
    parsed.pop("ResponseMetadata", None)
    if error is not None:
        return Reply(operation, status, headers, body, error["Code"], error.get("Message", ""), {})
    return Reply(operation, status, headers, body, None, "", parsed)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"the recording {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is not a recording, or was cut short: it holds no JSON") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"{path} is not a recording of a contract run")
    if data.get("version") != VERSION:
        raise ValueError(f"{path} is a recording of version {data.get('version')!r}; this package reads version {VERSION}")
    missing = [name for name in ("name_length", "region", "other_region", "lacks", "checks") if name not in data]
    if missing:
        raise ValueError(f"{path} is a recording that was changed: it has no {missing[0]}")
    return data
