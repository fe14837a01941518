"""No look-up of a name of AWS, no tunnel and no TLS handshake while a fake is active, whoever the client. Nothing here leaves loopback."""

from __future__ import annotations

import _socket
import asyncio
import gzip
import http.client
import json
import re
import socket
import ssl
import threading
import urllib.request
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import getaddrinfo as imported_before
from urllib.parse import urlsplit

import boto3
import botocore
import pytest
import urllib3
from botocore.config import Config

from pytest_smfake import FakeSageMaker, NetworkBlockedError
from pytest_smfake.clients import guard
from pytest_smfake.clients import guard as names
from pytest_smfake.protocol.active import servers

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed")
httpcore = pytest.importorskip("httpcore", reason="httpx is not installed")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")
moto = pytest.importorskip("moto", reason="moto is not installed")
requests = pytest.importorskip("requests", reason="requests is not installed")
requests_mock = pytest.importorskip("requests_mock", reason="requests-mock is not installed")
responses = pytest.importorskip("responses", reason="responses is not installed")
socks = pytest.importorskip("socks", reason="PySocks is not installed")

NAME = "files.s3.amazonaws.com"
RETRIES = urllib3.Retry(3, backoff_factor=0)


class Server(ThreadingHTTPServer):
    """A server, or a proxy, on loopback that notes who connects and what is asked."""

    daemon_threads = True

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self):  # the name is http.server's
            self.server.asked.append(self.requestline)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def do_CONNECT(self):  # likewise; what comes through the tunnel is answered here
            self.server.asked.append(self.requestline)
            self.send_response(200)
            self.end_headers()
            self.close_connection = False  # http.client asks in HTTP/1.0

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.port = self.server_address[1]
        self.asked = []
        self.connections = 0

    def process_request(self, *arguments):
        self.connections += 1
        super().process_request(*arguments)


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Beneath:
    """What lies beneath the guard: `known` names are on loopback; that others arrive is a failure."""

    def __init__(self):
        self.known = set()
        self.arrived = []

    def __call__(self, host):
        host = host.decode() if isinstance(host, bytes) else host
        if host in ("127.0.0.1", "localhost", "", None):
            return host
        self.arrived.append(host)
        assert host in self.known
        return "127.0.0.1"


@pytest.fixture(autouse=True)
def beneath(monkeypatch):
    beneath = Beneath()

    def named(original, host, *arguments):
        return original(beneath(host), *arguments)

    def addressed(original, index):
        def method(self, *arguments):
            if len(arguments) > index and isinstance(arguments[index], tuple):
                beneath(arguments[index][0])
            return original(self, *arguments)

        return method

    monkeypatch.setattr(_socket, "getaddrinfo", partial(named, _socket.getaddrinfo))
    for name in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        monkeypatch.setattr(socket, name, partial(named, getattr(socket, name)))
    for name, index in (("connect", 0), ("connect_ex", 0), ("bind", 0), ("sendto", -1), ("sendmsg", 3)):
        monkeypatch.setattr(socket.socket, name, addressed(getattr(socket.socket, name), index))
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    yield beneath
    assert set(beneath.arrived) <= beneath.known


@pytest.fixture
def refusals(monkeypatch):
    """Each refusal that was made."""
    made = []

    def init(self, *arguments):
        made.append(arguments)
        RuntimeError.__init__(self, *arguments)

    monkeypatch.setattr(NetworkBlockedError, "__init__", init)
    return made


def by_http_client(url, proxy=None):
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = "/"
    if proxy is None:
        connection = kind(parts.hostname, parts.port)
    else:
        connection = kind(*urlsplit(proxy).netloc.split(":"))
        if parts.scheme == "https":
            connection.set_tunnel(parts.hostname, 443)
        else:
            target = url
    try:
        connection.request("GET", target)
        return connection.getresponse().status
    finally:
        connection.close()


def by_urllib(url, proxy=None):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({} if proxy is None else {"http": proxy, "https": proxy}))
    with opener.open(url) as answer:
        return answer.status


