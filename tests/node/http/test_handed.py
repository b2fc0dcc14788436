"""What comes over the API's Unix socket beside the bytes: files, too many of them, and what is no file."""

from __future__ import annotations

import os
import socket
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from peershelf.node import own_user
from peershelf.node.errors import CannotRead
from peershelf.node.http import handed
from peershelf.node.http.handed import HandedFile
from peershelf.node.http.rpc import build_app
from peershelf.node.http.server import HttpServer
from peershelf.node.operations.base import ByteStream, Records, Stream
from peershelf.node.operations.request import Record, Request

PARTS = b'--edge\r\nContent-Disposition: file; filename="a"\r\nX-Handed-File: %2Fa\r\n\r\n\r\n'
TYPE = "Content-Type: multipart/form-data; boundary=edge"


async def add(node: None, request: Request) -> AsyncGenerator[Record, None]:
    async for part in request.parts:
        assert part.file is not None
        yield {"Name": part.name, "Text": part.file.read().decode()}


async def cat(node: None, request: Request) -> ByteStream:
    return ByteStream(_chunks(), 6)


async def _chunks() -> AsyncIterator[bytes]:
    yield b"abc"
    yield b"def"


OPERATIONS = {
    "add": Records("add", add, takes_parts=True, takes_files=True),
    "block/put": Records("block/put", add, takes_parts=True),
    "cat": Stream("cat", cat),
}


class Client:
    """Sends requests with descriptors beside them, and reads all that is answered."""

    def __init__(self, path: Path, tcp: str) -> None:
        self.path = path
        self.port = int(tcp.rpartition("/")[2])

    async def ask(
        self,
        name: str,
        files: Sequence[int] = (),
        *fields: str,
        body: bytes = b"",
        more: bytes = b"",
        method: str = "POST",
        over_tcp: bool = False,
    ) -> str:
        """One request on a connection of its own, `more` right behind it; the answers as text."""
        sock = trio.socket.socket(socket.AF_INET if over_tcp else socket.AF_UNIX)
        with sock:
            await sock.connect(("127.0.0.1", self.port) if over_tcp else str(self.path))
            sent = request(name, *fields, body=body, method=method, port=self.port) + more
            await sock.sendmsg([sent], [rights(files)] if files else [])
            answer = b""
            with suppress(ConnectionResetError):
                while data := await sock.recv(1 << 16):
                    answer += data
            return answer.decode()


def rights(files: Sequence[int]) -> tuple[int, int, array[int]]:
    return socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", files)


def request(name: str, *fields: str, body: bytes = b"", method: str = "POST", port: int = 0) -> bytes:
    length = f"Content-Length: {len(body)}"
    head = (f"{method} /api/v0/{name} HTTP/1.1", f"Host: 127.0.0.1:{port}", length, *fields, "", "")
    return "\r\n".join(head).encode() + body


@pytest.fixture
async def client(files: list[int], nursery: trio.Nursery, tmp_path: Path) -> Client:
    server = HttpServer(
        build_app(None, OPERATIONS), "/ip4/127.0.0.1/tcp/0", unix_socket=tmp_path / "api.sock"
    )
    return Client(tmp_path / "api.sock", await nursery.start(server.run))


@pytest.fixture
def files(tmp_path: Path) -> Iterator[list[int]]:
    """Descriptors of files that have their numbers in them; in the end none of the files may be open."""
    made = []
    for number in range(handed.MOST_OF_ONE + 1):
        (tmp_path / str(number)).write_text(str(number))
        made.append(os.open(tmp_path / str(number), os.O_RDWR))
    yield made
    for descriptor in made:
        os.close(descriptor)
    links = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    assert not [link for link in links if link.startswith(str(tmp_path))]


async def test_the_socket_is_this_users_replaces_a_stale_one_and_goes_in_the_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    server = HttpServer(build_app(None, OPERATIONS), "/ip4/127.0.0.1/tcp/0", unix_socket=path)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        assert path.stat().st_mode & 0o777 == 0o600
        async with await trio.open_unix_socket(str(path)):
            nursery.cancel_scope.cancel()
    assert not path.exists()


