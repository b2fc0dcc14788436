"""Strangers whom the victim dials: somebody has named them, and they wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID

MIB = 1 << 20
TICKETS = 800
"""In a record of 16 KiB."""
LONG = 1.0
MOST = 0.4
"""Part of the thread for the honest transfer and the attack together."""


@pytest.fixture
def dialed(victim, handshakes):
    """`async with dialed(serve):` has the victim dial somebody who serves the connection with that."""

    @asynccontextmanager
    async def listen(serve) -> AsyncIterator[None]:
        keys = create_new_key_pair()

        async def accept(stream: trio.SocketStream) -> None:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await serve(handshakes.Wire(stream), keys)

        async with trio.open_nursery() as nursery:
            (listener,) = await nursery.start(partial(trio.serve_tcp, accept, 0, host="127.0.0.1"))
            port = listener.socket.getsockname()[1]
            address = f"/ip4/127.0.0.1/tcp/{port}/p2p/{ID.from_pubkey(keys.public_key)}"
            await victim.api("swarm/connect", arg=address)
            yield
            nursery.cancel_scope.cancel()

    return listen


async def test_who_sends_tickets_without_end_is_cut_off(siege, victim, dialed, rekeying, tmp_path):
    """Each of these connections had the whole thread for four seconds before anything was counted."""
    connected, cut_off = trio.Event(), trio.Event()

    async def flood(tcp, keys) -> None:
        secret = await rekeying.answer_hands(tcp, keys, tmp_path / "keys")
        await connected.wait()
        with suppress(trio.BrokenResourceError):
            for record in rekeying.tickets(secret, TICKETS):
                await tcp.write(record)
        cut_off.set()

    async with siege(memory=24 * MIB) as watch:
        await watch.connected.wait()
        async with dialed(flood):
            connected.set()
            share = await victim.thread_share(LONG)
            assert share < MOST, f"{share:.0%} of the thread"
            with trio.fail_after(10):
                await cut_off.wait()


UPDATE, PING = 1, 2
SYN = 1


@pytest.mark.parametrize(
    "frame", [(PING, SYN, 0, 7), (UPDATE, 0, 1, 1)], ids=["pings", "credit, a byte at a time"]
)
async def test_floods_of_who_was_dialed_leave_the_thread_to_others(
    siege, victim, dialed, handshakes, by_hand, frame
):
    connected, said = trio.Event(), by_hand.yamux(*frame) * 4_000

    async def over_and_over(tcp, keys) -> None:
        peer = await handshakes.answer_hands(tcp, keys)
        await connected.wait()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.listen, b"")
            while not peer.closed.is_set():
                await peer.say(said)

    async with siege(memory=48 * MIB) as watch:
        await watch.connected.wait()
        async with dialed(over_and_over):
            connected.set()
            await trio.sleep(1)  # what it may take at once, ahead of its share, is no matter here
            share = await victim.thread_share(3 * LONG)
            assert share < 0.5, f"{share:.0%} of the thread"
