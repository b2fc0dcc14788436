"""The client against HTTP servers on loopback that do what they like."""

from __future__ import annotations

import datetime
import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.delegated import DelegatedRouter, client, pausing
from peershelf.protocols.routing.kad.keys import peer_bytes
from peershelf.protocols.transport import PeerId

OWN = PeerId("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
OTHER = PeerId("12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")
ADDRESS = "/ip4/192.0.2.7/tcp/4001"
CID = Block.create(b"wanted").cid
NDJSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

Handler = Callable[[trio.SocketStream], Awaitable[None]]


def record(peer: PeerId = PEER, **more: Any) -> dict[str, Any]:
    return {"Schema": "peer", "ID": peer, "Addrs": [ADDRESS], **more}


def line(peer: PeerId = PEER, **more: Any) -> bytes:
    return json.dumps(record(peer, **more)).encode() + b"\n"


class Server:
    """Reads a request for each connection, then leaves it to `handler`."""

    def __init__(self, handler: Handler | bytes) -> None:
        self.handler = handler
        self.requests: list[str] = []
        self.url = ""

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            self.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
            await nursery.start(trio.serve_listeners, self._serve, [listener])
            task_status.started()

    async def _serve(self, stream: trio.SocketStream) -> None:
        request = b""
        try:
            while not request.endswith(b"\r\n\r\n"):
                request += await stream.receive_some() or b"\r\n\r\n"
            self.requests.append(request.decode())
            if isinstance(self.handler, bytes):
                await stream.send_all(self.handler)
            else:
                await self.handler(stream)
        except trio.BrokenResourceError:
            pass
        finally:
            with trio.CancelScope(shield=True):
                await stream.aclose()


@pytest.fixture
def serve(nursery: trio.Nursery):
    async def start(handler: Handler | bytes) -> Server:
        server = Server(handler)
        await nursery.start(server.run)
        return server

    return start


@pytest.fixture
def router(nursery: trio.Nursery):
    async def start(url: str) -> DelegatedRouter:
        made = DelegatedRouter(url, OWN)
        await nursery.start(made.run)
        return made

    return start


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


FAILING = {
    "an error": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
    "no redirect": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    "a redirect to nowhere": b"HTTP/1.1 302 Found\r\nLocation: http://[::\r\nContent-Length: 0\r\n\r\n",
    "a redirect to a file": b"HTTP/1.1 302 Found\r\nLocation: file:///etc\r\nContent-Length: 0\r\n\r\n",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
    "no type": b"HTTP/1.1 200 OK\r\n\r\n" + line(),
    "compressed": NDJSON[:-2] + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08",
    "no HTTP": b"\x00\xff\n" + line(),
    "nothing": b"",
    "half a head": NDJSON[:20],
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
    "endless status": b"HTTP/1.1 " + b"2" * 500_000,
}


@pytest.mark.parametrize("answer", FAILING.values(), ids=FAILING.keys())
async def test_a_router_that_fails_again_is_left_alone_for_a_while(
    serve, router, monkeypatch, answer
) -> None:
    monkeypatch.setattr(pausing, "FIRST", 0.3)
    server = await serve(answer)
    asking = await router(server.url)
    infos: list[PeerInfo] = []
    assert [await asking.find_providers(CID, infos.append) for _ in range(4)] == [0] * 4
    assert len(server.requests) == 2
    assert infos == []
    server.handler = NDJSON + line()
    with trio.fail_after(5):
        while not await asking.find_providers(CID, infos.append):  # noqa: ASYNC110
            await trio.sleep(0.05)
    assert infos == [PeerInfo(PEER, (ADDRESS,))]


async def test_nobody_there_is_a_failure(router) -> None:
    with trio.socket.socket() as closed:
        await closed.bind(("127.0.0.1", 0))
        asking = await router(f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert await asking.find_providers(CID, print) == 0
    assert await (await router("http://name.invalid")).find_providers(CID, print) == 0


async def test_without_a_certificate_that_is_trusted_nothing_is_asked(
    router, nursery, tmp_path, monkeypatch
) -> None:
    requests: list[bytes] = []

    async def listen(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with suppress(trio.BrokenResourceError):
            requests.append(await stream.receive_some())

    serve_tls = partial(trio.serve_ssl_over_tcp, listen, 0, self_signed(tmp_path), host="127.0.0.1")
    (listener,) = await nursery.start(serve_tls)
    port = listener.transport_listener.socket.getsockname()[1]
    monkeypatch.setattr(client, "log", log := Mock())
    assert await (await router(f"https://localhost:{port}")).find_providers(CID, print) == 0
    assert requests == []
    assert "CERTIFICATE_VERIFY_FAILED" in log.debug.call_args.kwargs["reason"]


def self_signed(directory: Path) -> ssl.SSLContext:
    """What a server needs that says of itself that it is localhost."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
    pem = directory / "both.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(encoding, form, serialization.NoEncryption())
    pem.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(encoding) + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


async def test_what_came_before_a_failure_counts(serve, router) -> None:
    cut = NDJSON[:-2] + b"Content-Length: 9999\r\n\r\n" + line() + line(OTHER)[:9]
    infos: list[PeerInfo] = []
    assert await (await router((await serve(cut)).url)).find_providers(CID, infos.append) == 0
    assert infos == [PeerInfo(PEER, (ADDRESS,))]


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


async def test_silence_has_an_end_and_is_no_failure(serve, router, monkeypatch) -> None:
    async def silently(stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async def half_silently(stream: trio.SocketStream) -> None:
        await stream.send_all(NDJSON + line())
        await trio.sleep_forever()

    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    server = await serve(silently)
    asking = await router(server.url)
    infos: list[PeerInfo] = []
    assert [await asking.find_providers(CID, infos.append) for _ in range(3)] == [1] * 3
    server.handler = half_silently
    assert await asking.find_providers(CID, infos.append) == 1
    assert infos == [PeerInfo(PEER, (ADDRESS,))]


async def test_a_search_can_be_cancelled_anywhere(serve, router) -> None:
    async def silently(stream: trio.SocketStream) -> None:
        await stream.send_all(NDJSON + line())
        await trio.sleep_forever()

    asking = await router((await serve(silently)).url)
    for _ in range(20):
        with trio.CancelScope() as scope:
            await asking.find_providers(CID, lambda info, scope=scope: scope.cancel())
        assert scope.cancelled_caught


async def test_no_cookies_are_kept(serve, router) -> None:
    server = await serve(NDJSON[:-2] + b"Set-Cookie: a=b\r\n\r\n")
    asking = await router(server.url)
    for _ in range(2):
        await asking.find_providers(CID, print)
    assert len(server.requests) == 2
    assert "cookie" not in server.requests[1].lower()


async def test_nobody_is_asked_before_it_runs(serve) -> None:
    server = await serve(NDJSON)
    assert await DelegatedRouter(server.url, OWN).find_providers(CID, print) == 0
    assert server.requests == []
