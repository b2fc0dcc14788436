"""Streams and connections on which the negotiation of a protocol is broken."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap import Bitswap
from peershelf.protocols.errors import StreamReset
from peershelf.protocols.libp2p import Libp2pNetwork

MIB = 1 << 20
DATA, SYN, FIN = 0, 1, 4
PING = "/ipfs/ping/1.0.0"


async def test_a_broken_negotiation_costs_its_stream_only(siege, secured_peer, by_hand, broken):
    async with siege(memory=24 * MIB), secured_peer() as peer:
        streams = {}
        for name, data in broken.NEGOTIATIONS.items():
            for start in (b"", by_hand.MULTISTREAM):
                number = 1 + 2 * len(streams)
                streams[number] = f"{name} after {start!r}"
                # Most would wait for more: the end of the stream tells that there is none.
                end = 0 if name == "too much" else FIN
                await peer.say(by_hand.yamux(DATA, SYN | end, number, payload=start + data))
        # Less than the time for a negotiation: they are refused for what they are.
        with trio.move_on_after(8):
            await peer.until(lambda: all(peer.is_reset(number) for number in streams))
        assert [name for number, name in streams.items() if not peer.is_reset(number)] == []
        await peer.say(by_hand.opened(1001, PING, bytes(32)))
        await peer.until(lambda: peer.heard(1001).endswith(bytes(32)))


@pytest.fixture
async def buggy(nursery):
    """A host with blocks and with a bug in a handler: in this process, since the daemon has no such bug."""
    blocks = [Block.create(os.urandom(MIB)) for _ in range(20)]
    store = MemoryStore()
    store.put_many(blocks)
    host = Libp2pNetwork(private_key=os.urandom(32), listen=["/ip4/127.0.0.1/tcp/0"], agent="buggy/1")

    async def fail(stream):
        await stream.receive_some()
        raise ExceptionGroup("bugs", [KeyError("a"), ValueError("b")])

    host.handle(["/test/bug"], fail)
    await nursery.start(Bitswap(host, store).run)
    await nursery.start(host.run)
    return SimpleNamespace(host=host, address=host.addresses()[0], blocks=blocks)


async def test_exceptions_in_handlers_cost_their_streams_only(nursery, buggy, upload, new_transfer):
    attacker = Libp2pNetwork(private_key=os.urandom(32), listen=["/ip4/127.0.0.1/tcp/0"], agent="attacker/1")
    await nursery.start(attacker.run)
    await attacker.connect(buggy.address)
    before = trio.lowlevel.current_statistics().tasks_living
    transfer = new_transfer()
    async with trio.open_nursery() as transfers:
        transfers.start_soon(upload, buggy, transfer)
        for _ in range(500):
            stream = await attacker.open_stream(buggy.host.local_peer, ["/test/bug"])
            await stream.send_all(b"x")
            with trio.fail_after(10), pytest.raises(StreamReset):
                await stream.receive_some()
        transfer.stop.set()
    assert transfer.done.is_set()
    with trio.fail_after(10):
        while trio.lowlevel.current_statistics().tasks_living > before:  # noqa: ASYNC110
            await trio.sleep(0.05)
