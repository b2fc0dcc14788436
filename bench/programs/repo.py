"""One fresh repo of an IPFS program, its commands, and its daemon. Both programs speak the same grammar."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from bench.process import Background, Finished, ProgramFailed, run_command

_CONNECTED_TIMEOUT = 10.0
_SETTLE = 0.3
"""Seconds after a connection in which both sides have told each other what they speak."""


class Repo(ABC):
    """A repo in a directory of its own. Whoever makes one removes it."""

    name: ClassVar[str]

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "repo"
        self.daemon: Background | None = None
        self._api: http.client.HTTPConnection | None = None
        directory.mkdir(parents=True)
        self._initialise()

    @property
    @abstractmethod
    def program(self) -> Path:
        """The installed program."""

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """What its commands run with."""

    @abstractmethod
    def _initialise(self) -> None:
        """Make the repo."""

    @abstractmethod
    def securities(self) -> list[str]:
        """The secure channels of the connections that its daemon has had: noise, tls."""

    def run(self, *words: str | Path, output: int | None = None) -> Finished:
        """Run one command. Raises ProgramFailed."""
        return run_command([self.program, *words], self.environment, output=output)

    def add(self, *words: str | Path) -> str:
        """Add a file, or with -r a directory; return the CID."""
        return self.run("add", "-Q", *words).text

    def can(self, command: str, option: str = "") -> bool:
        """Whether the program has a command, and that command an option."""
        try:
            return option in self.run(*command.split(), "--help").text
        except ProgramFailed:
            return False

    def start(self) -> float:
        """Start the daemon and return the seconds until it was ready. Raises ProgramFailed."""
        log = self.directory / "daemon.log"
        self.daemon = Background([self.program, "daemon"], self.environment, log)
        self.daemon.wait_for("Daemon is ready")
        return time.perf_counter() - self.daemon.started

    def stop(self) -> None:
        """Stop the daemon, if one runs."""
        if self._api is not None:
            self._api.close()
            self._api = None
        if self.daemon is not None:
            self.daemon.stop()
            self.daemon = None

    def remove(self) -> None:
        """Stop the daemon and remove all that is on disk."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def running(self) -> Background:
        """The daemon."""
        assert self.daemon is not None, "start() first"
        return self.daemon

    @property
    def address(self) -> str:
        """Where the daemon can be dialed, with its peer ID."""
        lines = self.run("swarm", "addrs", "local", "--id").text.splitlines()
        return next(line for line in lines if line.startswith("/ip4/127.0.0.1/tcp/"))

    def connect(self, *others: Repo) -> None:
        """Connect to other daemons and wait until the connections have settled."""
        for other in others:
            self.run("swarm", "connect", other.address)
        deadline = time.monotonic() + _CONNECTED_TIMEOUT
        while len(self.run("swarm", "peers").text.splitlines()) < len(others):
            if time.monotonic() > deadline:
                raise ProgramFailed(f"{self.name} is not connected to {len(others)} peers")
        time.sleep(_SETTLE)

    def rpc(self, call: str, method: str = "POST") -> bytes:
        """Ask the daemon over a connection that is kept open. Raises ProgramFailed."""
        connection = self._connection()
        connection.request(method, call)
        return _body(connection.getresponse(), call)

    def put_block(self, content: bytes) -> str:
        """Store a raw block through the API; return its CID."""
        head = (
            b'--x\r\nContent-Disposition: form-data; name="data"; filename="b"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n"
        )
        connection = self._connection()
        connection.request(
            "POST",
            "/api/v0/block/put?cid-codec=raw",
            head + content + b"\r\n--x--\r\n",
            {"Content-Type": "multipart/form-data; boundary=x"},
        )
        answer: dict[str, Any] = json.loads(_body(connection.getresponse(), "block/put"))
        return str(answer["Key"])

    def _connection(self) -> http.client.HTTPConnection:
        if self._api is None:
            _, _, host, _, port = (self.path / "api").read_text().strip().split("/")
            self._api = http.client.HTTPConnection(host, int(port), timeout=60)
            self._api.connect()
            self._api.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._api


def _body(response: http.client.HTTPResponse, call: str) -> bytes:
    body = response.read()
    if response.status != 200:
        raise ProgramFailed(f"{call[:60]}: {response.status} {body[:200].decode(errors='replace').strip()}")
    return body


def program_on_path(name: str) -> Path:
    """Where an installed program is. Raises ProgramFailed."""
    found = shutil.which(name, path=os.environ.get("PATH"))
    if found is None:
        raise ProgramFailed(f"`{name}` is not on PATH: run `. scripts/env.sh '[bench]'` first")
    return Path(found)
