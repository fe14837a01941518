"""The admin API of the server: the methods of the fixture, for tests in any language."""

from __future__ import annotations

import hmac
import inspect
import itertools
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_smfake.protocol.http import Request, Response
from pytest_smfake.rules.inputs import did_you_mean, shown
from pytest_smfake.service.calls import Call
from pytest_smfake.service.faults import UnusedFaultError
from pytest_smfake.settings import CROSSING

from .worlds import ADMIN, NAME, Server, plain_json

INJECTED = {
    "limits": ("limit", ("key", "bound", "used", "region", "account", "name", "unit", "enforce")),
    "faults": ("fail", ("operation", "code", "times", "after", "attempts", "message", "effect", "optional", "unmodelled")),
    "delays": ("delay", ("operation", "seconds", "times", "after", "real", "optional")),
    "throttles": ("throttle", ("rate", "burst", "operation")),
    "denials": ("deny", ("action", "resource", "policy", "principal")),
    "unavailable": ("unavailable", ("thing", "region")),
}
"""Injections by their path: the method of the fake, and those of its keywords that JSON can hold."""


class _RefusalError(Exception):
    """A refusal, with the HTTP status of its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Admin:
    """Answers requests to the admin API.

    Args:
        server: the server whose worlds it manages.
        token: the token that requests must have: `Authorization: Bearer TOKEN`.
        make: a function that makes the fake of a new world from its settings.
    """

    def __init__(self, server: Server, token: str, make: Callable[[dict[str, Any]], Any]) -> None:
        self._server = server
        self._token = token
        self._make = make
        self._numbers = itertools.count(1)
        self._injected: dict[tuple[str, str], tuple[str, Any]] = {}

    def __call__(self, request: Request) -> Response:
        """Answer a request. The body of an error is `{"error": TEXT}`."""
        try:
            self._admit(request)
            status, body = self._route(request)
        except _RefusalError as refusal:
            return plain_json(refusal.status, {"error": str(refusal)})
        except (ValueError, TypeError) as error:
            return plain_json(400, {"error": str(error)})
        return plain_json(status, body)

    def _admit(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {self._token}".encode()):
            raise _RefusalError(401, "The admin API needs the token that smfake serve printed at its start: Authorization: Bearer TOKEN")

    def _route(self, request: Request) -> tuple[int, Any]:
        parts = urlsplit(request.url)
        steps = [unquote(step) for step in parts.path.removeprefix(ADMIN).split("/") if step]
        match request.method, steps:
            case "GET", ["state"]:
                return 200, self.state()
            case "GET", ["worlds"]:
                return 200, {"worlds": sorted(self._server.worlds)}
            case "PUT", ["worlds", name]:
                return self._create(name, _object(request))
            case method, ["worlds", name, *rest]:
                fake = self._server.worlds.get(name)
                if fake is None:
                    raise _RefusalError(404, f"There is no world {name!r}; there are: {', '.join(sorted(self._server.worlds))}")
                return self._in_world(name, fake, method, rest, request)
        raise _RefusalError(404, f"There is no {request.method} {parts.path} in the admin API")

    def _create(self, name: str, settings: dict[str, Any]) -> tuple[int, Any]:
        if not NAME.fullmatch(name):
            raise _RefusalError(400, f"world name must have 1 to 100 of A-Z a-z 0-9 . _ -, and begin with a letter or digit, got {name!r}")
        if name in self._server.worlds:
            raise _RefusalError(409, f"There is a world {name!r} already")
        _check_keywords("a world", settings, CROSSING)
        fake = self._server.worlds.setdefault(name, self._make(settings))
        return 201, self._about(name, fake)

    def _about(self, name: str, fake: Any) -> dict[str, Any]:
        return {"name": name, "url": self._server.url_of(name), "account": fake.account, "region": fake.region, "edition": fake.edition}

    def _in_world(  # noqa: PLR0911, PLR0912  # a table of routes
        self, name: str, fake: Any, method: str, steps: list[str], request: Request
    ) -> tuple[int, Any]:
        match method, steps:
            case "GET", []:
                return 200, self._about(name, fake)
            case "DELETE", []:
                return 200, {"unused": self._end(name, fake)}
            case "GET", ["unused"]:
                return 200, {"unused": _unused(fake)}
            case "POST", ["reset"]:
                fake.reset()
                self._forget(name)
                return 200, {}
            case "POST", ["clock"]:
                fake.clock.advance(**_checked("clock", _object(request), fake.clock.advance, ("seconds",)))
                return 200, {"now": fake.clock.now()}
            case "POST", ["models"]:
                model = _object(request)
                fake.add_model(**model)
                return 201, {"arn": fake.models[fake.request(**model)["ModelName"]].arn}
            case "GET", ["calls"]:
                return 200, _calls(fake, parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
            case "GET", ["state"]:
                return 200, state_of(fake)
            case "GET", ["in-force"]:
                return 200, {"in_force": [_shown(key[1], *entry) for key, entry in self._injected.items() if key[0] == name]}
            case "POST", [kind] if kind in INJECTED:
                return self._inject(name, fake, kind, _object(request))
            case (("GET" | "DELETE"), ["in-force", number]):
                if (name, number) not in self._injected:
                    raise _RefusalError(404, f"The world {name!r} has no active injection with the id {number!r}")
                entry = self._injected[name, number]
                if method == "DELETE":
                    entry[1].stop()
                    del self._injected[name, number]
                return 200, _shown(number, *entry)
        raise _RefusalError(404, f"There is no {method} /{'/'.join(steps)} of a world in the admin API")

    def _inject(self, name: str, fake: Any, kind: str, keywords: dict[str, Any]) -> tuple[int, Any]:
        method, legal = INJECTED[kind]
        function = getattr(fake, method)
        injected = function(**_checked(kind, keywords, function, legal))
        number = str(next(self._numbers))
        self._injected[name, number] = (kind, injected)
        return 201, _shown(number, kind, injected)

    def _end(self, name: str, fake: Any) -> str | None:
        """Delete a world. Return the text about a fault in it that was never triggered, or None."""
        self._server.worlds.pop(name, None)
        self._forget(name)
        fake.service.stand_ins.close()
        return _unused(fake)

    def _forget(self, name: str) -> None:
        for key in [key for key in self._injected if key[0] == name]:
            del self._injected[key]

    def state(self) -> dict[str, Any]:
        """Return the resources of every world."""
        return {"worlds": {name: state_of(fake) for name, fake in sorted(self._server.worlds.items())}}


def _unused(fake: Any) -> str | None:
    """Return the text about faults that were never triggered, or None. Each fault is reported once."""
    try:
        fake.verify_faults()
    except UnusedFaultError as error:
        return str(error)
    return None


def _object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body of a request, an empty one for no body."""
    try:
        text = request.body.decode("utf-8")
        value = json.loads(text, parse_int=_number, object_pairs_hook=_once) if text.strip() else {}
    except (ValueError, RecursionError):
        raise _RefusalError(400, "The body is not JSON") from None
    if not isinstance(value, dict):
        raise _RefusalError(400, f"The body must be a JSON object, got {shown(value)}")
    return value


