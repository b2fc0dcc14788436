"""Secure channels over a pair of connected sockets: with our own kind and with py-libp2p's."""

import os
from collections.abc import AsyncIterator

import pytest
import trio
from cryptography import x509
from libp2p.abc import ISecureTransport
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_static_key
from libp2p.io.exceptions import IOException
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.security.noise.transport import Transport as StockNoise
from libp2p.security.tls.transport import TLSTransport as StockTls

from peershelf.protocols.libp2p.security.errors import ForgedMessage, SecureHandshakeFailed
from peershelf.protocols.libp2p.security.noise import NoiseChannel
from peershelf.protocols.libp2p.security.session import SecuredConnection
from peershelf.protocols.libp2p.security.tls import TlsChannel
from peershelf.protocols.libp2p.transport.stream import TcpStream

YAMUX = "/yamux/1.0.0"
ALICE, BOB = (create_new_key_pair(os.urandom(32)) for _ in range(2))
Pair = tuple[RawConnection, RawConnection]


def noise(keys: KeyPair) -> ISecureTransport:
    return NoiseChannel(keys, [YAMUX])


def tls(keys: KeyPair) -> ISecureTransport:
    return TlsChannel(keys, [YAMUX])


def stock_noise(keys: KeyPair) -> ISecureTransport:
    return StockNoise(keys, create_static_key().private_key)


def stock_tls(keys: KeyPair) -> ISecureTransport:
    return StockTls(keys)


def peer_id(keys: KeyPair) -> ID:
    return ID.from_pubkey(keys.public_key)


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """A connection's two ends, the dialing one first."""
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    dialed = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
    accepted = await listener.accept()
    await listener.aclose()
    ends = (RawConnection(TcpStream(dialed), True), RawConnection(TcpStream(accepted), False))
    yield ends
    for end in ends:
        await end.close()


async def secure(pair: Pair, ours: ISecureTransport, theirs: ISecureTransport, expected: ID):
    ends = []

    async def inbound() -> None:
        ends.append(await theirs.secure_inbound(pair[1]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(inbound)
        dialed = await ours.secure_outbound(pair[0], expected)
    return dialed, ends[0]


async def read_exactly(conn, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await conn.read(size - len(data))
    return data


KINDS = [
    (noise, noise),
    (noise, stock_noise),
    (stock_noise, noise),
    (tls, tls),
    (tls, stock_tls),
    (stock_tls, tls),
]


@pytest.mark.parametrize(("ours", "theirs"), KINDS)
async def test_both_ends_know_each_other_and_data_goes_both_ways(pair: Pair, ours, theirs) -> None:
    dialed, accepted = await secure(pair, ours(ALICE), theirs(BOB), peer_id(BOB))
    assert dialed.get_remote_peer() == peer_id(BOB)
    assert accepted.get_remote_peer() == peer_id(ALICE)
    data = os.urandom(1_000_000)
    for one, other in ((dialed, accepted), (accepted, dialed)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.write, data)
            assert await read_exactly(other, len(data)) == data


@pytest.mark.parametrize("kind", [noise, tls])
async def test_the_muxer_is_agreed_upon_on_the_way(pair: Pair, kind) -> None:
    dialed, accepted = await secure(pair, kind(ALICE), kind(BOB), peer_id(BOB))
    assert dialed.early_muxer == accepted.early_muxer == YAMUX


@pytest.mark.parametrize(("ours", "theirs"), [(noise, stock_noise), (tls, stock_tls)])
async def test_a_peer_that_offers_no_muxer_is_asked_later(pair: Pair, ours, theirs) -> None:
    dialed, _ = await secure(pair, ours(ALICE), theirs(BOB), peer_id(BOB))
    assert isinstance(dialed, SecuredConnection)
    assert dialed.early_muxer is None


@pytest.mark.parametrize("kind", [noise, tls])
async def test_another_peer_than_the_one_dialed_is_refused(pair: Pair, kind) -> None:
    async def inbound() -> None:
        with pytest.raises(Exception):  # noqa: B017 - it depends on how far the handshake got
            await kind(BOB).secure_inbound(pair[1])
            raise ConnectionError

    async with trio.open_nursery() as nursery:
        nursery.start_soon(inbound)
        with pytest.raises(PeerIDMismatchesPubkey):
            await kind(ALICE).secure_outbound(pair[0], peer_id(ALICE))
        await pair[0].close()


@pytest.mark.parametrize("kind", [noise, tls])
@pytest.mark.parametrize(
    "garbage", [b"\x00\x00", b"\x00\x20" + bytes(32) * 3, b"GET / HTTP/1.1\r\n\r\n" * 300]
)
async def test_garbage_ends_the_handshake(pair: Pair, kind, garbage: bytes) -> None:
    await pair[1].write(garbage)
    await pair[1].close()
    with pytest.raises((SecureHandshakeFailed, IOException)):
        await kind(ALICE).secure_outbound(pair[0], peer_id(BOB))


@pytest.mark.parametrize("kind", [noise, tls])
async def test_bytes_put_in_by_somebody_else_end_the_connection(pair: Pair, kind) -> None:
    _, accepted = await secure(pair, kind(ALICE), kind(BOB), peer_id(BOB))
    await pair[0].write(b"\x00\x20" + os.urandom(64))
    with pytest.raises(ForgedMessage):
        await accepted.read()


async def test_a_certificate_made_for_another_key_is_refused(pair: Pair, monkeypatch) -> None:
    forged = TlsChannel(ALICE, [YAMUX])
    real = TlsChannel(BOB, [YAMUX])._stock
    # Mallory shows Bob's certificate, which everybody has seen, over a key of its own: TLS notices.
    monkeypatch.setattr(forged._stock, "_cert_pem", real._cert_pem)
    with pytest.raises(Exception, match=r"KEY_VALUES_MISMATCH|key values mismatch"):
        await forged.secure_inbound(pair[1])


async def test_a_certificate_without_an_identity_is_refused(pair: Pair, monkeypatch) -> None:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from libp2p.security.tls.certificate import create_cert_template

    key = ec.generate_private_key(ec.SECP256R1())
    plain = create_cert_template().public_key(key.public_key()).sign(key, hashes.SHA256())
    nobody = TlsChannel(BOB, [YAMUX])
    monkeypatch.setattr(nobody._stock, "_cert_pem", plain.public_bytes(serialization.Encoding.PEM).decode())
    monkeypatch.setattr(
        nobody._stock,
        "_key_pem",
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )

    async def inbound() -> None:
        with pytest.raises(Exception):  # noqa: B017
            conn = await nobody.secure_inbound(pair[1])
            while await conn.read():
                pass
            raise ConnectionError

    async with trio.open_nursery() as nursery:
        nursery.start_soon(inbound)
        with pytest.raises(SecureHandshakeFailed, match="identity"):
            await TlsChannel(ALICE, [YAMUX]).secure_outbound(pair[0], peer_id(BOB))
        await pair[0].close()


def test_a_certificate_has_no_extension_but_that_of_libp2p():
    """js-libp2p looks at the first one alone."""
    stock = TlsChannel(ALICE, [YAMUX])._stock
    certificate = x509.load_pem_x509_certificate(stock.get_certificate_pem().encode())
    assert [one.oid.dotted_string for one in certificate.extensions] == ["1.3.6.1.4.1.53594.1.1"]
