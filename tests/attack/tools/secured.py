"""A peer that shakes hands as it should, and from then on says what a test has it say."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import trio
from handmade import DATA, MULTISTREAM, RST, Frame, Frames, line, propose
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.io.abc import ReadWriteCloser
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID
from libp2p.security.noise.transport import Transport as NoiseTransport

PATIENCE = 20.0
"""Seconds for what a victim should do at once; it has two cores and other work."""


class Wire(ReadWriteCloser):
    """A TCP connection for py-libp2p's handshakes; remembers what was written."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.sent: list[bytes] = []

    async def read(self, n: int | None = None) -> bytes:
        return bytes(await self.stream.receive_some(n))

    async def write(self, data: bytes) -> None:
        self.sent.append(data)
        await self.stream.send_all(data)

    async def close(self) -> None:
        await self.stream.aclose()

    def get_remote_address(self) -> tuple[str, int]:
        return self.stream.socket.getpeername()[:2]

    def abort(self) -> None:
        """Let the victim see a TCP reset."""
        self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.stream.socket.close()


@asynccontextmanager
async def wire(port: int, *, source: str = "127.0.0.1") -> AsyncIterator[Wire]:
    """Connect to a port of this machine, from one of its addresses."""
    stream = await trio.open_tcp_stream("127.0.0.1", port, local_address=source)
    try:
        yield Wire(stream)
    finally:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)


async def is_cut_off(carrier: Wire) -> None:
    """Fail unless the victim closes the connection."""
    with trio.fail_after(PATIENCE), suppress(trio.BrokenResourceError):
        while await carrier.read(65_536):
            pass


async def agree(conn: Any, protocol: str) -> bytes:
    """Negotiate on something that has read() and write(); return what came after it."""
    expected = MULTISTREAM + line(protocol)
    await conn.write(propose(protocol))
    answer = b""
    while len(answer) < len(expected):
        data = await conn.read()
        assert data, "the victim closed the connection while negotiating"
        answer += data
    assert answer.startswith(expected), answer[:100]
    return answer[len(expected) :]


async def shake_hands(carrier: Wire, victim: str, keys: KeyPair, make: Any = NoiseTransport) -> Any:
    """Secure a connection with Noise, as the one who dials."""
    assert not await agree(carrier, "/noise")
    noise = make(keys, noise_privkey=create_noise_key_pair().private_key)
    return await noise.secure_outbound(RawConnection(carrier, True), ID.from_base58(victim))


async def hear_out(conn: Any, protocol: str) -> bytes:
    """Agree on what the victim proposes, whatever it proposes before that; return what came after it."""
    await conn.write(MULTISTREAM)
    came = b""
    while line(protocol) not in came:
        data = await conn.read()
        assert data, "the victim closed the connection while negotiating"
        came += data
    await conn.write(line(protocol))
    return came.partition(line(protocol))[2]


async def answer_hands(carrier: Wire, keys: KeyPair) -> SecuredPeer:
    """Secure a connection with Noise and agree on Yamux, as the one who is dialed."""
    ahead = Ahead(carrier, await hear_out(carrier, "/noise"))
    noise = NoiseTransport(keys, noise_privkey=create_noise_key_pair().private_key)
    conn = await noise.secure_inbound(RawConnection(ahead, False))
    rest = await hear_out(conn, "/yamux/1.0.0")
    peer = SecuredPeer(carrier, conn, keys)
    peer._take(rest)
    return peer


class Ahead(ReadWriteCloser):
    """A connection of which more has been read than was asked for."""

    def __init__(self, inner: Wire, ahead: bytes) -> None:
        self._inner, self._ahead = inner, ahead

    async def read(self, n: int | None = None) -> bytes:
        if not self._ahead:
            return await self._inner.read(n)
        size = len(self._ahead) if n is None else n
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    async def write(self, data: bytes) -> None:
        await self._inner.write(data)

    async def close(self) -> None:
        await self._inner.close()

    def get_remote_address(self) -> tuple[str, int]:
        return self._inner.get_remote_address()


class SecuredPeer:
    """Both sides have proven who they are and agreed on Yamux; what follows is made by hand.

    Writing to a victim that has closed the connection does nothing: look at `closed`.
    """

    def __init__(self, carrier: Wire, conn: Any, keys: KeyPair) -> None:
        self.carrier = carrier
        self.conn = conn
        self.name = str(ID.from_pubkey(keys.public_key))
        self.frames: list[Frame] = []
        self.closed = trio.Event()
        self._changed = trio.Event()
        self._decoder = Frames()

    async def say(self, *pieces: bytes) -> None:
        """Write some frames in one go."""
        if self.closed.is_set():
            return
        try:
            await self.conn.write(b"".join(pieces))
        except Exception:
            self.closed.set()

    async def listen(self, rest: bytes, *, pause: trio.Event | None = None) -> None:
        """Take in what the victim sends, until it closes."""
        if pause is not None:
            await pause.wait()
        self._take(rest)
        with suppress(Exception):
            while data := await self.conn.read():
                self._take(data)
        self.closed.set()
        self._tell()

    def _take(self, data: bytes) -> None:
        self.frames += self._decoder.receive(data)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what the victim says to make a condition true."""
        with trio.fail_after(PATIENCE):
            while not condition():
                assert not self.closed.is_set(), "the victim closed the connection"
                await self._changed.wait()

    def is_reset(self, stream: int) -> bool:
        """Whether the victim has reset one of our streams."""
        return any(frame.stream == stream and frame.flags & RST for frame in self.frames)

    def heard(self, stream: int) -> bytes:
        """What the victim has sent on a stream."""
        return b"".join(f.payload for f in self.frames if f.kind == DATA and f.stream == stream)


@asynccontextmanager
async def secured(
    port: int, victim: str, *, keys: KeyPair | None = None, deaf: bool = False
) -> AsyncIterator[SecuredPeer]:
    """Connect to a victim; a deaf peer does not read."""
    keys = keys or create_new_key_pair()
    async with wire(port) as carrier, trio.open_nursery() as nursery:
        conn = await shake_hands(carrier, victim, keys)
        rest = await agree(conn, "/yamux/1.0.0")
        peer = SecuredPeer(carrier, conn, keys)
        nursery.start_soon(lambda: peer.listen(rest, pause=trio.Event() if deaf else None))
        yield peer
        nursery.cancel_scope.cancel()