def _number(digits: str) -> int:
    """Return a whole number. Longer ones are refused, since Python's limit for printing numbers can be as low as that."""
    if len(digits) > 400:
        raise _RefusalError(400, f"A number has {len(digits)} digits; at most 400 are allowed")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. A name that occurs twice is refused."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1)
        raise _RefusalError(400, f"{shown(twice)} occurs twice")
    return found


def _check_keywords(what: str, given: dict[str, Any], legal: tuple[str, ...]) -> None:
    for name in given:
        if name == "when":
            raise _RefusalError(400, "'when' is a Python function, which cannot be sent to another process")
        if name not in legal:
            raise _RefusalError(400, f"{shown(name)} is not a keyword of {what}{did_you_mean(name, legal)}; there are: {', '.join(legal)}")


def _checked(what: str, given: dict[str, Any], function: Callable[..., Any], legal: tuple[str, ...]) -> dict[str, Any]:
    """Return the keywords for a function, after a check that all are allowed in JSON and all required ones are given."""
    _check_keywords(what, given, legal)
    parameters = inspect.signature(function).parameters
    for name in legal:
        if name not in given and parameters[name].default is inspect.Parameter.empty:
            raise _RefusalError(400, f"{what} needs the keyword {name!r}; there are: {', '.join(legal)}")
    return given


def _shown(number: str, kind: str, injected: Any) -> dict[str, Any]:
    shown = {"id": number, "kind": kind, "label": getattr(injected, "label", repr(injected))}
    return shown | ({"hits": injected.hits} if hasattr(injected, "hits") else {})


def _calls(fake: Any, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return at most `count` calls of the log, beginning after the call number `after`."""
    query = _once(pairs)
    _check_keywords("calls", query, ("after", "count"))
    numbers = {}
    for name, default in (("after", "0"), ("count", "1000")):
        if not re.fullmatch(r"[0-9]{1,9}", query.get(name, default)):
            raise _RefusalError(400, f"{name} must be a whole number, got {query[name]!r}")
        numbers[name] = int(query.get(name, default))
    kept, dropped = fake.calls.snapshot()
    start = max(0, numbers["after"] - dropped)
    shown = [call_as_json(dropped + start + index + 1, call) for index, call in enumerate(kept[start : start + numbers["count"]])]
    return {"calls": shown, "dropped": dropped, "last": dropped + len(kept)}


def call_as_json(number: int, call: Call) -> dict[str, Any]:
    """Return a call as a JSON object of the admin API."""
    names = ("operation", "parameters", "response", "error", "region", "account", "principal", "time", "attempts", "passed_on")
    return {"number": number} | {name: getattr(call, name) for name in names} | {"faults": [fault.label for fault in list(call.faults)]}


def state_of(fake: Any) -> dict[str, Any]:
    """Return the resources of a world, by account and region."""
    places = []
    with fake.service.hosting.lock:
        for world in fake.service.store.worlds():
            place: dict[str, Any] = {"account": world.scope.account, "region": world.scope.region}
            for collection in world.collections():
                place[f"{collection.kind.slug.replace('-', '_')}s"] = [
                    {"name": kept.name, "arn": kept.arn, "created": kept.created, "tags": kept.tags, "request": dict(kept)}
                    | ({"status": kept.status} if hasattr(kept, "status") else {})
                    for kept in collection.by_name.values()
                ]
            places.append(place)
    return {"now": fake.clock.now(), "places": places}
