"""`smfake serve`: the fake as a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import queue
import re
import secrets
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pytest_smfake.rules.inputs import pair
from pytest_smfake.rules.rule import EDITIONS
from pytest_smfake.settings import DEFAULTS

if TYPE_CHECKING:
    from pytest_smfake.fake import FakeSageMaker

PORT = 4577
CALLS = 10_000
"""How many calls the log of a world keeps, unless told otherwise."""
HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_-])?")
LOG_LINES = 10_000
"""Lines of the access log that wait for a reader who is slow; more of them are left out, and counted."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `smfake serve` takes."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, which only this machine reaches)")
    parser.add_argument("--port", type=int, default=PORT, help=f"port to listen on, 0 for any that is free (default: {PORT})")
    parser.add_argument(
        "--host-name",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which clients reach the server, such as that of a container; other names than localhost are refused; repeatable",
    )
    parser.add_argument("--edition", choices=EDITIONS, default=DEFAULTS["edition"], help="page (default) or sdk")
    parser.add_argument("--region", default=DEFAULTS["region"], help="region of a call that names none")
    parser.add_argument("--account", default=DEFAULTS["account"], help="account of credentials that name none")
    parser.add_argument("--limit", action="append", default=[], metavar="KEY=BOUND", help="an account limit, such as models=5; repeatable")
    parser.add_argument(
        "--rule", action="append", default=[], metavar="ID=BOUND", help="a rule to override (off: switched off); repeatable"
    )
    parser.add_argument("--auth", choices=("lenient", "strict"), default=DEFAULTS["auth"], help="strict verifies signatures")
    parser.add_argument("--key", action="append", default=[], metavar="ID:SECRET[:ACCOUNT]", help="a key pair that is known; repeatable")
    parser.add_argument("--calls", type=int, default=CALLS, metavar="N", help=f"calls that the log of a world keeps (default: {CALLS})")
    parser.add_argument("--admin", action="store_true", help="offer the admin API, which needs the token that is printed")
    parser.add_argument("--token", help="the token of the admin API (default: a new one each time)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="write what every world holds to a file when the server stops")
    parser.add_argument(
        "--log", choices=("json", "none"), default="json", help="the access log on standard error (default: json, a line each)"
    )


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the default world.

    Raises:
        ValueError: an option of no known form.
    """
    keys = {}
    for text in options.key:
        name, *rest = text.split(":")
        if not name or len(rest) not in (1, 2) or not rest[0]:
            raise ValueError(f"--key {text!r} is not of the form ID:SECRET or ID:SECRET:ACCOUNT")
        keys[name] = {"secret": rest[0]} | ({"account": rest[1]} if len(rest) > 1 else {})
    limits = dict(_pair("--limit", text) for text in options.limit)
    rules = dict(_pair("--rule", text) for text in options.rule)
    settings = {"edition": options.edition, "region": options.region, "account": options.account, "auth": options.auth}
    return settings | {"limits": limits, "rules": rules, "keys": keys}


def _pair(option: str, text: str) -> tuple[str, Any]:
    try:
        return pair(text)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None


def _check(options: argparse.Namespace) -> None:
    """Check options that no other part of the package reads.

    Raises:
        ValueError: one cannot be.
    """
    from pytest_smfake.rules.inputs import check_place

    if not 0 <= options.port <= 65535:
        raise ValueError(f"--port {options.port} is not a port, which is a number from 0 to 65535")
    if options.calls < 1:
        raise ValueError(f"--calls {options.calls} is not how many calls are kept: a number of at least 1")
    if options.state is not None:
        if not options.state.parent.is_dir():
            raise ValueError(f"--state: {options.state} cannot be written: {options.state.parent} is no directory")
        try:
            check_place(options.state)
        except ValueError as error:
            raise ValueError(f"--state: {error}") from None
    for name in options.host_name:
        if not HOST_NAME.fullmatch(name):
            raise ValueError(f"--host-name {name!r} is not the name of a host, such as build-7: no scheme, no port, no *")
    if options.closed:
        raise ValueError("the standard output is closed, so that nobody would learn that the server is ready, and where")
    if options.token is not None and not options.admin:
        raise ValueError("--token is the token of the admin API, which needs --admin")
    try:
        socket.getaddrinfo(options.host, options.port)
    except OSError as error:
        raise ValueError(f"--host {options.host!r} is not an address of this machine: {error}") from None


def run_server(options: argparse.Namespace) -> int:
    """Serve until a signal says otherwise; return the exit code.

    Raises:
        ValueError: an option that cannot be, or an address that cannot be listened on.
    """
    from pytest_smfake.rules.inputs import write_whole

    from .admin import Admin, state_of
    from .worlds import DEFAULT, Server

    _check(options)

    def make(settings: dict[str, Any]) -> FakeSageMaker:
        return world(settings, options.calls)

    done = threading.Event()

    def stop(number: int, _: object) -> None:
        if done.is_set():
            os._exit(128 + number)  # the second one: nothing is waited for, and nothing written
        done.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    logging.getLogger("pytest_smfake").addHandler(logging.StreamHandler(sys.stdout))  # standard error is the access log's alone
    log = AccessLog(sys.stderr) if options.log == "json" and sys.stderr is not None else None
    server = Server(options.host, options.port, log=log, host_names=options.host_name)
    server.worlds[DEFAULT] = make(settings_of(options))
    try:
        server.__enter__()
    except OSError as error:
        raise ValueError(f"{options.host} port {options.port} cannot be listened on: {error}") from None
    if options.host not in LOOPBACK:
        print(f"smfake: {options.host} is reached by other machines, too; whoever reaches it may use it", flush=True)
    if options.admin:
        token = options.token or secrets.token_urlsafe(24)
        server.admin = Admin(server, token, make)
        print(f"smfake admin token: {token}", flush=True)
    print(f"smfake ready: {server.url} (edition {options.edition})", flush=True)
    done.wait()
    server.__exit__()
    if options.state:
        state = {"worlds": {name: state_of(fake) for name, fake in sorted(server.worlds.items())}}
        try:
            write_whole(options.state, json.dumps(state, indent=1))
        except OSError as error:
            raise ValueError(f"--state: {options.state} could not be written: {error.strerror}") from None
    if log is not None:
        log.close()
    print("smfake stopped", flush=True)
    return 0


def world(settings: dict[str, Any], calls: int = CALLS) -> FakeSageMaker:
    """Return the fake of a world, whose log keeps that many calls.

    Raises:
        ValueError: settings that cannot be.
    """
    from pytest_smfake.fake import FakeSageMaker

    fake = FakeSageMaker(**settings)
    fake.service.kept = calls
    fake.reset()
    return fake


class AccessLog:
    """Writes the access log on a thread of its own: a reader that is slow, or gone, holds up no request.

    Args:
        stream: where the lines go, a JSON object each.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(LOG_LINES)
        self._left_out = 0
        self._thread = threading.Thread(target=self._write, name="smfake-server-log", daemon=True)
        self._thread.start()

    def __call__(self, entry: dict[str, Any]) -> None:
        """Add an entry."""
        try:
            self._lines.put_nowait(json.dumps(entry))
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """Write what waits, as far as somebody reads it within a second."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=1)
            self._thread.join(1)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._left_out:
                line += f'\n{{"left_out": {self._left_out}}}'
                self._left_out = 0
            try:
                self._stream.write(f"{line}\n")  # in one piece, since other threads may write to it, too
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                return
