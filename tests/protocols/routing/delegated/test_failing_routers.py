"""Routers that fail, are not there, or are silent."""

from __future__ import annotations

import datetime
import ssl
from contextlib import suppress
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from http_routers import ADDRESS, CID, NDJSON, OTHER, PEER, line

from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.delegated import client, pausing

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
