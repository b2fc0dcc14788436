"""The routing API over real sockets: what it answers, to whom, and what it does not wait for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import trio

sys.path.insert(0, str(Path(__file__).parents[2] / "protocols" / "routing" / "tools"))

from ipns_records import ed25519

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.node.http import server as http_server
from peershelf.node.http.server import HttpServer
from peershelf.node.routing import Routing
from peershelf.node.routing_api import app as routing_app
from peershelf.node.routing_api import build_routing_app
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.delegated import DelegatedRouter
from peershelf.protocols.routing.kad.keys import peer_bytes
from peershelf.protocols.routing.records.namespaces import check
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId

OWN = PeerId("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
OTHER = PeerId("12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")
NEAR, FAR = "/ip4/192.168.1.7/tcp/4001", "/ip4/8.8.8.8/tcp/4001"
CID = Block.create(b"wanted").cid
OWNER = ed25519()
NAME = Cid.v1(LIBP2P_KEY, OWNER.name)
RECORD = OWNER.record(3)
RECORD_TYPE = "application/vnd.ipfs.ipns-record"
LINES = {"Accept": "application/x-ndjson"}


class FakeRouter:
    """Knows what a test says, and searches until it is told to end."""

    name = "fake"

    def __init__(self) -> None:
        self.infos: list[PeerInfo] = []
        self.values: list[bytes] = []
        self.put: list[tuple[bytes, bytes]] = []
        self.taken = 1
        self.ends = trio.Event()
        self.ends.set()
        self.searches = 0
        self.cancelled = trio.Event()

    async def find_providers(self, cid: Cid, found: Callable[[PeerInfo], None], observe=None) -> int:
        assert cid == CID
        return await self._search(lambda: [found(info) for info in self.infos])

    async def find_peer(self, peer: PeerId, found: Callable[[PeerInfo], None]) -> int:
        assert peer == PEER
        return await self._search(lambda: [found(info) for info in self.infos])

    async def get_value(self, key: bytes, found: Callable[[Value], None], observe=None) -> int:
        return await self._search(lambda: [found(check(key, one, 0.0)) for one in self.values])

    async def put_value(self, key: bytes, value: Value, found: Callable[[Value], None]) -> int:
        self.put.append((key, value.data))
        for one in self.values:
            found(check(key, one, 0.0))
        return self.taken

    async def _search(self, tell: Callable[[], object]) -> int:
        self.searches += 1
        tell()
        try:
            await self.ends.wait()
        except trio.Cancelled:
            self.cancelled.set()
            raise
        finally:
            self.searches -= 1
        return 1


@pytest.fixture
def router() -> FakeRouter:
    return FakeRouter()


@pytest.fixture
async def url(nursery: trio.Nursery, router: FakeRouter) -> str:
    server = HttpServer(
        build_routing_app(Routing([router])), "/ip4/127.0.0.1/tcp/0", "Addresses.Routing", for_strangers=True
    )
    bound: str = await nursery.start(server.run)
    return f"http://127.0.0.1:{bound.rpartition('/')[2]}"


@pytest.fixture
async def client(url: str):
    async with httpx.AsyncClient(base_url=url, trust_env=False) as made:
        yield made


def lines(response: httpx.Response) -> list[dict[str, object]]:
    return [json.loads(line) for line in response.text.splitlines()]


async def test_providers_come_as_a_document_or_as_lines(client, router) -> None:
    router.infos = [PeerInfo(PEER, (NEAR, FAR)), PeerInfo(PEER, (FAR,)), PeerInfo(OTHER)]
    records = [
        {"Schema": "peer", "ID": PEER, "Addrs": [NEAR, FAR], "Protocols": []},
        {"Schema": "peer", "ID": OTHER, "Addrs": [], "Protocols": []},
    ]
    document = await client.get(f"/routing/v1/providers/{CID}")
    assert document.json() == {"Providers": records}
    assert document.headers["Content-Type"] == "application/json"
    streamed = await client.get(f"/routing/v1/providers/{CID}", headers=LINES)
    assert lines(streamed) == records
    assert streamed.headers["Content-Type"] == "application/x-ndjson"
    for response in (document, streamed):
        assert response.status_code == 200
        assert response.headers["Cache-Control"].startswith("public, max-age=300,")
        assert response.headers["Vary"] == "Accept"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Last-Modified"].endswith("GMT")


async def test_nothing_is_an_answer_that_is_soon_asked_for_again(client) -> None:
    response = await client.get(f"/routing/v1/providers/{CID}")
    assert (response.status_code, response.json()) == (200, {"Providers": []})
    assert "max-age=15," in response.headers["Cache-Control"]
    response = await client.get(f"/routing/v1/providers/{CID}", headers=LINES)
    assert (response.status_code, response.text) == (200, "")
    assert "max-age=15," in response.headers["Cache-Control"]


@pytest.mark.parametrize("name", [PEER, str(Cid.v1(LIBP2P_KEY, peer_bytes(PEER)))])
async def test_where_a_peer_is_told_by_any_of_its_names(client, router, name) -> None:
    router.infos = [PeerInfo(OTHER, (FAR,)), PeerInfo(PEER, (FAR,))]
    response = await client.get(f"/routing/v1/peers/{name}")
    assert [one["ID"] for one in response.json()["Peers"]] == [PEER]


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "Via"])
async def test_through_a_proxy_no_private_addresses_are_told(client, router, name) -> None:
    router.infos = [PeerInfo(PEER, (NEAR, FAR)), PeerInfo(OTHER, (NEAR,))]
    response = await client.get(f"/routing/v1/providers/{CID}", headers={name: "x"})
    assert [(one["ID"], one["Addrs"]) for one in response.json()["Providers"]] == [(PEER, [FAR])]


async def test_filters_are_kept_to(client, router) -> None:
    router.infos = [PeerInfo(PEER, (NEAR, "/ip4/8.8.8.8/udp/4001/quic-v1"))]
    response = await client.get(f"/routing/v1/providers/{CID}?filter-addrs=tcp")
    assert response.json()["Providers"][0]["Addrs"] == [NEAR]
    response = await client.get(f"/routing/v1/providers/{CID}?filter-protocols=transport-bitswap")
    assert response.json() == {"Providers": []}


async def test_there_are_only_so_many_peers_in_an_answer(client, router) -> None:
    router.infos = [PeerInfo(PeerId(f"peer{number}"), (FAR,)) for number in range(500)]
    router.ends = trio.Event()
    assert len((await client.get(f"/routing/v1/providers/{CID}")).json()["Providers"]) == 20
    assert len(lines(await client.get(f"/routing/v1/providers/{CID}", headers=LINES))) == 100
    assert router.searches == 0


async def test_a_line_comes_as_soon_as_its_peer_is_found(client, router) -> None:
    router.infos, router.ends = [PeerInfo(PEER, (FAR,))], trio.Event()
    with trio.fail_after(5):
        async with client.stream("GET", f"/routing/v1/providers/{CID}", headers=LINES) as response:
            async for line in response.aiter_lines():
                assert json.loads(line)["ID"] == PEER
                router.ends.set()


async def test_a_search_ends_when_its_time_is_up_and_tells_what_it_has(client, router, monkeypatch) -> None:
    monkeypatch.setattr(routing_app, "SEARCH", 0.2)
    router.infos, router.ends = [PeerInfo(PEER, (FAR,))], trio.Event()
    assert len((await client.get(f"/routing/v1/providers/{CID}")).json()["Providers"]) == 1


async def test_a_search_ends_when_its_client_goes(client, router) -> None:
    router.ends = trio.Event()
    with trio.move_on_after(0.3):
        await client.get(f"/routing/v1/providers/{CID}")
    with trio.fail_after(5):
        await router.cancelled.wait()


async def test_only_so_many_requests_of_one_address_are_served_at_a_time(client, router) -> None:
    router.ends = trio.Event()
    statuses: list[int] = []

    async def ask() -> None:
        response = await client.get(f"/routing/v1/providers/{CID}")
        statuses.append(response.status_code)
        if response.status_code == 429:
            assert response.headers["Retry-After"] == "1"
            router.ends.set()

    async with trio.open_nursery() as nursery:
        for _ in range(9):
            nursery.start_soon(ask)
    assert sorted(statuses) == [200] * 8 + [429]
    assert (await client.get(f"/routing/v1/providers/{CID}")).status_code == 200


async def test_only_so_many_connections_of_one_address_are_kept(url) -> None:
    port = int(url.rpartition(":")[2])
    streams = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(http_server.MOST_OF_ONE + 1)]
    with trio.fail_after(5):
        assert await streams[-1].receive_some() == b""
    await streams[0].send_all(f"GET /routing/v1/providers/{CID} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    with trio.fail_after(5):
        assert (await streams[0].receive_some()).startswith(b"HTTP/1.1 200")
    for stream in streams:
        await stream.aclose()


async def test_who_does_not_read_is_cut_off(url, router, monkeypatch) -> None:
    monkeypatch.setattr(routing_app, "_CUT", 1.5)
    monkeypatch.setattr(routing_app, "_IN_LINES", 10_000)
    long = f"/dns4/{'x' * 200}.example.com/tcp/4001"
    router.infos = [PeerInfo(PeerId(f"peer{number}"), (long,) * 32) for number in range(2_000)]
    router.ends = trio.Event()
    stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
    head = f"GET /routing/v1/providers/{CID} HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n\r\n"
    await stream.send_all(head.encode())
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")
    with trio.fail_after(5):
        await router.cancelled.wait()
    received = 0
    with trio.fail_after(5), suppress(trio.BrokenResourceError):
        while data := await stream.receive_some():
            received += len(data)
    assert received < 2_000 * 32 * len(long)
    await stream.aclose()


BAD = [
    ("GET", "/routing/v1/providers/nonsense", {}, 400),
    ("GET", f"/routing/v1/providers/{'1' * 5_000}", {}, 400),
    ("GET", f"/routing/v1/peers/{CID}", {}, 400),
    ("GET", f"/routing/v1/ipns/{CID}", {"Accept": RECORD_TYPE}, 400),
    ("GET", "/routing/v1/ipns/example.com", {"Accept": RECORD_TYPE}, 400),
    ("GET", f"/routing/v1/ipns/{NAME}", {"Accept": "application/json"}, 406),
    ("GET", f"/routing/v1/ipns/{NAME}", {"Accept": f"{RECORD_TYPE};q=0"}, 406),
    ("PUT", f"/routing/v1/ipns/{NAME}", {"Content-Type": "text/plain"}, 406),
    ("PUT", f"/routing/v1/ipns/{NAME}", {"Content-Type": RECORD_TYPE}, 400),
    ("GET", "/", {}, 400),
    ("GET", "/api/v0/id", {}, 400),
    ("POST", "/api/v0/shutdown", {}, 400),
    ("GET", "/routing/v1/other/x", {}, 400),
    ("PUT", f"/routing/v1/providers/{CID}", {}, 501),
    ("POST", f"/routing/v1/ipns/{NAME}", {}, 501),
    ("GET", f"/routing/v1/dht/closest/peers/{CID}", {}, 501),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), BAD)
async def test_what_cannot_be_answered_is_told_in_a_line(
    client, router, method, path, headers, status
) -> None:
    response = await client.request(method, path, headers=headers)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.text.splitlines()) == 1
    assert router.put == []


async def test_browsers_may_ask_before_they_ask(client) -> None:
    response = await client.options(f"/routing/v1/providers/{CID}", headers={"Origin": "https://example.com"})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in response.headers["Access-Control-Allow-Methods"]


async def test_the_best_record_of_a_name_is_answered(client, router) -> None:
    router.values = [OWNER.record(2), RECORD, OWNER.record(1)]
    response = await client.get(f"/routing/v1/ipns/{NAME}", headers={"Accept": RECORD_TYPE})
    assert response.content == RECORD
    assert response.headers["Content-Type"] == RECORD_TYPE
    assert response.headers["Expires"] == "Fri, 01 Jan 2100 00:00:00 GMT"
    assert response.headers["Etag"].startswith('"')
    assert "max-age=60," in response.headers["Cache-Control"]


async def test_without_a_record_the_answer_is_of_another_type(client) -> None:
    response = await client.get(f"/routing/v1/ipns/{NAME}", headers={"Accept": RECORD_TYPE})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")


async def put(client: httpx.AsyncClient, data: bytes) -> int:
    headers = {"Content-Type": RECORD_TYPE}
    return (await client.put(f"/routing/v1/ipns/{NAME}", content=data, headers=headers)).status_code


async def test_a_record_is_put_if_it_is_valid_and_new(client, router) -> None:
    assert await put(client, RECORD) == 200
    assert router.put == [(OWNER.key, RECORD)]
    for bad in (
        b"",
        b"nonsense",
        ed25519(2).record(),
        OWNER.record(ends=b"2000-01-01T00:00:00Z"),
        bytes(1 << 20),
    ):
        assert await put(client, bad) == 400
    assert len(router.put) == 1
    router.taken = 0
    assert await put(client, RECORD) == 503
    router.values = [OWNER.record(9)]
    assert await put(client, RECORD) == 400


async def test_a_record_that_does_not_end_is_not_waited_for(url) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
    head = f"PUT /routing/v1/ipns/{NAME} HTTP/1.1\r\nHost: x\r\nContent-Type: {RECORD_TYPE}\r\n"
    await stream.send_all(f"{head}Content-Length: 1000000000\r\n\r\n".encode() + bytes(20_000))
    with trio.fail_after(5):
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 400")
    await stream.aclose()


async def test_a_name_as_long_as_none_is_not_read(client) -> None:
    response = await client.get(f"/routing/v1/peers/{'1' * 5_000}")
    assert response.text == "no CID and no name is as long as this\n"


async def test_our_own_client_understands_it(url, router, nursery) -> None:
    router.infos, router.values = [PeerInfo(PEER, (FAR,))], [RECORD]
    asking = DelegatedRouter(url, OWN)
    await nursery.start(asking.run)
    found: list[object] = []
    assert await asking.find_providers(CID, found.append) == 1
    assert await asking.find_peer(PEER, found.append) == 1
    assert found == [PeerInfo(PEER, (FAR,))] * 2
    values: list[Value] = []
    assert await asking.get_value(OWNER.key, values.append) == 1
    assert [one.data for one in values] == [RECORD]
    router.values = []
    assert await asking.get_value(OWNER.key, values.append) == 1
    assert await asking.put_value(OWNER.key, values[0], values.append) == 1
    assert router.put == [(OWNER.key, RECORD)]
