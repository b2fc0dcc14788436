"""What the routing API does not wait for, and how much of it one client gets."""

from __future__ import annotations

from contextlib import suppress

import trio
from fake_router import CID, FAR, LINES, PEER, lines

from peershelf.node.http import server as http_server
from peershelf.node.routing_api import app as routing_app
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.transport import PeerId


async def test_there_are_only_so_many_peers_in_an_answer(client, router) -> None:
    router.infos = [PeerInfo(PeerId(f"peer{number}"), (FAR,)) for number in range(500)]
    router.ends = trio.Event()
    assert len((await client.get(f"/routing/v1/providers/{CID}")).json()["Providers"]) == 20
    assert len(lines(await client.get(f"/routing/v1/providers/{CID}", headers=LINES))) == 100
    assert router.searches == 0


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
    with trio.fail_after(5):  # who has an answer may ask again before its place is free
        while (await client.get(f"/routing/v1/providers/{CID}")).status_code == 429:
            pass


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
