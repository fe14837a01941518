"""An HTTP request and its response, apart from the client that sends it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from pytest_smfake.service.calls import Call

_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; header names are in lower case.

    `read_timeout` is how many seconds its client waits for an answer; `target` is path and query as they were sent, where the
    URL's are others since a part of them chose who answers; `sent_from` is the line that sent it, where the stack does not show it.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    read_timeout: float = math.inf
    target: str = ""
    sent_from: str = ""

    @property
    def host(self) -> str:
        """Host name, without a port."""
        return urlsplit(self.url).hostname or ""

    @property
    def netloc(self) -> str:
        """Host name, with a port unless it is the scheme's own: what the `Host` header says."""
        parts = urlsplit(self.url)
        return parts.netloc.removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ""))

    @property
    def signed_target(self) -> str:
        """Path and query, as the signature has them."""
        parts = urlsplit(self.url)
        return self.target or (f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")

    @property
    def scope(self) -> tuple[str, str, str]:
        """Access key, region and service of the signature, each empty where there is none."""
        text = self.headers.get("authorization", "")
        if not text and "X-Amz-Credential" in self.url:
            text = "Credential=" + unquote(parse_qs(urlsplit(self.url).query).get("X-Amz-Credential", [""])[0])
        match = _SCOPE.search(text)
        return (match["key"], match["region"], match["service"]) if match else ("", "", "")


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; `call` is the call that it answers, if it is one's."""

    status: int
    headers: dict[str, str]
    body: bytes
    call: Call | None = field(default=None, compare=False, repr=False)

    @property
    def is_cut_short(self) -> bool:
        """Whether the body is shorter than the headers announce."""
        return int(self.headers.get("Content-Length", len(self.body))) > len(self.body)


class BrokenConnection(Exception):  # noqa: N818  # no error of ours: the transport raises the client's own in its place
    """Instead of a response to a call: the connection broke, and `how` names in which way."""

    def __init__(self, how: str, call: Call) -> None:
        super().__init__(how)
        self.how = how
        self.call = call
