"""A protocol that sends back what it gets."""

from __future__ import annotations

import trio

from peershelf.protocols.transport import Stream

ECHO = "/test/echo/1.0.0"


async def echo(stream: Stream) -> None:
    while data := await stream.receive_some():
        await stream.send_all(data)


async def echoed(stream: Stream, data: bytes) -> bytes:
    """Send data, return as much as comes back, and close the stream."""
    received = bytearray()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, data)
        while len(received) < len(data):
            received += await stream.receive_some()
    await stream.aclose()
    return bytes(received)
