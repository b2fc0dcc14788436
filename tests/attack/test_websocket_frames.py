"""WebSocket frames that carry nothing, from strangers that never even shake hands."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio

MIB = 1 << 20
STRANGERS = 16
BURST = 2.0
"""Seconds for what each of them may have ahead."""
LONG = 3.0
"""Seconds of the attack, over which the time of the victim's thread is counted."""
MOST = 0.4
"""Part of it for the honest transfer and the attack together."""
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
BINARY, PING = 2, 9


@pytest.fixture(scope="module")
def victim(new_victim):
    settings = {
        "Swarm.Transports.Network.Websocket": "true",
        "Addresses.Swarm": '["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws"]',
    }
    with new_victim(settings) as running:
        yield running


@pytest.mark.parametrize("opcode", [BINARY, PING])
async def test_empty_frames_leave_the_thread_to_others(siege, victim, handshakes, nursery, opcode):
    (port,) = [int(address.split("/")[4]) for address in victim.shelf.addresses if "/ws/" in address]
    frames = bytes([0x80 | opcode, 0x80, 0, 0, 0, 0]) * 10_000

    async def flood(source: str) -> None:
        while True:
            with suppress(trio.BrokenResourceError):
                async with handshakes.wire(port, source=source) as tcp:
                    await tcp.write(UPGRADE)
                    while True:
                        await tcp.write(frames)

    async with siege(memory=24 * MIB) as watch:
        await watch.connected.wait()
        for number in range(STRANGERS):
            nursery.start_soon(flood, f"127.0.1.{number + 1}")
        await trio.sleep(BURST)
        share = await victim.thread_share(LONG)
        assert share < MOST, f"{share:.0%} of the thread"
        nursery.cancel_scope.cancel()
