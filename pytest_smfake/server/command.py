"""The command `smfake serve`: the fake as a separate process."""

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
"""Default number of calls in the log of a world."""
HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_-])?")
LOG_LINES = 10_000
"""Maximum number of lines of the access log that wait for a slow reader; further ones are dropped and counted."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `smfake serve`."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, which only this machine can reach)")
    parser.add_argument("--port", type=int, default=PORT, help=f"port to listen on, 0 for any free one (default: {PORT})")
    parser.add_argument(
        "--host-name",
        action="append",
        default=[],
        metavar="NAME",
        help="host name that clients may use, such as the name of a container; without it, only localhost and IP addresses; repeatable",
    )
    parser.add_argument("--edition", choices=EDITIONS, default=DEFAULTS["edition"], help="page (default) or sdk")
    parser.add_argument("--region", default=DEFAULTS["region"], help="region of calls that name none")
    parser.add_argument("--account", default=DEFAULTS["account"], help="account of credentials that name none")
    parser.add_argument("--limit", action="append", default=[], metavar="KEY=BOUND", help="quota, such as models=5; repeatable")
    parser.add_argument("--rule", action="append", default=[], metavar="ID=BOUND", help="rule to override (off: switched off); repeatable")
    parser.add_argument("--auth", choices=("lenient", "strict"), default=DEFAULTS["auth"], help="strict verifies signatures")
    parser.add_argument("--key", action="append", default=[], metavar="ID:SECRET[:ACCOUNT]", help="known key pair; repeatable")
    parser.add_argument("--calls", type=int, default=CALLS, metavar="N", help=f"calls in the log of a world (default: {CALLS})")
    parser.add_argument("--admin", action="store_true", help="offer the admin API; its token is printed")
    parser.add_argument("--token", help="token of the admin API (default: a new one each time)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="write the resources of every world to a file when the server stops")
    parser.add_argument(
        "--log", choices=("json", "none"), default="json", help="access log on standard error (default: json, one line for each request)"
    )


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the default world.

    Raises:
        ValueError: a malformed option.
    """
    keys = {}
    for text in options.key:
        name, *rest = text.split(":")
        if not name or len(rest) not in (1, 2) or not rest[0]:
            raise ValueError(f"--key must be ID:SECRET or ID:SECRET:ACCOUNT, got {text!r}")
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
    """Check the options that no other part of the package checks.

    Raises:
        ValueError: an invalid option.
    """
    from pytest_smfake.rules.inputs import check_place

    if not 0 <= options.port <= 65535:
        raise ValueError(f"--port must be from 0 to 65535, got {options.port}")
    if options.calls < 1:
        raise ValueError(f"--calls must be at least 1, got {options.calls}")
    if options.state is not None:
        if not options.state.parent.is_dir():
            raise ValueError(f"--state: {options.state} cannot be written: {options.state.parent} is not a directory")
        try:
            check_place(options.state)
        except ValueError as error:
            raise ValueError(f"--state: {error}") from None
    for name in options.host_name:
        if not HOST_NAME.fullmatch(name):
            raise ValueError(f"--host-name must be a host name such as build-7, without scheme, port or *, got {name!r}")
    if options.closed:
        raise ValueError("standard output is closed, so that the URL of the server could not be printed")
    if options.token is not None and not options.admin:
        raise ValueError("--token needs --admin, which offers the admin API")
    try:
        socket.getaddrinfo(options.host, options.port)
    except OSError as error:
        raise ValueError(f"--host {options.host!r} is not an address of this machine: {error}") from None


def run_server(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM. Return the exit code.

    Raises:
        ValueError: an invalid option, or the server cannot listen on the address.
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
            os._exit(128 + number)  # a second signal: exit at once, and write no state
        done.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    logging.getLogger("pytest_smfake").addHandler(logging.StreamHandler(sys.stdout))  # standard error has only the access log
    log = AccessLog(sys.stderr) if options.log == "json" and sys.stderr is not None else None
    server = Server(options.host, options.port, log=log, host_names=options.host_name)
    server.worlds[DEFAULT] = make(settings_of(options))
    try:
        server.__enter__()
    except OSError as error:
        raise ValueError(f"cannot listen on {options.host} port {options.port}: {error}") from None
    if options.host not in LOOPBACK:
        print(f"smfake: other machines can reach {options.host}, and use this server", flush=True)
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
    """Return the fake of a world.

    Args:
        settings: keywords of `FakeSageMaker`.
        calls: how many calls its log keeps.

    Raises:
        ValueError: invalid settings.
    """
    from pytest_smfake.fake import FakeSageMaker

    fake = FakeSageMaker(**settings)
    fake.service.kept = calls
    fake.reset()
    return fake


class AccessLog:
    """Writes the access log in a separate thread, so that a slow or closed reader delays no request.

    Args:
        stream: the output; each line is a JSON object.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(LOG_LINES)
        self._left_out = 0
        self._thread = threading.Thread(target=self._write, name="smfake-server-log", daemon=True)
        self._thread.start()

    def __call__(self, entry: dict[str, Any]) -> None:
        """Add an entry to the log."""
        try:
            self._lines.put_nowait(json.dumps(entry))
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """Write the waiting lines, for at most a second."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=1)
            self._thread.join(1)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._left_out:
                line += f'\n{{"left_out": {self._left_out}}}'
                self._left_out = 0
            try:
                self._stream.write(f"{line}\n")  # one write, since other threads may write to the stream too
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # the reader is gone
                return
