"""Routers that send without end, lead elsewhere, or want to be remembered."""

from __future__ import annotations

import pytest
import trio
from http_routers import ADDRESS, CID, JSON, NDJSON, OTHER, PEER, line

from peershelf.protocols.routing.base import PeerInfo


@pytest.mark.parametrize("head", [NDJSON, JSON])
@pytest.mark.parametrize("filler", [b"\n" * 65_536, b" " * 65_536, b'{"Schema": "peer"}' * 1000])
async def test_an_endless_body_is_not_read_to_its_end(serve, router, head: bytes, filler: bytes) -> None:
    async def endlessly(stream: trio.SocketStream) -> None:
        await stream.send_all(head + (line() if head is NDJSON else b""))
        while True:
            await stream.send_all(filler)

    asking = await router((await serve(endlessly)).url)
    infos: list[PeerInfo] = []
    with trio.fail_after(5):
        assert await asking.find_providers(CID, infos.append) == 1
    assert infos == ([PeerInfo(PEER, (ADDRESS,))] if head is NDJSON else [])


async def test_giant_lines_are_passed_over(serve, router) -> None:
    server = await serve(NDJSON + line(x="x" * 200_000) + line(OTHER))
    infos: list[PeerInfo] = []
    await (await router(server.url)).find_providers(CID, infos.append)
    assert infos == [PeerInfo(OTHER, (ADDRESS,))]


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_no_redirect_leads_to_another_host(serve, router) -> None:
    elsewhere = await serve(NDJSON + line())
    server = await serve(redirect(f"{elsewhere.url}/routing/v1/providers/x"))
    infos: list[PeerInfo] = []
    assert await (await router(server.url)).find_providers(CID, infos.append) == 0
    assert elsewhere.requests == infos == []


async def test_redirects_on_the_same_host_are_followed_but_not_for_ever(serve, router) -> None:
    server = await serve(redirect("/there"))

    async def once(stream: trio.SocketStream) -> None:
        await stream.send_all(redirect("/there") if len(server.requests) == 1 else NDJSON + line())

    asking = await router(server.url)
    assert await asking.find_providers(CID, print) == 0
    assert len(server.requests) == 4
    server.handler, server.requests = once, []
    infos: list[PeerInfo] = []
    assert await asking.find_providers(CID, infos.append) == 1
    assert infos == [PeerInfo(PEER, (ADDRESS,))]
    assert server.requests[1].startswith("GET /there ")


async def test_no_cookies_are_kept(serve, router) -> None:
    server = await serve(NDJSON[:-2] + b"Set-Cookie: a=b\r\n\r\n")
    asking = await router(server.url)
    for _ in range(2):
        await asking.find_providers(CID, print)
    assert len(server.requests) == 2
    assert "cookie" not in server.requests[1].lower()