def by_urllib3(url, proxy=None):
    if proxy is None:
        manager = urllib3.PoolManager(retries=RETRIES)
    elif proxy.startswith("socks"):
        from urllib3.contrib.socks import SOCKSProxyManager

        manager = SOCKSProxyManager(proxy, retries=RETRIES)
    else:
        manager = urllib3.ProxyManager(proxy, retries=RETRIES)
    with manager:
        return manager.request("GET", url).status


def by_requests(url, proxy=None):
    with requests.Session() as session:
        for prefix in ("http://", "https://"):
            session.mount(prefix, requests.adapters.HTTPAdapter(max_retries=RETRIES))
        return session.get(url, proxies={"http": proxy, "https": proxy}, timeout=5).status_code


def by_requests_mock(url, proxy=None):
    with requests_mock.Mocker(real_http=True):
        return by_requests(url, proxy)


def by_httpx(url, proxy=None):
    with httpx.Client(transport=httpx.HTTPTransport(retries=3, proxy=proxy)) as client:
        return client.get(url).status_code


def by_async_httpx(url, proxy=None):
    async def get():
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=3, proxy=proxy)) as client:
            return (await client.get(url)).status_code

    return asyncio.run(get())


def by_aiohttp(url, proxy=None):
    async def get():
        async with aiohttp.ClientSession() as session, session.get(url, proxy=proxy) as answer:
            return answer.status

    return asyncio.run(get())


def by_boto3(url, proxy=None):
    config = Config(proxies={"http": proxy, "https": proxy}, retries={"total_max_attempts": 4}, s3={"addressing_style": "path"})
    return boto3.client("s3", region_name="us-east-1", endpoint_url=url, config=config).list_buckets()


def by_pysocks(url, proxy):
    parts = urlsplit(proxy)
    with socks.socksocket() as connection:
        connection.set_proxy(socks.SOCKS5, parts.hostname, parts.port)
        connection.connect((urlsplit(url).hostname, 443))


CLIENTS = [by_http_client, by_urllib, by_urllib3, by_requests, by_requests_mock, by_httpx, by_async_httpx, by_aiohttp]
SOCKS = [by_pysocks, by_urllib3, by_requests, by_httpx, by_async_httpx]
SENTENCE = re.compile(
    rf".*{NAME} was not .*: while a FakeSageMaker is active no AWS call leaves the process\. "
    rf"Answer it with moto \(mock_aws\), or allow the host: allow=\['{NAME}'\]"
)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("client", [*CLIENTS, by_boto3])
@pytest.mark.parametrize("proxied", [False, True])
def test_a_client_is_refused_once(client, scheme, proxied, server, beneath, refusals):
    with FakeSageMaker(), pytest.raises(NetworkBlockedError) as caught:
        client(f"{scheme}://{NAME}/", f"http://127.0.0.1:{server.port}" if proxied else None)
    assert type(caught.value) is NetworkBlockedError
    assert SENTENCE.fullmatch(str(caught.value))
    assert len(refusals) == 1
    assert (server.connections, server.asked, beneath.arrived) == (0, [], [])


@pytest.mark.parametrize("client", SOCKS)
def test_socks(client, server, beneath, refusals):
    with FakeSageMaker(), pytest.raises(NetworkBlockedError, match=f"^{NAME} was not reached through a proxy: "):
        client(f"https://{NAME}/", f"socks5{'h' if client in (by_urllib3, by_requests) else ''}://127.0.0.1:{server.port}")
    assert (len(refusals), server.connections, beneath.arrived) == (1, 0, [])


def test_socks_by_datagram(server):
    with socks.socksocket(type=socket.SOCK_DGRAM) as connection:
        connection.set_proxy(socks.SOCKS5, "127.0.0.1", server.port)
        with FakeSageMaker(), pytest.raises(NetworkBlockedError, match="through a proxy"):
            connection.sendto(b"", (NAME, 443))
    assert server.connections == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_pool_of_httpcore_with_a_proxy(is_async, scheme, server):
    proxy = httpcore.Proxy(f"http://127.0.0.1:{server.port}")

    def get():
        with httpcore.ConnectionPool(proxy=proxy) as pool:
            pool.request("GET", f"{scheme}://{NAME}/")

    async def async_get():
        async with httpcore.AsyncConnectionPool(proxy=proxy) as pool:
            await pool.request("GET", f"{scheme}://{NAME}/")

    with FakeSageMaker(), pytest.raises(NetworkBlockedError, match="through a proxy"):
        asyncio.run(async_get()) if is_async else get()
    assert server.connections == 0


