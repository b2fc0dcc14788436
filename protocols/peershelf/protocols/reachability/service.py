"""Dialing others who ask whether they are reached: the AutoNAT v2 server.

A stranger must not make this node attack anybody. So it dials public IP addresses over TCP alone, few in a
minute; and before it dials one that is not where the asker is seen, the asker has to send more than a dial
costs whoever is dialed, and chance delays it, so that many nodes do not dial one victim at the same moment.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import trio

from peershelf.protocols.errors import MalformedMessage, NetworkError
from peershelf.protocols.multiaddrs import ip_of, is_public
from peershelf.protocols.pacing.crowd import neighbourhood_of
from peershelf.protocols.reachability.allowance import Allowance
from peershelf.protocols.reachability.base import Network
from peershelf.protocols.reachability.messages import (
    DIAL_REQUEST,
    MAX_MESSAGE,
    MOST_DATA,
    Answer,
    Data,
    DataWanted,
    Dialed,
    Question,
    Status,
)
from peershelf.protocols.reachability.streams import receive, send
from peershelf.protocols.streams import ending
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder

PATIENCE = 30.0
"""Seconds for one question in all: data may come over a slow line."""
LEAST_DATA = 30_000
LEAST_PIECE = 100
"""Bytes of data in a message, but for the last: smaller ones would cost us more than their sender."""
LONGEST_DELAY = 3.0
_TCP = 0x06

DialBack = Callable[[PeerId, bytes, int], Awaitable[Dialed]]
"""Dials a peer at an address, from another identity, and says a nonce there. Raises nothing."""


class DialService:
    """Answers questions of others."""

    def __init__(self, network: Network, dial_back: DialBack, *, rng: random.Random | None = None) -> None:
        self._network = network
        self._dial_back = dial_back
        self._allowance = Allowance()
        self._random = rng or random.Random()

    def start(self) -> None:
        """Answer from now on."""
        self._network.handle([DIAL_REQUEST], self.handle)

    async def handle(self, stream: Stream) -> None:
        """Answer one question."""
        try:
            with trio.fail_after(PATIENCE):
                async with ending(stream):
                    await send(stream, await self._answer_if_allowed(stream))
        except (NetworkError, trio.TooSlowError):
            pass

    async def _answer_if_allowed(self, stream: Stream) -> Answer:
        address = neighbourhood_of(stream.peer, self._network.seen_at(stream.peer))
        if not self._allowance.begin(stream.peer, address, trio.current_time()):
            return Answer(Status.REJECTED)
        try:
            return await self._answer(stream)
        finally:
            self._allowance.end(stream.peer)

    async def _answer(self, stream: Stream) -> Answer:
        decoder = FrameDecoder(MAX_MESSAGE)
        question = await receive(stream, decoder)
        if not isinstance(question, Question):
            raise MalformedMessage("that is no question")
        index = next((number for number, one in enumerate(question.addresses) if can_dial(one)), None)
        if index is None:
            return Answer(Status.DIAL_REFUSED)
        address = question.addresses[index]
        if not self._is_askers(stream.peer, address):
            if not self._allowance.with_data(trio.current_time()):
                return Answer(Status.REJECTED)
            await self._take_data(stream, decoder, index)
            await trio.sleep(self._random.uniform(0, LONGEST_DELAY))
        return Answer(Status.OK, index, await self._dial_back(stream.peer, address, question.nonce))

    def _is_askers(self, peer: PeerId, address: bytes) -> bool:
        seen = self._network.seen_at(peer)
        return seen is not None and ip_of(seen) == ip_of(address)

    async def _take_data(self, stream: Stream, decoder: FrameDecoder, index: int) -> None:
        left = self._random.randint(LEAST_DATA, MOST_DATA)
        await send(stream, DataWanted(index, left))
        while left > 0:
            message = await receive(stream, decoder)
            if not isinstance(message, Data):
                raise MalformedMessage("that is not the data that was asked for")
            left -= len(message.payload)
            if left > 0 and len(message.payload) < LEAST_PIECE:
                raise MalformedMessage("the data comes in pieces that are too small")
            # Neither reading nor decoding waits while there is something to read.
            await trio.lowlevel.checkpoint()


def can_dial(address: bytes) -> bool:
    """Whether a stranger can have us dial an address: a public IP with a TCP port alone."""
    ip = ip_of(address)
    if ip is None or not is_public(address):
        return False
    rest = address[1 + len(ip.packed) :]
    return len(rest) == 3 and rest[0] == _TCP and rest[1:] != b"\0\0"
