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
"""Maximum bytes for sizes, extensions and trailers of a chunked body, beside an eighth of the body itself."""

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
_HEADER = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_ABSOLUTE = re.compile(r"https?://(?P<host>[^/?#]+)(?P<path>[^#]*)", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
ONCE = ("host", "content-length", "transfer-encoding", "content-type", "x-amz-target", "authorization")
"""Headers that may come only once: two readers could each take another one of two."""
_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. Header names are in lower case.

    `read_timeout` is the read timeout of its client in seconds. `target` is path and query as sent, if the URL differs because its
    first part named the fake that answers. `sent_from` is the line that sent the request, if the stack does not show it.
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
        """Host name, with the port unless it is the scheme's default: the value of the `Host` header."""
        parts = urlsplit(self.url)
        return parts.netloc.removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ""))

    @property
    def signed_target(self) -> str:
        """Path and query as they were signed."""
        parts = urlsplit(self.url)
        return self.target or (f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")

    @property
    def scope(self) -> tuple[str, str, str]:
        """Access key, region and service of the signature; empty strings if there is no signature."""
        text = self.headers.get("authorization", "")
        if not text and "X-Amz-Credential" in self.url:
            text = "Credential=" + unquote(parse_qs(urlsplit(self.url).query).get("X-Amz-Credential", [""])[0])
        match = _SCOPE.search(text)
        return (match["key"], match["region"], match["service"]) if match else ("", "", "")


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response. `call` is the call that it answers, or None."""

    status: int
    headers: dict[str, str]
    body: bytes
    call: Call | None = field(default=None, compare=False, repr=False)

    @property
    def is_cut_short(self) -> bool:
        """Whether the body is shorter than the headers announce."""
        return int(self.headers.get("Content-Length", len(self.body))) > len(self.body)


class BrokenConnection(Exception):  # noqa: N818  # internal: the transport raises the client's own error in its place
    """A broken connection instead of a response to a call. `how` is the code of the failure, such as `connection-reset`."""

    def __init__(self, how: str, call: Call) -> None:
        super().__init__(how)
        self.how = how
        self.call = call


class MalformedError(Exception):
    """Malformed bytes instead of a request. The connection has to be closed."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Parser:
    """Parses the requests in the bytes of a connection, as they arrive.

    Attributes:
        started: whether a request has begun and is incomplete.
        expects: whether its client waits for `100 Continue` before it sends the body.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._head: Head | None = None
        self._body: Iterator[bytes | None] | None = None
        self.expects = False

    @property
    def started(self) -> bool:
        """Return whether a request has begun and is incomplete."""
        return self._head is not None or bool(self._bytes)

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        self._bytes += data

    def next(self) -> tuple[Head, bytes] | None:
        """Return the head and body of the next request, or None if it is incomplete.

        Raises:
            MalformedError: the bytes are no valid request.
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
        while self._bytes.startswith(b"\r\n"):  # some clients send it after a body
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
        """Yield None until the body is complete, then the body."""
        if head.chunked:
            yield from self._read_chunks(head)
        if head.length > MAX_BODY:
            head.unread = head.length
            yield b" " * (MAX_BODY + 1)  # over the maximum, so that it is refused for its size
        while len(self._bytes) < head.length:
            yield None
        yield self._take(head.length)

    def _read_chunks(self, head: Head) -> Iterator[bytes | None]:
        body, framing_left = bytearray(), MAX_FRAMING
        while True:
            line = yield from self._read_line(framing_left)
            framing_left -= len(line) + 4
            chunk = _CHUNK.fullmatch(line)
            if chunk is None:
                raise MalformedError("The size of a chunk is malformed")
            size = int(chunk[1], 16)
            if size == 0:
                break
            if len(body) + size > MAX_BODY:
                head.unread = size
                yield b" " * (MAX_BODY + 1)
            while len(self._bytes) < size + 2:
                yield None
            body += self._take(size)
            framing_left += size // 8
            if self._take(2) != b"\r\n":
                raise MalformedError("A chunk does not have its announced size")
        while line := (yield from self._read_line(framing_left)):  # trailers: no client of AWS sends one that matters
            framing_left -= len(line) + 2
            if not _HEADER.fullmatch(line):
                raise MalformedError("A trailer is malformed")
        yield bytes(body)

    def _read_line(self, maximum: int) -> Generator[bytes | None, None, bytes]:
        """Yield None until a line is complete, then return it."""
        while (end := self._bytes.find(b"\r\n")) < 0:
            if len(self._bytes) > maximum:
                break
            yield None
        if end < 0 or end > maximum:
            raise MalformedError("The framing of the body is too long")
        return self._take(end + 2)[:-2]

    def _take(self, size: int) -> bytes:
        taken = bytes(self._bytes[:size])
        del self._bytes[:size]
        return taken


class Head:
    """The head of a request.

    Attributes:
        method: the method, as sent.
        target: path and query, also if a whole URL was sent.
        headers: the values by name in lower case. Values of the same name are joined.
        keeps: whether the connection is kept open after the answer.
        unread: number of bytes of the body that were not read, because it is too large.
    """

    def __init__(self, lines: list[bytes]) -> None:
        request = _REQUEST.fullmatch(lines[0])
        if request is None:
            raise MalformedError("The request line is malformed")
        if request[3] != b"1":
            raise MalformedError("The HTTP version is not 1.1", 505)
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
        """Return path and query of a request target. The host of a whole URL must equal the Host header."""
        if target.startswith("/"):
            return target
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise MalformedError("The request target is neither a path nor a URL")
        if absolute["host"].lower() != self.headers.setdefault("host", absolute["host"]).lower():
            raise MalformedError("The host in the request target differs from the Host header")
        path = absolute["path"]
        return path if path.startswith("/") else f"/{path}"

    def _framing(self) -> tuple[int, bool]:
        length, encoding = self.headers.get("content-length"), self.headers.get("transfer-encoding")
        if encoding is not None:
            if length is not None or self.is_old:
                raise MalformedError("The length of the body is ambiguous or malformed")
            if encoding.lower() != "chunked":
                raise MalformedError("The transfer encoding is not chunked", 501)
            return 0, True
        if length is not None and not (length.isascii() and length.isdigit() and len(length) <= 18):
            raise MalformedError("The length of the body is ambiguous or malformed")
        return int(length or 0), False

    def request(self, body: bytes) -> Request:
        """Return the request with its body."""
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
    """Return the bytes of the answer to a malformed request."""
    body = text.encode()
    head = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: text/plain",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body