@pytest.mark.parametrize("pattern", [NAME, "*.amazonaws.com", "Files.S3.AmazonAWS.com:{}", "*"])
@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_allowed_passes(client, pattern, server, beneath):
    beneath.known.add(NAME)
    with FakeSageMaker(allow=[pattern.format(server.port)]):
        assert client(f"http://{NAME}:{server.port}/") == 200
        assert client(f"http://{NAME}:{server.port}/", f"http://127.0.0.1:{server.port}") == 200
    assert server.asked == ["GET / HTTP/1.1", f"GET http://{NAME}:{server.port}/ HTTP/1.1"]


@pytest.mark.parametrize("client", CLIENTS)
def test_loopback_passes(client, server):
    with FakeSageMaker():
        assert client(f"http://localhost:{server.port}/") == 200


def test_other_ports_and_hosts_are_not_allowed(beneath):
    beneath.known.add(NAME)
    with FakeSageMaker(allow=[f"{NAME}:9000", "s3.amazonaws.com"]):
        for port in (9000, "9000", b"9000", None, 0):
            assert socket.getaddrinfo(NAME, port)
        assert socket.gethostbyname(NAME) == "127.0.0.1"
        for host, port in ((NAME, 443), (NAME, "https"), ("sqs.amazonaws.com", 9000), ("sqs.amazonaws.com", None)):
            with pytest.raises(NetworkBlockedError):
                socket.getaddrinfo(host, port)
    with FakeSageMaker(allow=[f"{NAME}:443"]):
        assert socket.getaddrinfo(NAME, "https")


def test_a_server_of_a_fake_passes(beneath, monkeypatch):
    beneath.known.add(NAME)
    monkeypatch.setattr(names, "servers", {*servers, f"{NAME}:4577"})
    with FakeSageMaker():
        assert socket.getaddrinfo(NAME, 4577)
        with pytest.raises(NetworkBlockedError):
            socket.getaddrinfo(NAME, 4578)


def with_socket(kind, call):
    def look_up():
        with socket.socket(socket.AF_INET, kind) as plain:
            call(plain)

    return look_up


STREAM, DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
LOOK_UPS = {
    "getaddrinfo": lambda: socket.getaddrinfo(NAME, 443),
    "by keywords": lambda: socket.getaddrinfo(host=NAME, port=443, type=socket.SOCK_STREAM),
    "no port": lambda: socket.getaddrinfo(NAME, None),
    "imported before": lambda: imported_before(NAME, 443),
    "dot": lambda: socket.getaddrinfo(f"{NAME}.", "443"),
    "upper case": lambda: socket.getaddrinfo(NAME.upper(), 443),
    "bytes": lambda: socket.getaddrinfo(NAME.encode(), 443),
    "bytearray": lambda: socket.gethostbyname(bytearray(NAME.encode())),
    "fullwidth": lambda: socket.getaddrinfo("files.ｓ３.amazonaws.com", 443),
    "other dots": lambda: socket.getaddrinfo("files。s3。amazonaws。com", 443),
    "gethostbyname": lambda: socket.gethostbyname(NAME),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex(NAME),
    "gethostbyaddr": lambda: socket.gethostbyaddr(NAME),
    "getfqdn": lambda: socket.getfqdn(NAME),
    "create_connection": lambda: socket.create_connection((NAME, 443)),
    "connect": with_socket(STREAM, lambda plain: plain.connect((NAME, 443))),
    "connect_ex": with_socket(STREAM, lambda plain: plain.connect_ex((NAME, 443))),
    "bind": with_socket(STREAM, lambda plain: plain.bind((NAME, 443))),
    "sendto": with_socket(DATAGRAM, lambda plain: plain.sendto(b"", (NAME, 443))),
    "sendto with flags": with_socket(DATAGRAM, lambda plain: plain.sendto(b"", 0, (NAME, 443))),
    "sendmsg": with_socket(DATAGRAM, lambda plain: plain.sendmsg([b""], [], 0, (NAME, 443))),
    "asyncio": lambda: asyncio.run(asyncio.open_connection(NAME, 443)),
}


