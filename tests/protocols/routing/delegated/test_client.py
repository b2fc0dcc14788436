"""What is asked of a router, and what is made of its answers."""

from __future__ import annotations

import json

import trio
from http_routers import ADDRESS, CID, JSON, NDJSON, OTHER, OWN, PEER, line, record

from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.delegated import DelegatedRouter
from peershelf.protocols.routing.kad.keys import peer_bytes


async def test_each_provider_is_told_of_when_its_line_has_come(serve, router, nursery) -> None:
    go_on, told = trio.Event(), trio.Event()

    async def slowly(stream: trio.SocketStream) -> None:
        await stream.send_all(NDJSON + line() + line(OTHER)[:10])
        await go_on.wait()
        await stream.send_all(line(OTHER)[10:])

    def found(info: PeerInfo) -> None:
        infos.append(info)
        told.set()

    infos: list[PeerInfo] = []
    server = await serve(slowly)
    asking = await router(server.url)
    with trio.fail_after(5):
        async with trio.open_nursery() as search:
            search.start_soon(asking.find_providers, CID, found)
            await told.wait()
            assert infos == [PeerInfo(PEER, (ADDRESS,))]
            go_on.set()
    assert infos == [PeerInfo(PEER, (ADDRESS,)), PeerInfo(OTHER, (ADDRESS,))]


async def test_what_is_asked_for_and_how(serve, router) -> None:
    server = await serve(NDJSON)
    asking = await router(server.url + "/below/")
    await asking.find_providers(Cid.v0(CID.multihash), print)
    request = server.requests[0]
    v1 = Cid.v1(0x70, CID.multihash)
    assert request.startswith(f"GET /below/routing/v1/providers/{v1} HTTP/1.1\r\n")
    assert "\r\nAccept: application/x-ndjson, application/json;q=0.9\r\n" in request
    assert "\r\nAccept-Encoding: identity\r\n" in request


async def test_routers_that_stream_nothing_are_read_too(serve, router) -> None:
    server = await serve(JSON + json.dumps({"Providers": [record(), record(OWN), 7]}).encode())
    infos: list[PeerInfo] = []
    assert await (await router(server.url)).find_providers(CID, infos.append) == 1
    assert infos == [PeerInfo(PEER, (ADDRESS,))]


async def test_only_the_peer_that_was_asked_for_is_found(serve, router) -> None:
    server = await serve(NDJSON + line(OTHER) + line(Addrs=[]) + line())
    infos: list[PeerInfo] = []
    assert await (await router(server.url)).find_peer(PEER, infos.append) == 1
    assert infos == [PeerInfo(PEER, (ADDRESS,))]
    assert server.requests[0].startswith(f"GET /routing/v1/peers/{Cid.v1(LIBP2P_KEY, peer_bytes(PEER))} HTTP")


async def test_a_router_announces_nothing(serve, router) -> None:
    server = await serve(NDJSON)
    assert await (await router(server.url)).provide([CID.multihash]) == 0
    assert server.requests == []


async def test_not_found_is_an_answer(serve, router) -> None:
    server = await serve(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")
    asking = await router(server.url)
    infos: list[PeerInfo] = []
    assert [await asking.find_providers(CID, infos.append) for _ in range(4)] == [1] * 4
    assert infos == []
    assert len(server.requests) == 4


async def test_a_search_can_be_cancelled_anywhere(serve, router) -> None:
    async def silently(stream: trio.SocketStream) -> None:
        await stream.send_all(NDJSON + line())
        await trio.sleep_forever()

    asking = await router((await serve(silently)).url)
    for _ in range(20):
        with trio.CancelScope() as scope:
            await asking.find_providers(CID, lambda info, scope=scope: scope.cancel())
        assert scope.cancelled_caught


async def test_nobody_is_asked_before_it_runs(serve) -> None:
    server = await serve(NDJSON)
    assert await DelegatedRouter(server.url, OWN).find_providers(CID, print) == 0
    assert server.requests == []
