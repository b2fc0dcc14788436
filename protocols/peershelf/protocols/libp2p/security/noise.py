"""Noise as a secure channel.

The stock session is not used: it reads two bytes and then a message at a time, and writes each message by
itself, which holds one connection to a third of what it can move.
"""

from __future__ import annotations

from collections.abc import Sequence

from libp2p.abc import IRawConnection
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair
from libp2p.peer.id import ID

from peershelf.protocols.libp2p.read_ahead import ReadAhead
from peershelf.protocols.libp2p.security.channel import SecureChannel
from peershelf.protocols.libp2p.security.noise_codec import LENGTH_SIZE
from peershelf.protocols.libp2p.security.noise_handshake import NoiseHandshake
from peershelf.protocols.libp2p.security.session import SecuredConnection


class NoiseChannel(SecureChannel):
    """Secures connections with Noise XX.

    Args:
        keys: this node's identity.
        muxers: the stream multiplexers to offer on the way, the preferred one first.
    """

    def __init__(self, keys: KeyPair, muxers: Sequence[str]) -> None:
        self._identity = keys.private_key
        self._static = create_new_key_pair().private_key
        self._muxers = muxers

    async def secure(self, conn: IRawConnection, ahead: ReadAhead, expected: ID | None) -> SecuredConnection:
        """Shake hands: see SecureChannel."""
        handshake = NoiseHandshake(self._identity, self._static, expected, self._muxers)
        await _send(ahead, handshake.start())
        while handshake.agreed is None:
            size = int.from_bytes(await ahead.read_exactly(LENGTH_SIZE), "big")
            await _send(ahead, handshake.receive(await ahead.read_exactly(size)))
        return SecuredConnection(conn, self._identity, handshake.agreed, ahead.take())


async def _send(ahead: ReadAhead, message: bytes) -> None:
    if message:
        await ahead.write(len(message).to_bytes(LENGTH_SIZE, "big") + message)