@pytest.mark.parametrize("name", LOOK_UPS)
def test_look_ups(name, beneath):
    with FakeSageMaker(), pytest.raises(NetworkBlockedError, match=f"^{NAME} was not "):
        LOOK_UPS[name]()
    assert beneath.arrived == []


def test_somebody_elses_resolver_is_guarded(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("it was asked"))
    with FakeSageMaker(), pytest.raises(NetworkBlockedError):
        socket.getaddrinfo(NAME, 443)


@pytest.mark.parametrize(
    "host",
    [
        "notamazonaws.com",
        "amazonaws.com.example.org",
        "s3-amazonaws.com",
        "docs.aws.amazon.com",
        "console.aws.amazon.com",
        "aws",
        "laws",
        "a.aws.example",
        "127.0.0.1",
        "::1",
        "localhost",
        "",
        ".",
        "é" * 70,
        None,
        7,
        b"\xff",
        b"example.org",
    ],
)
def test_names_of_others(host):
    assert names.aws_name(host) == ""


def test_names_of_every_partition():
    data = Path(botocore.__file__).parent / "data"
    partitions = json.loads((data / "partitions.json").read_text())["partitions"]
    assert names.aws_name("amazonaws.com") == "amazonaws.com"
    suffixes = {outputs[key] for outputs in (entry["outputs"] for entry in partitions) for key in ("dnsSuffix", "dualStackDnsSuffix")}
    assert len(suffixes) >= 9
    assert {suffix for suffix in suffixes if not names.aws_name(f"s3.us-east-1.{suffix}")} == set()


def test_names_of_every_endpoint():
    """No service of the installed botocore is called at a name that passes."""
    data, hosts = Path(botocore.__file__).parent / "data", set()
    for path in data.glob("*/*/endpoint-rule-set-1.json*"):
        text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
        hosts |= set(re.findall(r'"url": ?"https?://([^/"]*)', text))
    fixed = {re.sub(r"\{[^}]*\}", "x", host) for host in hosts if not host.endswith(("nsSuffix}", "#authority}"))}
    assert len(fixed) > 100
    assert {host for host in fixed if not names.aws_name(host)} == {"localhost:8000"}  # DynamoDB Local


@pytest.mark.parametrize("how", ["wrap_bio", "wrap_bio by keyword", "wrap_socket", "wrap_socket by keyword"])
def test_handshakes(how):
    context = ssl.create_default_context()
    ours, theirs = socket.socketpair()

    def wrap_socket(*arguments, **keywords):
        copy = ours.dup()
        try:
            context.wrap_socket(copy, *arguments, **keywords).close()
        finally:
            copy.close()

    with ours, theirs:
        shake = {
            "wrap_bio": lambda name: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), False, name),
            "wrap_bio by keyword": lambda name: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name),
            "wrap_socket": lambda name: wrap_socket(False, False, True, name),
            "wrap_socket by keyword": lambda name: wrap_socket(do_handshake_on_connect=False, server_hostname=name),
        }[how]
        with FakeSageMaker(allow=["sqs.*:443"]):
            shake("example.org")
            shake("sqs.us-east-1.amazonaws.com")
            with pytest.raises(NetworkBlockedError, match=f"^{NAME} was not greeted with a TLS handshake: "):
                shake(NAME)


