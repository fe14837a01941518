"""Redaction: tokens in the place of what tells whose account a target is, who called it, and what else is there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_smfake.rules.service_model import operation_model

from .identifiers import QUOTED, TOKEN, Tokens, echoes, is_plain, leaves, replace_arn, replace_identifiers, value_of, vocabulary

if TYPE_CHECKING:
    from botocore.model import Shape

    from pytest_smfake.contract.check import Reply
    from pytest_smfake.contract.report import Result

    from .target import Target

_MIME = re.compile(r"[a-z]+/[\w.+-]+(?:; ?charset=[\w-]+)?")
_VALUE = re.compile(r"(?<=Value ')(.*?)(?=' at ')", re.DOTALL)
_CODE = re.compile(r"[\w.#:/-]{1,200}")
_WORD = re.compile(r"(?<![\w{./:@\\\[\]+-])(?:[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+|[A-Za-z]+\d\w{3,})(?![\w}/:@\\\[\]+-]|\.\w)")
_CUT = re.compile(r"(\.\.\. \(\d+ characters\))")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)("|\\?$)')
BASE = 1_700_000_000.0
"""The moment, in seconds since the epoch, that the first time of a recording stands for when it is played back."""


class Redaction:
    """Puts tokens in the place of what identifies somebody, and tells what a check itself sent from what others have.

    What a check sends stays as it is, but for what the target has of its own and for what the check has from an answer. Of an
    answer stays what the check sent, and what the service's model names.

    Args:
        target: the target.
        tokens: gives tokens; several targets of a report share it.
        label: how a report names the target; as the target does by default.
    """

    def __init__(self, target: Target, tokens: Tokens | None = None, label: str = "") -> None:
        self.label = label or target.name
        self._tokens = tokens or Tokens()
        values = {"name": target.name_of(), "role": target.role_arn, "image": target.image, "data": target.model_data_url}
        self.own = {f"{{{token}}}": value for token, value in (values | {"account": target.account or ""}).items() if value}
        """What the target has of its own, by its token: `{name}` is what the names of a run have in common."""
        for value in map(self._without_own, leaves(list(target.request().values()))):
            if not TOKEN.fullmatch(value) and not value.isalpha():
                self.own[self._tokens.of("text", value)] = value
        # The longest first: a role and an image hold the account.
        self.own = dict(sorted(self.own.items(), key=lambda entry: len(entry[1]), reverse=True))
        prefix = target.name_of().partition(target.run)[0].strip("-")
        for part in re.split("[/:]", f"{target.role_arn.rpartition(':')[2]}/{target.image.partition('/')[2]}/{prefix}"):
            if len(part) > 3 and part != "smfake" and not is_plain(part):
                self._tokens.of("name", part)
        self._run_tag = target.run_tag
        self._first: float | None = None
        self.begin()

    def begin(self) -> None:
        """Begin with a check, which has sent nothing."""
        self._sent = {self._run_tag}
        self._vocabulary: set[str] = set()
        self._flow: dict[str, str] = {}
        self._timed = False
        self._last: tuple[str, Any] = ("", None)

    # What a check sends.

    def request(self, operation: str, request: Any) -> Any:
        """Return a request with tokens."""
        found = self._request(request.decode("utf-8", "backslashreplace") if isinstance(request, bytes) else request)
        self._vocabulary |= vocabulary(operation)
        for leaf in leaves(found):
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
            return self._said(value)
        return self._time(float(value)) if self._timed and _is_moment(value) else value

    def _said(self, text: str) -> str:
        """Return a text that a check sends: what it has from an answer, as a whole or as a part of an ARN, has the token of there."""
        text = self._without_own(text)
        if text in self._flow and text not in self._sent and len(text) > 3:
            return self._flow[text]
        return "".join(self._flow.get(part, part) for part in re.split("([/:])", text)) if text.startswith("arn:") else text

    def _without_own(self, text: str) -> str:
        for token, value in self.own.items():
            text = text.replace(value, token)
        return text

    # What is answered.

    def answer(self, reply: Reply) -> dict[str, Any]:
        """Return the body of an answer with tokens: `json`, or `text` where it is none."""
        text = reply.body.decode("utf-8", "replace")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return {"text": self._message(text)}
        shape = operation_model(reply.operation).output_shape if reply.code is None else None
        return {"json": self._tree(data, shape, "")}

    def header(self, name: str, value: str) -> str:
        """Return the value of a header with tokens."""
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
        """Whether a word of a text is what the check sent, or a word of the model, such as the place `tags.1.member.key`."""
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
        """Return a time that is told as a text, as a token."""
        from botocore.utils import parse_timestamp

        try:
            return self._number(parse_timestamp(text).timestamp())
        except (ValueError, OverflowError):
            return self._leaf(text, None, "")

    def _time(self, moment: float) -> str:
        self._first = moment if self._first is None else self._first
        return f"{{time{moment - self._first:+.3f}}}"

    def _message(self, text: str) -> str:
        """Return a text of the service with tokens; values that the check sent stay, in the words that the service has for them."""
        text = self._without_own(text)
        sent = set(echoes(*self._last)) if "Value '" in text else set()
        parts: list[str] = _VALUE.split(text)
        return "".join(part if number % 2 and part in sent else self._prose(part) for number, part in enumerate(parts))

    def _prose(self, text: str) -> str:
        text = replace_identifiers(self._tokens.replace(text, self._stays), self._token_in_prose)
        text = QUOTED.sub(lambda match: f"{match[1]}{self._name(match[2])}{match[1]}", text)
        return _WORD.sub(lambda match: self._name(match[0]), text)

    def _name(self, word: str) -> str:
        """Return the token of a word that may be a name, or the word where it is one of the service's."""
        bare = word.rstrip(".,;:!?")
        if bare.startswith(("{name}", "arn:")) or "://" in bare or TOKEN.fullmatch(bare) or is_plain(bare):
            return word
        return self._token_in_prose("name", bare) + word[len(bare) :]

    # What is played back.

    def restore(self, value: Any) -> Any:
        """Return the body or header of a recorded answer with values of this target in the place of tokens."""
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
        """Return the value of a token, and know it again when the check sends it."""
        if "-" not in token:
            return self.own.get(token, token)
        value = str(value_of(token))
        self._flow[value] = token
        return value

    # What a report says.

    def learn(self, request: Any, region: str, reply: Reply) -> None:  # noqa: ARG002  # as a listener is called
        """Take note of what a call tells."""
        self.request(reply.operation, request)
        self.answer(reply)

    def text(self, text: str) -> str:
        """Return a text about a target with tokens."""
        parts = _CUT.split(self._without_own(text))
        parts[:-1:2] = map(self._whole, parts[:-1:2])
        return replace_identifiers(self._tokens.replace("".join(parts), self._stays), self._token_in_prose)

    def _whole(self, text: str) -> str:
        """Return a text that was cut, without the beginning of a word or string at its end, by which nothing can be told any more."""
        end = next((match[1] for match in _STRING.finditer(text) if match[2] != '"'), re.split(r"[\s\"]", text)[-1])
        bare = end.rstrip("\\")
        if not any(sent.startswith(bare) for sent in self._sent):
            return f"{text[: len(text) - len(end)]}{{cut}}"
        self._sent |= {bare, *re.split("[/:]", bare)}
        return text

    def result(self, result: Result) -> Result:
        """Return what came of a check with tokens."""
        expected, actual, request = (None if text is None else self.text(text) for text in (result.expected, result.actual, result.request))
        return replace(result, target=self.label, reason=self.text(result.reason), expected=expected, actual=actual, request=request)


def _is_moment(value: Any) -> bool:
    """Whether a number is a time of these decades, in seconds since the epoch."""
    return isinstance(value, int | float) and 1e9 <= value < 3e9
