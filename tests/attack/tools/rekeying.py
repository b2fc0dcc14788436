"""TLS peers that say nothing but that they have new keys, or tickets, which Python's ssl has no call for."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from handmade import MULTISTREAM, line, propose
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.security.tls.transport import TLSTransport
from secured import Wire

_HASH, _HASH_SIZE, _KEY_SIZE, _IV_SIZE = "sha384", 48, 32, 12
"""Those of TLS_AES_256_GCM_SHA384, which OpenSSL prefers."""
_HANDSHAKE, _APPLICATION_DATA = b"\x16", b"\x17"


async def shake_hands(carrier: Wire, keylog: Path) -> bytes:
    """Agree on TLS as the one who dials; return the secret that our records are sealed with."""
    await carrier.write(propose("/tls/1.0.0"))
    came, expected = b"", MULTISTREAM + line("/tls/1.0.0")
    while len(came) < len(expected):
        came += await carrier.read(len(expected) - len(came))
    context = TLSTransport(create_new_key_pair(), muxers=["/yamux/1.0.0"]).create_ssl_context(False)
    context.keylog_filename = str(keylog)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing)
    while not _is_done(session):
        await carrier.write(outgoing.read())
        incoming.write(await carrier.read(65_536))
    await carrier.write(outgoing.read())
    assert session.cipher()[0] == "TLS_AES_256_GCM_SHA384"  # type: ignore[index]
    return _secret(keylog, "CLIENT_TRAFFIC_SECRET_0")


def _secret(keylog: Path, name: str) -> bytes:
    lines = [words.split() for words in keylog.read_text().splitlines()]
    (secret,) = [bytes.fromhex(words[2]) for words in lines if words[0] == name]
    return secret


async def answer_hands(carrier: Wire, keys: KeyPair, keylog: Path) -> bytes:
    """Agree on TLS and Yamux as the one who is dialed; return the secret that our records are sealed with."""
    await carrier.write(MULTISTREAM)
    came = b""
    while line("/tls/1.0.0") not in came:
        before, came = came, came + await carrier.read(1_000)
        if line("/noise") in came and line("/noise") not in before:
            await carrier.write(line("na"))
    await carrier.write(line("/tls/1.0.0"))
    context = TLSTransport(keys, muxers=["/yamux/1.0.0"]).create_ssl_context(True)
    context.num_tickets = 0
    context.keylog_filename = str(keylog)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_side=True)
    while not _is_done(session):
        if outgoing.pending:
            await carrier.write(outgoing.read())
        incoming.write(await carrier.read(65_536))
    assert session.cipher()[0] == "TLS_AES_256_GCM_SHA384"  # type: ignore[index]
    return _secret(keylog, "SERVER_TRAFFIC_SECRET_0")


def tickets(secret: bytes, number: int) -> Iterator[bytes]:
    """Yield records without end that are full of tickets for later connections, so many in each."""
    ticket = (
        b"\x04" + b"\x00\x00\x0f" + b"\x00\x00\x1c\x20" + bytes(4) + b"\x01\x00" + b"\x00\x01x" + b"\x00\x00"
    )
    message = ticket * number + _HANDSHAKE
    key, iv = AESGCM(_derived(secret, b"key", _KEY_SIZE)), _derived(secret, b"iv", _IV_SIZE)
    head = _APPLICATION_DATA + b"\x03\x03" + (len(message) + 16).to_bytes(2, "big")
    for sequence in itertools.count():
        nonce = bytes(one ^ other for one, other in zip(iv, sequence.to_bytes(_IV_SIZE, "big"), strict=True))
        yield head + key.encrypt(nonce, message, head)


def _is_done(session: Any) -> bool:
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def key_updates(secret: bytes, number: int, *, asking: bool) -> bytes:
    """Return so many records that each say that the next one is sealed with a new key.

    Each may also ask for new keys of the other side, which TLS has to answer.
    """
    message = b"\x18\x00\x00\x01" + bytes([asking]) + _HANDSHAKE
    head = _APPLICATION_DATA + b"\x03\x03" + (len(message) + 16).to_bytes(2, "big")
    records = []
    for _ in range(number):
        key, iv = _derived(secret, b"key", _KEY_SIZE), _derived(secret, b"iv", _IV_SIZE)
        records.append(head + AESGCM(key).encrypt(iv, message, head))
        secret = _derived(secret, b"traffic upd", _HASH_SIZE)
    return b"".join(records)


def _derived(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label of RFC 8446, of no more than one hash."""
    label = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(label)]) + label + b"\x00" + b"\x01"
    return hmac.digest(secret, info, getattr(hashlib, _HASH))[:size]