class Kept:
    """Clients that keep a connection: `open` makes two requests, with a step between them."""

    @staticmethod
    def by_http_client(url, proxy, between):
        connection = http.client.HTTPConnection(*urlsplit(proxy or url).netloc.split(":"))
        if proxy:
            connection.set_tunnel(urlsplit(url).netloc)
        try:
            for step in (between, None):
                connection.request("GET", "/")
                connection.getresponse().read()
                if step:
                    step()
        finally:
            connection.close()

    @staticmethod
    def by_urllib3(url, proxy, between):
        with urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager() as manager:
            manager.request("GET", url)
            between()
            manager.request("GET", url)

    @staticmethod
    def by_requests(url, proxy, between):
        with requests.Session() as session:
            session.get(url, proxies={"http": proxy}, timeout=5)
            between()
            session.get(url, proxies={"http": proxy}, timeout=5)

    @staticmethod
    def by_httpx(url, proxy, between):
        with httpx.Client(proxy=proxy) as client:
            client.get(url)
            between()
            client.get(url)

    @staticmethod
    def by_async_httpx(url, proxy, between):
        async def get():
            async with httpx.AsyncClient(proxy=proxy) as client:
                await client.get(url)
                between()
                await client.get(url)

        asyncio.run(get())

    @staticmethod
    def by_aiohttp(url, proxy, between):
        async def get():
            async with aiohttp.ClientSession() as session:
                await (await session.get(url, proxy=proxy)).read()
                between()
                await (await session.get(url, proxy=proxy)).read()

        asyncio.run(get())


@pytest.mark.parametrize("client", [name for name in vars(Kept) if name.startswith("by_")])
@pytest.mark.parametrize("proxied", [False, True])
def test_a_connection_from_before(client, proxied, server, beneath, monkeypatch):
    """One that ends elsewhere, and one through a proxy, carries nothing on; one to this machine does, without a proxy."""
    beneath.known.add(NAME)
    call = partial(getattr(Kept, client), f"http://{NAME}:{server.port}/", f"http://127.0.0.1:{server.port}" if proxied else None)
    if not proxied:
        with ExitStack() as stack:
            call(lambda: stack.enter_context(FakeSageMaker()))
        assert (server.connections, len(server.asked)) == (1, 2)
        monkeypatch.setattr(guard, "is_loopback", lambda host: host != "127.0.0.1")
    before = len(server.asked)
    with ExitStack() as stack, pytest.raises(NetworkBlockedError, match="through a proxy" if proxied else "over a connection from before"):
        call(lambda: stack.enter_context(FakeSageMaker()))
    assert [line for line in server.asked[before:] if line.startswith("GET")] == server.asked[-1:]


@pytest.mark.parametrize("kind", ["HTTP11Connection", "HTTP2Connection"])
@pytest.mark.parametrize("prefix", ["", "Async"])
def test_both_protocols_of_httpx(prefix, kind):
    """Their connections are told by where they end, which for a test is said by their stream."""
    pytest.importorskip("h2", reason="h2 is not installed")

    class Stream(getattr(httpcore, f"{prefix}MockStream")):
        def get_extra_info(self, info):
            return ("203.0.113.1", 443) if info == "server_addr" else None

        def write(self, *_, **__):
            pytest.fail("it was sent")

    url = httpcore.URL(f"https://{NAME}/")
    connection = getattr(httpcore, prefix + kind)(url.origin, Stream([]))
    with FakeSageMaker(), pytest.raises(NetworkBlockedError, match="over a connection from before"):
        (connection.handle_async_request if prefix else connection.handle_request)(httpcore.Request("GET", url))


def test_a_connection_that_is_gone():
    with socket.socket() as never_connected:
        connection = http.client.HTTPConnection(NAME)
        connection.sock = never_connected
        with FakeSageMaker(), pytest.raises(BrokenPipeError):
            connection.request("GET", "/")


