"""A daemon that answers as a test says, and the program run as a user runs it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import pytest

IMPORTED = """
import sys
from peershelf.cli.main import main
code = main(sys.argv[1:])
print("\\n".join(sys.modules), file=sys.stderr)
sys.exit(code)
"""
LAUNCH = "import sys; from peershelf.cli.start import entry; sys.argv[0] = 'peershelf'; entry()"


@dataclass(frozen=True)
class ApiCall:
    """A request as the fake daemon received it."""

    name: str
    args: list[str]
    options: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def parts(self) -> list[tuple[str, bytes]]:
        """File name and content of each part of the multipart body."""
        boundary = self.headers["content-type"].partition("boundary=")[2].encode()
        found = []
        for part in self.body.split(b"--" + boundary)[1:-1]:
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            name = head.decode().partition('filename="')[2].partition('"')[0]
            found.append((unquote_plus(name, errors="surrogateescape"), content.removesuffix(b"\r\n")))
        return found


@dataclass(frozen=True)
class Answer:
    """What goes over the wire. `early` is sent once the request's head is read, `raw` after its body."""

    raw: bytes
    early: bytes = b""
    reads_body: bool = True
    waits: threading.Event | None = None


def head(status: int = 200, *fields: str) -> bytes:
    """A response head."""
    return "\r\n".join((f"HTTP/1.1 {status} Whatever", *fields, "", "")).encode()


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def sized(value: Any, status: int = 200) -> Answer:
    """A JSON object with Content-Length."""
    body = json.dumps(value).encode()
    return Answer(head(status, f"Content-Length: {len(body)}") + body)


def chunked(chunks: Iterable[bytes], *fields: str, trailer: str = "") -> Answer:
    """A chunked body with its last chunk."""
    body = b"".join(chunk(data) for data in chunks)
    return Answer(
        head(200, "Transfer-Encoding: chunked", *fields) + body + b"0\r\n" + trailer.encode() + b"\r\n"
    )


def records(*values: Any) -> Answer:
    """NDJSON, a chunk for each record."""
    return chunked(json.dumps(value).encode() + b"\n" for value in values)


@dataclass
class FakeDaemon:
    """Listens on a free port and answers each operation as `answers` says."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[ApiCall] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"/ip4/127.0.0.1/tcp/{self._listener.getsockname()[1]}"

    @property
    def last(self) -> ApiCall:
        return self.calls[-1]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                self._converse(connection, stream)
        except OSError:
            pass  # the client went away: what it saw is what the test looks at

    def _converse(self, connection: socket.socket, stream: Any) -> None:
        request = stream.readline().decode().split()
        if not request:
            return  # a command that only looked whether somebody listens
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        url = urlsplit(request[1])
        name = url.path.removeprefix("/api/v0/")
        answer = self.answers[name]
        connection.sendall(answer.early)
        body = _read_body(stream, headers) if answer.reads_body else b""
        query = parse_qsl(url.query, keep_blank_values=True, errors="surrogateescape")
        args = [value for key, value in query if key == "arg"]
        self.calls.append(ApiCall(name, args, {k: v for k, v in query if k != "arg"}, headers, body))
        if answer.waits is not None:
            answer.waits.wait(30)
        connection.sendall(answer.raw)


def _read_body(stream: Any, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return bytes(stream.read(int(headers.get("content-length", "0"))))
    body = b""
    while size := int(stream.readline() or b"0", 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


@pytest.fixture
def daemon() -> Iterator[FakeDaemon]:
    fake = FakeDaemon()
    yield fake
    fake.close()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A directory for a repo, with nothing in it."""
    path = tmp_path / "repo"
    path.mkdir()
    return path


@pytest.fixture
def held(repo: Path) -> Iterator[Path]:
    """A repo whose lock another open file holds, as a daemon would."""
    with (repo / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4321\nnode daemon --init\n")
        lock.flush()
        yield repo


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


def start(
    words: Sequence[str | os.PathLike[str]], *, environment: Mapping[str, str] | None = None, **streams: Any
) -> subprocess.Popen[bytes]:
    """Start the program in a process of its own."""
    command = [sys.executable, "-c", LAUNCH, *map(os.fspath, words)]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(command, env=inherited | dict(environment or {}), **streams)


@pytest.fixture
def run(repo: Path) -> Run:
    """Run the program on `repo` and wait for its end."""

    def run_once(*words: str | os.PathLike[str], input: bytes = b"") -> Outcome:
        process = start(
            words,
            environment={"PEERSHELF_PATH": str(repo)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = process.communicate(input, timeout=60)
        return Outcome(process.returncode, out.decode("utf-8", "surrogateescape"), err.decode())

    return run_once


@pytest.fixture
def api() -> ModuleType:
    """The makers of answers above, for tests that tell a daemon what to say."""
    return sys.modules[__name__]


@pytest.fixture
def launch() -> Callable[..., subprocess.Popen[bytes]]:
    """Start the program without waiting for it."""
    return start


@pytest.fixture(params=["alone", "daemon"])
def node(request: pytest.FixtureRequest, shelf: Any) -> Iterator[Any]:
    """A repo that commands open themselves, and one through a daemon."""
    if request.param == "alone":
        yield shelf
    else:
        with shelf.running():
            yield shelf


@pytest.fixture
def imported_without_a_node() -> Callable[..., set[str]]:
    """`imported_without_a_node(shelf, *words, cwd=…, input=…)`: what a command imports that needs none.

    Of what is slow it imports what it `needs`.
    """

    def run(
        shelf: Any, *words: str, cwd: Path, input: bytes | None = None, needs: Set[str] = frozenset()
    ) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", IMPORTED, *words],
            env=shelf.environment,
            cwd=cwd,
            input=input,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        imported = set(done.stderr.decode().split())
        slow = {"trio", "cryptography", "structlog", "tomlkit", "asyncio", "ssl", "peershelf.cli.local"}
        assert imported & slow == needs
        return imported

    return run


@pytest.fixture
def unclosable_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing a store fails after it was closed."""
    from peershelf.blockstore.store.pack import PackStore

    close: Callable[[PackStore], None] = PackStore.close

    def failing(store: PackStore) -> None:
        close(store)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(PackStore, "close", failing)
