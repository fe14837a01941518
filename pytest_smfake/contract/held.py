"""Clients of a real account: whatever they are used for, they are held to what their target may send, and it knows what they create."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from .reply import Reply, body_of
from .target import SERVICE

if TYPE_CHECKING:
    from .aws import AwsTarget

_NAME = "smfake_name"
"""Where a call keeps the name that it was sent with, for its answer."""


def hold(client: Any, target: AwsTarget, region: str) -> None:
    """Let a target see each call of a client before it is sent, each attempt, and each answer.

    Args:
        client: the client; a test of somebody's own may have it.
        target: the target that it is of.
        region: the region of the client, which need not be the one of the target.
    """
    events = client.meta.events
    events.register_last(f"before-call.{SERVICE}", partial(_before, target, region))
    events.register_first(f"request-created.{SERVICE}", target.take_attempt)
    events.register(f"after-call.{SERVICE}", partial(_after, target, region))


def _before(target: AwsTarget, region: str, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Refuse what a run may not send, and give a model the tag of the run, as `send` does for checks."""
    body = params["body"]
    target.allow(model.name, body.encode() if isinstance(body, str) else bytes(body), region)
    if target.is_sending or model.name not in ("CreateModel", "DeleteModel"):
        return
    request = json.loads(body)
    context[_NAME] = request.get("ModelName")
    if model.name == "CreateModel":
        params["body"] = body_of(target.outgoing(model.name, request))
        target.expect(region, request)


def _after(
    target: AwsTarget, region: str, model: Any, http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any
) -> None:
    """Take note of what was created, or is gone."""
    if _NAME in context:
        error = parsed.get("Error", {})
        reply = Reply(model.name, http_response.status_code, {}, b"", error.get("Code"), error.get("Message", ""), {})
        target.settle((region, context[_NAME]), reply)