def test_a_connect_by_hand(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with FakeSageMaker():
        for kind in (http.client.HTTPConnection, urllib3.connection.HTTPConnection, urllib3.connection.HTTPSConnection):
            tunnel = kind("127.0.0.1", server.port)
            tunnel.set_tunnel(NAME, 443)
            with pytest.raises(NetworkBlockedError, match="through a proxy"):
                tunnel.connect()
        assert server.connections == 0
        for method, target in (
            ("CONNECT", f"{NAME}:443"),
            ("GET", f"https://{NAME}/"),
            ("GET", f"HTTP://user:secret@{NAME.upper()}.:8080/"),
        ):
            with pytest.raises(NetworkBlockedError, match="through a proxy"):
                connection.request(method, target)
        connection.close()
        connection.request("GET", f"/?url=http://{NAME}/")
        assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize("outside", [False, True])
def test_cassettes_are_left_alone(outside, proxied, server, tmp_path, monkeypatch):
    vcr = pytest.importorskip("vcr", reason="vcrpy is not installed")
    if proxied:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    answer = {"status": {"code": 200, "message": "OK"}, "headers": {"Content-Length": ["2"]}, "body": {"string": "ok"}}
    asked = {"method": "GET", "uri": f"https://{NAME}/", "body": None, "headers": {}}
    cassette = tmp_path / "cassette.json"
    cassette.write_text(json.dumps({"version": 1, "interactions": [{"request": asked, "response": answer}]}))

    @contextmanager
    def playing():
        with vcr.use_cassette(str(cassette), serializer="json", record_mode="none", allow_playback_repeats=True):
            yield

    with ExitStack() as stack:
        for enter in (playing, FakeSageMaker) if outside else (FakeSageMaker, playing):
            stack.enter_context(enter())
        assert requests.get(f"https://{NAME}/", timeout=5).text == "ok"
        assert urllib.request.urlopen(f"https://{NAME}/").read() == b"ok"  # the address stands there
        assert urllib3.PoolManager().request("GET", f"https://{NAME}/").status == 200
        assert httpx.get(f"https://{NAME}/").text == "ok"
        assert by_aiohttp(f"https://{NAME}/") == 200
    assert server.connections == 0


def test_mocks_are_left_alone(beneath):
    with moto.mock_aws(), FakeSageMaker() as fake:
        fake.client("s3").create_bucket(Bucket="bucket")
        assert requests.get("https://bucket.s3.amazonaws.com/", timeout=5).status_code in (200, 403)
    with FakeSageMaker(), responses.RequestsMock() as mock, requests_mock.Mocker() as other:
        other.get(f"https://{NAME}/", text="other")
        assert requests.get(f"https://{NAME}/", timeout=5).text == "other"
        other.stop()
        mock.get(f"https://{NAME}/", body="mine")
        assert requests.get(f"https://{NAME}/", timeout=5).text == "mine"
    assert beneath.arrived == []


def places():
    found = []
    guard.guard_network(lambda owner, name, make: found.append((owner, name, make)))
    for library in (aiohttp, httpcore, socks):
        guard.guard_library(lambda owner, name, make: found.append((owner, name, make)), library)
    return found


def test_all_is_as_before():
    found, missing = places(), object()
    before = [vars(owner).get(name, missing) for owner, name, _ in found]
    with FakeSageMaker():
        kept = [vars(owner)[name] for owner, name, _ in found]
    assert len(found) > 25
    assert not any(replacement is original for replacement, original in zip(kept, before, strict=True))
    assert all(vars(owner).get(name, missing) is original for (owner, name, _), original in zip(found, before, strict=True))


def test_a_replacement_that_somebody_kept_passes_on(beneath):
    beneath.known.add(NAME)
    with FakeSageMaker():
        kept = _socket.getaddrinfo
    assert kept(NAME, 443) == _socket.getaddrinfo("127.0.0.1", 443)
    twice = guard._getaddrinfo(guard._getaddrinfo(_socket.getaddrinfo))
    assert twice(NAME, 443) == kept(NAME, 443)
    with FakeSageMaker(), pytest.raises(NetworkBlockedError):
        kept(NAME, 443)


def test_libraries_that_are_imported_later(pytester, alone):
    pytester.makepyfile("""
        import asyncio
        import sys

        import pytest
        from pytest_smfake import NetworkBlockedError

        def test_it(smfake):
            assert "httpcore" not in sys.modules
            import httpx
            with pytest.raises(NetworkBlockedError, match="through a proxy"):
                httpx.get("https://s3.amazonaws.com/", proxy="http://127.0.0.1:9")
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
