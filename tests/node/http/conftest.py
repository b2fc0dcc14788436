"""A server with a small table of operations, and a client that sees what is on the wire."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import h11
import pytest
import trio

from peershelf.blockstore.errors import BlockNotFound, InvalidCid
from peershelf.node.errors import ConfigError, NodeError, UsageError
from peershelf.node.http.rpc import build_app
from peershelf.node.http.server import HttpServer
from peershelf.node.operations.base import ByteStream, Records, Stream, Unary
from peershelf.node.operations.request import Record, Request
from peershelf.protocols.errors import InvalidAddress

CHUNK = bytes(range(256)) * 4096
"""1 MiB."""


@dataclass
class FakeNode:
    """What the operations below note down for the tests to see."""

    started: trio.Event = field(default_factory=trio.Event)
    ended: trio.Event = field(default_factory=trio.Event)
    may_read: trio.Event = field(default_factory=trio.Event)
    chunks_made: int = 0
    bytes_read: int = 0


async def identify(node: FakeNode, request: Request) -> Record:
    return {"ID": "me", "Args": list(request.args), "Options": dict(request.options)}


async def fail(node: FakeNode, request: Request) -> Record:
    errors = {
        "node": NodeError("the node\nis tired"),
        "usage": UsageError("say please"),
        "cid": InvalidCid("no CID"),
        "setting": ConfigError("no such key"),
        "address": InvalidAddress("no address"),
        "block": BlockNotFound("no such block"),
        "disk": OSError(28, "No space left on device"),
        "bug": RuntimeError("secret from a stranger"),
        "group": ExceptionGroup("outer", [ExceptionGroup("inner", [NodeError("inside a group")])]),
        "slow": trio.TooSlowError(),
    }
    raise errors[request.arg(0)]


async def wait(node: FakeNode, request: Request) -> Record:
    node.started.set()
    try:
        await trio.sleep_forever()
    finally:
        node.ended.set()


async def count(node: FakeNode, request: Request) -> AsyncGenerator[Record, None]:
    node.started.set()
    try:
        for number in range(request.integer("n", 3)):
            if number == request.integer("fail-at"):
                raise NodeError("lost count")
            yield {"Number": number}
        if request.flag("wait"):
            await trio.sleep_forever()
    finally:
        node.ended.set()


async def cat(node: FakeNode, request: Request) -> ByteStream:
    if request.integer("fail-at") == 0:
        raise BlockNotFound("nobody has it")
    total = request.integer("chunks", 1)
    return ByteStream(_chunks(node, total, request.integer("fail-at")), total * len(CHUNK))


async def _chunks(node: FakeNode, total: int, fail_at: int | None) -> AsyncIterator[bytes]:
    node.started.set()
    try:
        for number in range(total):
            if number == fail_at:
                raise BlockNotFound("lost on the way")
            node.chunks_made += 1
            yield CHUNK
    finally:
        node.ended.set()


async def add(node: FakeNode, request: Request) -> AsyncGenerator[Record, None]:
    try:
        async for part in request.parts:
            digest, size = hashlib.sha256(), 0
            async for chunk in part.chunks:
                digest.update(chunk)
                size += len(chunk)
                node.bytes_read += len(chunk)
                if request.flag("progress"):
                    yield {"Name": part.name, "Bytes": size}
                if request.flag("fail-early"):
                    raise NodeError("the store is full")
            yield {"Name": part.name, "Kind": part.kind, "Hash": digest.hexdigest(), "Size": str(size)}
    finally:
        node.ended.set()


async def hold(node: FakeNode, request: Request) -> Record:
    """Takes an upload, and reads nothing of it before it is told to."""
    node.started.set()
    await node.may_read.wait()
    async for part in request.parts:
        async for chunk in part.chunks:
            node.bytes_read += len(chunk)
    return {"Read": node.bytes_read}


async def first_names(node: FakeNode, request: Request) -> Record:
    """Reads the names of the parts and none of their content."""
    return {"Names": [part.name async for part in request.parts]}


OPERATIONS = {
    operation.name: operation
    for operation in (
        Unary("id", identify, options=frozenset({"peerid-base"}), fixed={"trickle": "false"}),
        Unary("fail", fail, min_args=1, max_args=1),
        Unary("wait", wait),
        Unary("names", first_names, takes_parts=True),
        Unary("hold", hold, takes_parts=True),
        Records("refs/local", count, max_args=0, options=frozenset({"n", "fail-at", "wait"})),
        Records("add", add, takes_parts=True, options=frozenset({"progress", "fail-early"})),
        Stream("cat", cat, options=frozenset({"chunks", "fail-at"})),
    )
}


@dataclass
class Answer:
    """A response as far as it came."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    """Whether the end of the response was seen, and not only the end of the connection."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def records(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


