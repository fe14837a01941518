"""HTTP requests and responses, and a parser of HTTP/1.1 (RFC 9112) without I/O. Ambiguous requests are refused."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from pytest_smfake.service.calls import Call

MAX_BODY = 6 * 1024 * 1024
"""Bytes of a request body (assumed; the longest single member, a pipeline's definition, may have 1 MiB)."""
MAX_LINE = 16 * 1024
"""Bytes of a request line."""
MAX_HEAD = 64 * 1024
"""Bytes of a request line and its headers."""
MAX_FRAMING = 8 * 1024
"""Bytes that the sizes, extensions and trailers of a body in chunks may take beside an eighth of the body itself."""

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
_HEADER = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_ABSOLUTE = re.compile(r"https?://(?P<host>[^/?#]+)(?P<path>[^#]*)", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
ONCE = ("host", "content-length", "transfer-encoding", "content-type", "x-amz-target", "authorization")
"""Headers that say something else to each reader who takes another one of two."""
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


class MalformedError(Exception):
    """Bytes that are no request; the connection is of no more use."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Parser:
    """Takes the bytes of a connection as they come, and gives the requests that they hold.

    Attributes:
        started: whether a request has begun and is not whole.
        expects: whether its client waits for a word before it sends the body.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._head: Head | None = None
        self._body: Iterator[bytes | None] | None = None
        self.expects = False

    @property
    def started(self) -> bool:
        """Whether a request has begun and is not whole."""
        return self._head is not None or bool(self._bytes)

    def feed(self, data: bytes) -> None:
        """Add what came."""
        self._bytes += data

    def next(self) -> tuple[Head, bytes] | None:
        """Return a request's head and body, None until more of it has come.

        Raises:
            MalformedError: it is none.
        """
        if self._head is None:
            self._head = self._read_head()
            if self._head is None:
                return None
            self._body = self._read_body(self._head)
            self.expects = self._head.expects
        body = next(self._body) if self._body is not None else None
        if body is None:
            return None
        head, self._head, self._body, self.expects = self._head, None, None, False
        return head, body

    def _read_head(self) -> Head | None:
        while self._bytes.startswith(b"\r\n"):  # which some clients send after a body
            del self._bytes[:2]
        end = self._bytes.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            line = self._bytes.find(b"\n", 0, MAX_LINE)
            if line < 0 and len(self._bytes) > MAX_LINE:
                raise MalformedError("The request line is too long", 414)
            if len(self._bytes) >= MAX_HEAD:
                raise MalformedError("The headers are too long", 413)
            if line == 0 or (line > 0 and self._bytes[line - 1] != 13):
                raise MalformedError("A line ends without a carriage return")
            return None
        lines = bytes(self._bytes[:end]).split(b"\r\n")
        del self._bytes[: end + 4]
        return Head(lines)

    def _read_body(self, head: Head) -> Iterator[bytes | None]:
        """Yield None until the body is whole, and then the body."""
        if head.chunked:
            yield from self._read_chunks(head)
        if head.length > MAX_BODY:
            head.unread = head.length
            yield b" " * (MAX_BODY + 1)  # it is refused for its size, whatever it says
        while len(self._bytes) < head.length:
            yield None
        yield self._take(head.length)

    def _read_chunks(self, head: Head) -> Iterator[bytes | None]:
        body, room = bytearray(), MAX_FRAMING
        while True:
            line = yield from self._read_line(room)
            room -= len(line) + 4
            chunk = _CHUNK.fullmatch(line)
            if chunk is None:
                raise MalformedError("The size of a chunk cannot be told")
            size = int(chunk[1], 16)
            if size == 0:
                break
            if len(body) + size > MAX_BODY:
                head.unread = size
                yield b" " * (MAX_BODY + 1)
            while len(self._bytes) < size + 2:
                yield None
            body += self._take(size)
            room += size // 8
            if self._take(2) != b"\r\n":
                raise MalformedError("A chunk is not as long as it says")
        while line := (yield from self._read_line(room)):  # trailers, of which nothing that a client of AWS sends has a meaning
            room -= len(line) + 2
            if not _HEADER.fullmatch(line):
                raise MalformedError("A trailer is malformed")
        yield bytes(body)

    def _read_line(self, room: int) -> Generator[bytes | None, None, bytes]:
        """Yield None until there is a line, and return it."""
        while (end := self._bytes.find(b"\r\n")) < 0:
            if len(self._bytes) > room:
                break
            yield None
        if end < 0 or end > room:
            raise MalformedError("The framing of the body is too long")
        return self._take(end + 2)[:-2]

    def _take(self, size: int) -> bytes:
        taken = bytes(self._bytes[:size])
        del self._bytes[:size]
        return taken


class Head:
    """The head of a request.

    Attributes:
        method, target: as they were sent; the target is a path, whatever form it had.
        headers: by name in lower case; values of one name are joined.
        keeps: whether the connection is kept after the answer.
        unread: how much of the body is not read, since it is over the bound.
    """

    def __init__(self, lines: list[bytes]) -> None:
        request = _REQUEST.fullmatch(lines[0])
        if request is None:
            raise MalformedError("The request line is malformed")
        if request[3] != b"1":
            raise MalformedError("The version of HTTP is not 1.1", 505)
        self.method = request[1].decode()
        if not self.method.isupper():
            raise MalformedError("The method is malformed")
        self.is_old = request[4] == b"0"
        self.headers: dict[str, str] = {}
        for line in lines[1:]:
            header = _HEADER.fullmatch(line)
            if header is None:
                raise MalformedError("A header is malformed")
            name, value = header[1].decode().lower(), header[2].decode("latin-1")
            if name in self.headers:
                if name in ONCE:
                    raise MalformedError(f"There are two {header[1].decode()} headers")
                value = f"{self.headers[name]}, {value}"
            self.headers[name] = value
        if "host" not in self.headers and not self.is_old:
            raise MalformedError("There is no Host header")
        self.target = self._path_of(request[2].decode())
        self.length, self.chunked = self._framing()
        self.unread = 0
        options = {option.strip().lower() for option in self.headers.get("connection", "").split(",")}
        self.keeps = "keep-alive" in options if self.is_old else "close" not in options
        self.expects = not self.is_old and bool(self.length or self.chunked) and self.headers.get("expect", "").lower() == "100-continue"

    def _path_of(self, target: str) -> str:
        """Return the path and query of a request target, whose host, if it has one, is that of the header."""
        if target.startswith("/"):
            return target
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise MalformedError("The target of the request is no path")
        if absolute["host"].lower() != self.headers.setdefault("host", absolute["host"]).lower():
            raise MalformedError("The target of the request names another host than the Host header")
        path = absolute["path"]
        return path if path.startswith("/") else f"/{path}"

    def _framing(self) -> tuple[int, bool]:
        length, encoding = self.headers.get("content-length"), self.headers.get("transfer-encoding")
        if encoding is not None:
            if length is not None or self.is_old:
                raise MalformedError("The length of the body cannot be told")
            if encoding.lower() != "chunked":
                raise MalformedError("The transfer encoding is not chunked", 501)
            return 0, True
        if length is not None and not (length.isascii() and length.isdigit() and len(length) <= 18):
            raise MalformedError("The length of the body cannot be told")
        return int(length or 0), False

    def request(self, body: bytes) -> Request:
        """Return the request as the fake takes it."""
        return Request(self.method, f"http://{self.headers.get('host', 'localhost')}{self.target}", self.headers, body)


def response_bytes(response: Response, head: Head, *, keeps: bool) -> bytes:
    """Return a response as bytes."""
    phrase = HTTPStatus(response.status).phrase if response.status in HTTPStatus._value2member_map_ else ""
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in response.headers.items())]
    if not keeps:
        lines.append("Connection: close")
    elif head.is_old:
        lines.append("Connection: Keep-Alive")
    body = b"" if head.method == "HEAD" else response.body
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def malformed_response(status: int, text: str) -> bytes:
    """Return the answer to bytes that are no request."""
    body = text.encode()
    head = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: text/plain",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body
