"""Ping: 32 random bytes there and back.

Spec: https://github.com/libp2p/specs/blob/master/ping/ping.md
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable

import trio

from peershelf.protocols.errors import RemoteProtocolError, StreamReset
from peershelf.protocols.transport import Stream

PING = "/ipfs/ping/1.0.0"
SIZE = 32
IDLE_TIMEOUT = 60.0
"""Seconds without a ping after which the stream of an inbound one is closed."""


async def answer_pings(stream: Stream, rest: Callable[[], Awaitable[None]]) -> None:
    """Send back what comes in, 32 bytes at a time, until the peer closes or is silent for too long.

    Args:
        rest: waits until the peer may have another answer.
    """
    while True:
        await rest()
        with trio.move_on_after(IDLE_TIMEOUT) as idle:
            payload = await _receive_exactly(stream)
        if idle.cancelled_caught or not payload:
            return
        await stream.send_all(payload)


async def round_trip(stream: Stream) -> float:
    """Send one ping on a stream for PING; return the seconds that its echo took.

    Raises RemoteProtocolError when something else comes back, StreamReset.
    """
    payload = secrets.token_bytes(SIZE)
    start = time.perf_counter()
    await stream.send_all(payload)
    echo = await _receive_exactly(stream)
    elapsed = time.perf_counter() - start
    if echo != payload:
        raise RemoteProtocolError("the peer answered a ping with something else")
    return elapsed


async def _receive_exactly(stream: Stream) -> bytes:
    """Return SIZE bytes, or b"" at a clean end. Raises StreamReset."""
    received = b""
    while len(received) < SIZE:
        data = await stream.receive_some(SIZE - len(received))
        if not data and received:
            raise StreamReset("the stream ended inside a ping")
        if not data:
            return b""
        received += data
    return received