async def test_where_no_socket_can_be_the_rest_is_served(tmp_path: Path, nursery: trio.Nursery) -> None:
    for path in (tmp_path / ("x" * 120), tmp_path / "absent" / "api.sock"):
        server = HttpServer(build_app(None, OPERATIONS), "/ip4/127.0.0.1/tcp/0", unix_socket=path)
        client = Client(path, await nursery.start(server.run))
        answer = await client.ask("cat", (), "Connection: close", over_tcp=True)
        assert answer.startswith("HTTP/1.1 200")


async def test_files_are_parts_in_the_order_in_which_they_came(client: Client, files: list[int]) -> None:
    answer = await client.ask("add", files[:3], TYPE, "Connection: close", body=PARTS * 3 + b"--edge--\r\n")
    assert [f'"Text":"{number}"' in answer for number in range(4)] == [True, True, True, False]


async def test_an_answer_goes_into_a_file_at_its_offset(
    client: Client, files: list[int], tmp_path: Path
) -> None:
    os.lseek(files[0], 1, os.SEEK_SET)
    answer = await client.ask("cat", files[:1], "X-Handed-Output: 1", "Connection: close")
    assert "200" in answer.partition("\r\n")[0]
    assert "x-content-length: 6" in answer.lower()
    assert '{"Bytes":6}' in answer
    assert (tmp_path / "0").read_text() == "0abcdef"
    assert os.lseek(files[0], 0, os.SEEK_CUR) == 7


@pytest.mark.parametrize("over_tcp", [False, True])
async def test_what_was_not_handed_over_cannot_be_named(client: Client, over_tcp: bool) -> None:
    named = await client.ask(
        "add", (), TYPE, "Connection: close", body=PARTS + b"--edge--\r\n", over_tcp=over_tcp
    )
    into = await client.ask("cat", (), "X-Handed-Output: 1", "Connection: close", over_tcp=over_tcp)
    for answer in (named, into):
        assert answer.startswith("HTTP/1.1 400")
        assert "names a file that was not handed over" in answer


async def test_a_later_request_of_a_connection_has_none_of_its_files(
    client: Client, files: list[int], tmp_path: Path
) -> None:
    second = request("cat", "X-Handed-Output: 1", "Connection: close", port=client.port)
    answer = await client.ask("cat", files[:2], "X-Handed-Output: 1", more=second)
    assert answer.count("HTTP/1.1 200") == answer.count("HTTP/1.1 400") == 1
    assert (tmp_path / "1").read_text() == "1"


async def test_operations_that_take_no_files_get_none(client: Client, files: list[int]) -> None:
    body = PARTS + b"--edge--\r\n"
    answer = await client.ask("block/put", files[:1], TYPE, "Connection: close", body=body)
    assert answer.startswith("HTTP/1.1 400")


async def test_a_pipe_is_no_file(client: Client) -> None:
    read, write = os.pipe()
    answer = await client.ask("cat", [write], "X-Handed-Output: 1", "Connection: close")
    os.close(write)
    assert "no regular file" in answer
    assert await trio.to_thread.run_sync(os.read, read, 1) == b""  # nobody has the other end
    os.close(read)


async def test_too_many_files_end_the_connection(client: Client, files: list[int], tmp_path: Path) -> None:
    assert await client.ask("cat", files, "X-Handed-Output: 1") == ""
    assert (tmp_path / "0").read_text() == "0"


async def test_too_many_of_all_connections_end_the_last(
    client: Client, files: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handed, "MOST", 3)
    async with await trio.open_unix_socket(str(client.path)) as idle:
        await idle.socket.sendmsg([b"POST"], [rights(files[:2])])
        assert await client.ask("cat", files[:2], "X-Handed-Output: 1") == ""
        answer = await client.ask("cat", files[:1], "X-Handed-Output: 1", "Connection: close")
        assert answer.startswith("HTTP/1.1 200")


async def test_get_is_refused_there_too(client: Client) -> None:
    assert (await client.ask("cat", (), "Connection: close", method="GET")).startswith("HTTP/1.1 405")


async def test_others_are_sent_away(
    client: Client, files: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_user.os, "geteuid", lambda: os.getuid() + 1)
    assert await client.ask("cat", files[:1], "X-Handed-Output: 1") == ""


def test_a_file_that_cannot_be_read_is_told_as_the_user_calls_it() -> None:
    with (
        HandedFile(os.open("/proc/self/mem", os.O_RDONLY), "my/file") as file,
        pytest.raises(CannotRead, match="cannot read my/file: Input/output error"),
    ):
        file.read(1)
