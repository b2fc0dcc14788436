"""Attacks of connected peers on the exchange of blocks."""

from __future__ import annotations

import itertools
import os
from contextlib import AsyncExitStack, suppress
from typing import Any

import trio

from bench.attacks.attack import Attack, Pace, Target, side_by_side, tool
from bench.attacks.saying import encoded, over_and_over
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, WantEntry
from peershelf.protocols.errors import TransportError
from peershelf.protocols.wire import frame_header

_REPEATS = 6_000
_LIST = 500
_MANY = 5_000
_GIFT = 128 * 1024
_READERS = 12
_WRITERS, _BEGUN = 12, 4 * 1024 * 1024
_LIARS = 5
_STAY = 0.3
"""Seconds that a peer stays which comes again as another."""
_IDENTITIES = 16
"""As many connections as one address may have."""


def _missing(number: int) -> list[Cid]:
    return [Block.create(os.urandom(32)).cid for _ in range(number)]


async def repeats(target: Target, pace: Pace) -> None:
    """One want, as often as a message holds it; the block is never read."""
    wants = (WantEntry(target.leaves[0]),) * (_REPEATS // 2)
    data = encoded(Message(wants=wants))
    async with target.stranger(reads=False) as peer:
        while True:
            await pace.due(_REPEATS)
            await peer.write(data * 2)


async def too_many(target: Target, pace: Pace) -> None:
    """More wants than are kept for a peer, of blocks that are not there."""
    wants = tuple(WantEntry(cid, send_dont_have=True) for cid in _missing(_MANY))
    await over_and_over(target, pace, encoded(Message(wants=wants)), _MANY)


async def full_lists(target: Target, pace: Pace) -> None:
    """Two wantlists that replace each other."""
    lists = [tuple(WantEntry(cid, send_dont_have=True) for cid in _missing(_LIST)) for _ in "ab"]
    data = [encoded(Message(wants=wants, full=True)) for wants in lists]
    async with target.stranger() as peer:
        for turn in itertools.count():
            await pace.due(_LIST)
            peer.messages.clear()
            await peer.write(data[turn % 2])


async def many_lists(target: Target, pace: Pace) -> None:
    """The same by as many identities as one address may have connections, each as fast as it is let."""
    lists = [tuple(WantEntry(cid) for cid in _missing(_LIST)) for _ in "ab"]
    data = [encoded(Message(wants=wants, full=True)) for wants in lists]

    async def one() -> None:
        async with target.stranger() as peer:
            for turn in itertools.count():
                await pace.due(_LIST)
                await peer.write(data[turn % 2])

    await side_by_side(_IDENTITIES, one)


async def no_messages(target: Target, pace: Pace) -> None:
    """Streams with what is no message, which the victim resets."""
    broken = itertools.cycle(tool("broken").MESSAGES.values())

    async with target.stranger() as peer:

        async def one() -> None:
            await pace.due()
            stream = await peer.open_stream()
            with suppress(TransportError):
                await stream.send_all(next(broken))
                while await stream.receive_some():
                    pass

        await side_by_side(4, one)


async def slow_readers(target: Target, pace: Pace) -> None:
    """Peers that want 20 MiB each and never grant credit for more than the first window."""
    data = encoded(Message(wants=tuple(map(WantEntry, target.leaves))))
    async with AsyncExitStack() as stack:
        peers: list[Any] = [
            await stack.enter_async_context(target.stranger(reads=False)) for _ in range(_READERS)
        ]
        for peer in itertools.cycle(peers):
            await pace.due()
            await peer.write(data)


async def slow_writers(target: Target, pace: Pace) -> None:
    """Peers that send nearly all of a long message, and then a byte at a time."""
    async with AsyncExitStack() as stack:
        streams: list[Any] = []
        for _ in range(_WRITERS):
            peer: Any = await stack.enter_async_context(target.stranger())
            streams.append(await peer.open_stream())
        for stream in streams:
            await stream.send_all(frame_header(_BEGUN) + bytes(_BEGUN - 100_000))
        for stream in itertools.cycle(streams):
            await pace.due()
            await stream.send_all(b"x")


async def stalls(target: Target, pace: Pace) -> None:
    """Streams whose message begins and does not go on, each left for another after a while."""

    async with target.stranger() as peer:

        async def one() -> None:
            await pace.due()
            stream = await peer.open_stream()
            with suppress(TransportError):
                await stream.send_all(frame_header(100_000) + bytes(20_000))
                await trio.sleep(1)
                await stream.reset()

        await side_by_side(50, one)


async def gifts(target: Target, pace: Pace) -> None:
    """Blocks that nobody asked for, every other one under a wrong hash."""
    blocks = [Block.create(os.urandom(_GIFT)) for _ in range(16)]
    data = [
        encoded(Message(payloads=(Payload(Prefix.of(one.cid), one.data[number % 2 :]),)))
        for number, one in enumerate(blocks)
    ]
    async with target.stranger() as peer:
        for message in itertools.cycle(data):
            await pace.due()
            await peer.write(message)


async def liars(target: Target, pace: Pace) -> None:
    """Peers that claim all that is asked for; some send nothing, and others something else."""
    lies = tool("lies")
    async with AsyncExitStack() as stack:
        for number in range(_LIARS):
            react = (lies.claim_all, lies.send_something_else)[number % 2]
            await stack.enter_async_context(target.stranger(react))
        await pace.due(_LIARS)
        await trio.sleep_forever()


async def comers(target: Target, pace: Pace) -> None:
    """The same, who leave before they are found out, and come again as others."""
    lies = tool("lies")

    async def one() -> None:
        await pace.due()
        async with target.stranger(lies.claim_all):
            await trio.sleep(_STAY)

    await side_by_side(_LIARS, one)


ATTACKS = (
    Attack("repeats", "one want repeated 6,000 times", 12_000, "wants", repeats),
    Attack("too-many", "5,000 wants in a message", 10_000, "wants", too_many),
    Attack("full-lists", "full wantlists in turns, 500 wants each", 5_000, "wants", full_lists),
    Attack(
        "many-lists",
        f"the same from {_IDENTITIES} identities, as many as they are let",
        100_000,
        "wants",
        many_lists,
    ),
    Attack("no-messages", "garbage for bitswap messages", 50, "streams", no_messages),
    Attack(
        "slow-readers", f"{_READERS} peers that want 20 MiB and do not read", 12, "wantlists", slow_readers
    ),
    Attack("slow-writers", f"{_WRITERS} peers that send a byte at a time", 60, "bytes", slow_writers),
    Attack("stalls", "messages that stall", 50, "streams", stalls),
    Attack("gifts", "unrequested blocks of 128 KiB, half of them wrong", 8, "blocks", gifts),
    Attack(
        "liars", f"{_LIARS} peers that claim all and send nothing right", 5, "peers", liars, of_fetcher=True
    ),
    Attack("comers", f"{_LIARS} such peers that come again as others", 20, "peers", comers, of_fetcher=True),
)
