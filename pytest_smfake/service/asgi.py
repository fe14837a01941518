"""An ASGI app as a container, on an event loop of its own: the test may run inside another."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from .containers import OK, Reply, reply_of, request_headers

if TYPE_CHECKING:
    from .standins import Invocation

VERSIONS = {"version": "3.0", "spec_version": "2.3"}


class Asgi:
    """An ASGI app; `scope["state"]["invocation"]` tells it what it plays. Its lifespan begins with the first request."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {}
        self._ending = asyncio.Event()
        self._lifespan: asyncio.Future[None] | None = None

    def ping(self) -> bool:
        """Whether `GET /ping` answers 200."""
        return self._request("GET", "/ping", {}, b"", None)[0] == OK

    def invoke(self, body: bytes, content_type: str, accept: str, invocation: Invocation) -> Reply:
        """Send `POST /invocations`."""
        headers = request_headers(body, content_type, accept, invocation)
        return reply_of(*self._request("POST", "/invocations", headers, body, invocation))

    def close(self) -> None:
        """End the app's lifespan and its event loop."""
        with self._lock:
            if self._loop is not None:
                self._run(self._loop, self._shut_down())
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._loop = self._lifespan = None
                self._ending = asyncio.Event()
                self._state = {}

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, invocation: Invocation | None
    ) -> tuple[int, dict[str, str], bytes]:
        scope = {
            "type": "http",
            "asgi": VERSIONS,
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in {"Host": "localhost:8080", **headers}.items()],
            "client": ("127.0.0.1", 8080),
            "server": ("127.0.0.1", 8080),
        }
        with self._lock:
            if self._loop is None:
                self._loop = _new_loop()
                self._run(self._loop, self._start_up())
            loop = self._loop
        result: tuple[int, dict[str, str], bytes] = self._run(loop, self._answer(scope, body, invocation))
        return result

    async def _answer(self, scope: dict[str, Any], body: bytes, invocation: Invocation | None) -> tuple[int, dict[str, str], bytes]:
        scope["state"] = self._state | {"invocation": invocation}
        incoming = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return incoming.pop() if incoming else {"type": "http.disconnect"}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self._app(scope, receive, send)
        start = next(event for event in sent if event["type"] == "http.response.start")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start.get("headers") or ()}
        return start["status"], headers, b"".join(event.get("body", b"") for event in sent if event["type"] == "http.response.body")

    async def _start_up(self) -> None:
        """Begin the app's lifespan; an app that knows of none goes without (ASGI specification, lifespan protocol)."""
        started: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        asked = [False]

        async def receive() -> dict[str, Any]:
            if not asked[0]:
                asked[0] = True
                return {"type": "lifespan.startup"}
            await self._ending.wait()
            return {"type": "lifespan.shutdown"}

        async def send(event: dict[str, Any]) -> None:
            if event["type"].startswith("lifespan.startup") and not started.done():
                started.set_result(event.get("message", "startup failed") if event["type"].endswith("failed") else None)

        async def live() -> None:
            try:
                await self._app({"type": "lifespan", "asgi": VERSIONS, "state": self._state}, receive, send)
            except Exception:  # noqa: BLE001  # by the specification an error here means that lifespan is not supported
                self._state.clear()
            if not started.done():
                started.set_result(None)

        self._lifespan = asyncio.ensure_future(live())
        if (failure := await started) is not None:
            raise RuntimeError(failure)

    async def _shut_down(self) -> None:
        if self._lifespan is not None:
            self._ending.set()
            await self._lifespan

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop, in the context of the caller, and wait for it."""
        done: Future[Any] = Future()

        async def run() -> None:
            try:
                done.set_result(await coroutine)
            except BaseException as error:  # noqa: BLE001  # handed to the caller, who waits
                done.set_exception(error)

        tasks: list[asyncio.Task[None]] = []
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(run())), context=contextvars.copy_context())
        return done.result()


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()

    def run() -> None:
        loop.run_forever()
        loop.close()

    threading.Thread(target=run, name="smfake-asgi", daemon=True).start()
    return loop
