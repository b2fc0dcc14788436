"""Records of names through a router: only what proves itself is found."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
from ipns_records import ed25519, rsa_owner

from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.protocols.routing.delegated import DelegatedRouter
from peershelf.protocols.routing.records.namespaces import check
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId

OWN = PeerId("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
OWNER = ed25519()
RECORD = OWNER.record(4)
VALUE = check(OWNER.key, RECORD, 0.0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipfs.ipns-record\r\n\r\n"


class Router:
    """Answers each request with the same bytes, and keeps what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []

    async def run(self, *, task_status: trio.TaskStatus[str]) -> None:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, self._serve, [listener])
            task_status.started(url)

    async def _serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            request = b""
            while not _is_whole(request):
                request += await stream.receive_some()
            self.requests.append(request)
            with suppress(trio.BrokenResourceError):
                await stream.send_all(self.answer)


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"content-length:")
    return bool(end) and len(body) >= int(length.split()[0] if length else 0)


@pytest.fixture
def router(nursery: trio.Nursery):
    async def start(answer: bytes) -> tuple[Router, DelegatedRouter]:
        server = Router(answer)
        client = DelegatedRouter(await nursery.start(server.run), OWN)
        await nursery.start(client.run)
        return server, client

    return start


async def get(client: DelegatedRouter, key: bytes = OWNER.key) -> tuple[int, list[bytes]]:
    found: list[Value] = []
    with trio.fail_after(5):
        asked = await client.get_value(key, found.append)
    return asked, [one.data for one in found]


async def test_a_record_is_asked_for_by_its_name_and_found(router):
    server, client = await router(HEAD + RECORD)
    assert await get(client) == (1, [RECORD])
    name = Cid.v1(LIBP2P_KEY, OWNER.name)
    assert server.requests[0].startswith(f"GET /routing/v1/ipns/{name} HTTP/1.1\r\n".encode())
    assert b"\r\nAccept: application/vnd.ipfs.ipns-record\r\n" in server.requests[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        HEAD.replace(b"vnd.", b"x.") + RECORD,
        HEAD + ed25519(2).record(),
        HEAD + OWNER.record(ends=b"2000-01-01T00:00:00Z"),
        HEAD + RECORD[:-1],
        HEAD,
        HEAD + rsa_owner().record(),
    ],
    ids=["404", "another type", "another's", "expired", "cut", "empty", "another kind"],
)
async def test_no_valid_record_is_an_answer(router, answer):
    server, client = await router(answer)
    assert [await get(client) for _ in range(4)] == [(1, [])] * 4
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + bytes(1 << 20),
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"nonsense",
    ],
    ids=["endless", "an error", "no HTTP"],
)
async def test_a_router_that_gives_no_answer_is_soon_left_alone(router, answer):
    server, client = await router(answer)
    assert [await get(client) for _ in range(4)] == [(0, [])] * 4
    assert len(server.requests) == 2


async def test_a_record_is_published(router):
    server, client = await router(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert await client.put_value(OWNER.key, VALUE, print) == 1
    name = Cid.v1(LIBP2P_KEY, OWNER.name)
    assert server.requests[0].startswith(f"PUT /routing/v1/ipns/{name} HTTP/1.1\r\n".encode())
    assert b"\r\nContent-Type: application/vnd.ipfs.ipns-record\r\n" in server.requests[0]
    assert server.requests[0].endswith(b"\r\n\r\n" + RECORD)


@pytest.mark.parametrize("status", [400, 404, 405, 501, 500, 302])
async def test_routers_that_publish_nothing_are_asked_for_other_things_still(router, status):
    server, client = await router(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
    assert [await client.put_value(OWNER.key, VALUE, print) for _ in range(4)] == [0] * 4
    server.answer = HEAD + RECORD
    assert await get(client) == (1, [RECORD])


async def test_other_values_than_names_records_are_not_asked_for(router):
    server, client = await router(HEAD + RECORD)
    assert await get(client, b"/pk/" + OWNER.name) == (0, [])
    assert await client.put_value(b"/pk/" + OWNER.name, VALUE, print) == 0
    assert await get(client, b"/ipns/") == (0, [])
    assert server.requests == []
