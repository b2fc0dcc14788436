"""Connected peers that break, stall, flood or lie in the exchange of blocks."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, WantEntry
from peershelf.protocols.errors import TransportError
from peershelf.protocols.wire import frame_header

MIB = 1 << 20


def payload(block: Block, data: bytes | None = None) -> Payload:
    return Payload(Prefix.of(block.cid), block.data if data is None else data)


def small_blocks(number: int, size: int = 32) -> list[Block]:
    return [Block.create(os.urandom(size)) for _ in range(number)]


async def test_what_is_no_message_costs_its_stream(siege, stranger, is_reset, broken):
    async def dribble(stream) -> None:
        """Keep from stalling: it is the message that shall be refused."""
        with suppress(TransportError):
            while True:
                await stream.send_all(b"\0")
                await trio.sleep(0.2)

    async with siege(memory=24 * MIB), stranger() as peer:
        for name, data in broken.MESSAGES.items():
            for _ in range(5):
                stream = await peer.open_stream()
                with suppress(TransportError):
                    await stream.send_all(data)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(dribble, stream)
                    with trio.move_on_after(10) as patience:
                        await is_reset(stream)
                    nursery.cancel_scope.cancel()
                assert not patience.cancelled_caught, f"{name}: the stream goes on"


async def test_a_body_that_stalls_costs_its_stream(siege, stranger, is_reset):
    async with siege(memory=24 * MIB), stranger() as peer:
        streams = [await peer.open_stream() for _ in range(50)]
        for stream in streams:
            await stream.send_all(frame_header(100_000) + bytes(20_000))
        with trio.fail_after(15):
            for stream in streams:
                await is_reset(stream)


async def test_slow_writers_share_a_bounded_memory(siege, stranger, many, download):
    """Twelve peers begin 4 MiB on six streams each, send nearly all, and then a byte at a time."""

    async def write_slowly(peer) -> None:
        with suppress(TransportError):
            stream = await peer.open_stream()
            await stream.send_all(frame_header(4 * MIB) + bytes(4 * MIB - 100))
            for _ in range(50):
                await stream.send_all(b"x")
                await trio.sleep(0.2)

    async with (
        siege(memory=64 * MIB, transfer=download) as watch,
        many(12, stranger) as peers,
        trio.open_nursery() as nursery,
    ):
        for peer in peers:
            for _ in range(6):
                nursery.start_soon(write_slowly, peer)
        await watch.transferred.wait()
        nursery.cancel_scope.cancel()


async def test_slow_readers_share_a_bounded_memory(siege, stranger, many, victim):
    """Twelve peers want all blocks, 20 MiB for each, and grant no credit."""
    wants = tuple(WantEntry(block.cid) for block in victim.blocks)
    async with siege(memory=48 * MIB) as watch, many(12, lambda: stranger(reads=False)) as peers:
        for peer in peers:
            await peer.say(Message(wants=wants))
        await watch.transferred.wait()


async def test_a_want_repeated_6000_times_is_served_once(siege, stranger, victim, eventually):
    block = victim.blocks[0]
    async with siege(memory=24 * MIB), stranger(reads=False) as peer:
        await peer.say(Message(wants=(WantEntry(block.cid),) * 3_000))
        for _ in range(30):
            await peer.say(Message(wants=(WantEntry(block.cid),) * 100))
        missing = WantEntry(small_blocks(1)[0].cid, send_dont_have=True)
        await peer.say(Message(wants=(missing,)))
        # The last that was said: all that was said before has been taken in, and the block is on its way.
        await eventually(lambda: victim.wants_of(peer.name), [str(missing.cid)])
        peer.reading.set()
        await peer.until(lambda: peer.blocks and any(message.presences for message in peer.messages))
        await peer.say(Message(wants=(WantEntry(victim.blocks[1].cid),)))
        await peer.until(lambda: victim.blocks[1].data in peer.blocks)
    assert peer.blocks == [block.data, victim.blocks[1].data]


async def test_of_5000_wants_the_allowed_number_is_kept(siege, stranger, victim):
    wants = tuple(WantEntry(block.cid, send_dont_have=True) for block in small_blocks(5_000))
    async with siege(memory=24 * MIB), stranger() as peer:
        await peer.say(Message(wants=wants))
        await peer.until(lambda: sum(len(message.presences) for message in peer.messages) >= 1_024)
        assert await victim.count_wants_of(peer.name) == 1_024


async def test_alternating_full_wantlists_do_not_add_up(siege, stranger, victim, eventually):
    lists = [tuple(WantEntry(block.cid, send_dont_have=True) for block in small_blocks(500)) for _ in "ab"]
    async with siege(memory=24 * MIB), stranger() as peer:
        for turn in range(100):
            await peer.say(Message(wants=lists[turn % 2], full=True))
        last = {entry.cid for entry in lists[1]}
        await peer.until(lambda: last <= {one.cid for m in peer.messages for one in m.presences})
        await eventually(lambda: victim.count_wants_of(peer.name), 500)


async def test_unrequested_blocks_are_not_stored(siege, stranger, download):
    """Neither from a peer that was asked for nothing yet, nor from one that was asked for something else."""
    gifts = small_blocks(40, MIB // 2)
    async with siege(memory=32 * MIB, transfer=download) as watch, stranger() as peer:
        for number, gift in enumerate(gifts):
            if number == 20:
                with trio.fail_after(10):
                    await peer.asked.wait()
            with suppress(TransportError):
                await peer.say(Message(payloads=(payload(gift),)))
        await watch.transferred.wait()


@pytest.mark.parametrize("lie", ["claim_all", "send_something_else"])
async def test_peers_that_claim_all_and_send_nothing_right_are_done_without(
    siege, stranger, many, download, lies, lie
):
    async with (
        siege(memory=32 * MIB, transfer=download) as watch,
        many(5, lambda: stranger(getattr(lies, lie))) as peers,
    ):
        with trio.fail_after(10):
            await peers[0].asked.wait()
        await watch.transferred.wait()
