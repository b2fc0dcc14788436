"""Attacks that break no rule: all that is asked and sent is right, there is only too much of it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from bench.attacks.attack import Attack, Pace, Target, side_by_side
from bench.attacks.saying import encoded, over_and_over
from peershelf.blockstore.block import Block
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, Presence, WantEntry
from peershelf.protocols.errors import TransportError
from peershelf.protocols.routing.kad import LAN
from peershelf.protocols.routing.kad.messages import Kind, encode
from peershelf.protocols.routing.kad.messages import Message as Request
from peershelf.protocols.transport import PeerId
from peershelf.protocols.wire import encode_frame

_IDENTITIES = 16
"""As many connections as one address may have."""
_ELSEWHERE = "127.0.0.9"
"""Another address than that of the honest peer."""
_LARGE = 1 << 20
_SMALL = 500
"""Messages that are written at a time."""
_ASKING = 8
"""Streams of the DHT that are under way at a time."""


async def fetchers(target: Target, pace: Pace) -> None:
    """Identities of one address that fetch what there is, over and over: half of the line is theirs."""

    async def one() -> None:
        async with target.stranger(source=_ELSEWHERE) as peer:
            while True:
                await pace.due(len(target.leaves))
                peer.messages.clear()
                await peer.say(Message(wants=tuple(map(WantEntry, target.leaves)), full=True))
                await peer.until(lambda: len(peer.blocks) >= len(target.leaves))

    await side_by_side(_IDENTITIES, one)


async def copies(target: Target, pace: Pace) -> None:
    """A block that was asked for, again and again; it is right, and wanted once."""
    data = encoded(Message(payloads=(Payload(Prefix.of(target.first.cid), target.first.data),)))
    cid = target.first.cid

    async def offer(peer: Any, message: Message) -> None:
        if any(entry.cid == cid and not entry.cancel for entry in message.wants):
            await peer.say(Message(presences=(Presence(cid, have=True),)))

    async with target.stranger(offer) as peer:
        await pace.due()
        await peer.asked.wait()
        stream = await peer.open_stream()  # the other one may be in the middle of an offer
        while True:
            await stream.send_all(data)
            await pace.due()


async def unasked(target: Target, pace: Pace) -> None:
    """Blocks of 1 MiB that nobody asked for, as fast as they are taken."""
    block = Block.create(os.urandom(_LARGE))
    data = encoded(Message(payloads=(Payload(Prefix.of(block.cid), block.data),)))
    async with target.stranger() as peer:
        while True:
            await pace.due()
            await peer.write(data)


async def empty_messages(target: Target, pace: Pace) -> None:
    """Messages of one byte, which say nothing."""
    await over_and_over(target, pace, b"\x00" * _SMALL, _SMALL)


async def single_wants(target: Target, pace: Pace) -> None:
    """Messages that want one block each, which is not there."""
    wants = [WantEntry(Block.create(os.urandom(32)).cid) for _ in range(_SMALL)]
    await over_and_over(target, pace, b"".join(encoded(Message(wants=(want,))) for want in wants), _SMALL)


async def questions(target: Target, pace: Pace) -> None:
    """A stream for each request to the DHT, as some programs have it."""
    request = encode_frame(encode(Request(Kind.FIND_NODE, os.urandom(32))))
    async with target.stranger() as peer:

        async def one() -> None:
            await pace.due()
            with suppress(TransportError):
                stream = await peer.network.open_stream(PeerId(target.peer), [LAN.protocol])
                await stream.send_all(request)
                await stream.receive_some()
                await stream.aclose()

        await side_by_side(_ASKING, one)


ATTACKS = (
    Attack(
        "fetchers", f"{_IDENTITIES} identities that fetch large blocks", 200, "blocks", fetchers, fair=0.5
    ),
    Attack("copies", "copies of a block of 1 MiB that was asked for", 20, "blocks", copies, of_fetcher=True),
    Attack("unasked", "blocks of 1 MiB that nobody asked for", 500, "blocks", unasked),
    Attack("empty-messages", "bitswap messages of a byte", 64_000, "messages", empty_messages),
    Attack("single-wants", "bitswap messages of one want", 20_000, "messages", single_wants),
    Attack("dht-streams", "a DHT stream for each request", 1_000, "requests", questions),
)