class Connection:
    """One connection to the API, driven request by request."""

    def __init__(self, stream: trio.SocketStream, port: int) -> None:
        self.stream = stream
        self._port = port
        self._protocol = h11.Connection(h11.CLIENT)

    async def send_head(self, path: str, headers: Iterable[tuple[str, str]], method: str = "POST") -> None:
        fields = [*headers]
        if not any(name.lower() == "host" for name, _ in fields):
            fields.append(("Host", f"127.0.0.1:{self._port}"))
        await self._send(h11.Request(method=method, target=path, headers=fields))

    async def send_body(self, data: bytes) -> None:
        await self._send(h11.Data(data=data))

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())

    async def _send(self, event: h11.Event) -> None:
        await self.stream.send_all(self._protocol.send(event))

    async def receive(self) -> Answer:
        answer = Answer()
        body = bytearray()
        while not answer.complete:
            event = await self._next_event()
            if isinstance(event, h11.Response):
                answer.status = event.status_code
                answer.headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                answer.complete = True
                answer.trailers = {name.decode(): value.decode() for name, value in event.headers}
            elif event is None:
                break
        answer.body = bytes(body)
        if self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE:
            self._protocol.start_next_cycle()
        return answer

    async def _next_event(self) -> Any:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            try:
                data = await self.stream.receive_some()
            except trio.BrokenResourceError:
                data = b""
            try:
                self._protocol.receive_data(data)
                event = self._protocol.next_event() if not data else h11.NEED_DATA
            except h11.RemoteProtocolError:
                return None
            if not data:
                return None if isinstance(event, h11.ConnectionClosed) else event
        return event


class Api:
    """A running server, and ways to talk to it."""

    def __init__(self, node: FakeNode, address: str) -> None:
        self.node = node
        self.address = address
        self.port = int(address.rsplit("/", 1)[1])

    async def connect(self) -> Connection:
        return Connection(await trio.open_tcp_stream("127.0.0.1", self.port), self.port)

    async def post(
        self,
        path: str,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        *,
        method: str = "POST",
    ) -> Answer:
        """One request on a connection of its own. The upload goes on while the answer already comes in."""
        connection = await self.connect()
        async with connection.stream:
            await connection.send_head(path, [*headers, ("Content-Length", str(len(body)))], method)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_upload, connection, body)
                answer = await connection.receive()
                nursery.cancel_scope.cancel()
            return answer

    async def upload(self, path: str, *parts: tuple[str, bytes]) -> Answer:
        """POST named files."""
        return await self.post(path, multipart(*parts), [MULTIPART])


async def _upload(connection: Connection, body: bytes) -> None:
    try:
        await connection.send_body(body)
        await connection.end()
    except trio.BrokenResourceError:
        pass  # the server need not read what it refuses


MULTIPART = ("Content-Type", "multipart/form-data; boundary=edge")


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """The body of an upload of named files."""
    body = b""
    for name, content in parts:
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body += head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n"
    return body + b"--edge--\r\n"


@pytest.fixture
async def api(nursery: trio.Nursery) -> Api:
    node = FakeNode()
    server = HttpServer(build_app(node, OPERATIONS), "/ip4/127.0.0.1/tcp/0")
    return Api(node, await nursery.start(server.run))


@pytest.fixture
def make_server() -> Any:
    """Builds a server that the test itself runs, with the node behind it."""

    def make(address: str = "/ip4/127.0.0.1/tcp/0") -> tuple[HttpServer, FakeNode]:
        node = FakeNode()
        return HttpServer(build_app(node, OPERATIONS), address), node

    return make


@pytest.fixture
def make_api() -> type[Api]:
    return Api


@pytest.fixture
def make_multipart() -> Any:
    return multipart


@pytest.fixture
def multipart_header() -> tuple[str, str]:
    return MULTIPART


@pytest.fixture
def chunk() -> bytes:
    return CHUNK
