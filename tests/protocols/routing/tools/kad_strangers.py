"""Peers that speak the DHT's protocol as a test has them speak it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import trio
from kad_world import ADDRESS, Dialing, World, new_peer

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.routing.kad import LAN, Dht
from peershelf.protocols.routing.kad.keys import Key, key_of_peer
from peershelf.protocols.routing.kad.messages import MAX_MESSAGE, Contact, Message, decode, encode
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

Say = Callable[[Stream, Message], Awaitable[None]]
"""Says something to a request."""


def stranger(world: World, say: Say, *, protocol: str = LAN.protocol) -> Dialing:
    """A peer that may be dialed, and says what it is asked to say."""
    network = world.network()

    async def handle(stream: Stream) -> None:
        decoder = FrameDecoder(MAX_MESSAGE)
        with suppress(NetworkError):
            while data := await stream.receive_some():
                decoder.receive(data)
                while (frame := decoder.next_frame()) is not None:
                    await say(stream, decode(frame))
        await stream.reset()

    network.handle([protocol], handle)
    return network


def knows(dht: Dht, *peers: PeerId) -> None:
    """Put peers into a routing table, as if they had answered."""
    for peer in peers:
        assert dht.table.heard(Contact(peer, (ADDRESS,)), trio.current_time())


def invented(rng: random.Random, count: int, key: Key, than: PeerId) -> list[Contact]:
    """Peers that do not exist, all nearer to a place than one that does."""
    found: list[Contact] = []
    while len(found) < count:
        peer = new_peer(rng)
        if key_of_peer(peer) ^ key < key_of_peer(than) ^ key:
            found.append(Contact(peer, (ADDRESS,)))
    return found


def frame(message: Message) -> bytes:
    return encode_frame(encode(message))


async def ask(network: Dialing, peer: PeerId, request: Message) -> Message:
    """Ask as an honest peer does, on a stream of its own."""
    stream = await network._inner.open_stream(peer, [LAN.protocol])
    await stream.send_all(frame(request))
    decoder = FrameDecoder(MAX_MESSAGE)
    while (answer := decoder.next_frame()) is None:
        data = await stream.receive_some()
        assert data, "no answer"
        decoder.receive(data)
    await stream.aclose()
    return decode(answer)


async def flood(network: Dialing, peer: PeerId, messages: Sequence[Message]) -> None:
    """Say all of it as fast as it is taken, and wait until it is."""
    stream = await network._inner.open_stream(peer, [LAN.protocol])
    for start in range(0, len(messages), 500):
        await stream.send_all(b"".join(frame(one) for one in messages[start : start + 500]))
    await stream.aclose()
    while await stream.receive_some():
        pass
