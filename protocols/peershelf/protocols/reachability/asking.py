"""Asking one server about one address."""

from __future__ import annotations

from collections.abc import Callable

import trio

from peershelf.protocols.errors import NetworkError, RemoteProtocolError
from peershelf.protocols.reachability.base import Network
from peershelf.protocols.reachability.case import Outcome
from peershelf.protocols.reachability.dial_backs import DialBacks, Expected
from peershelf.protocols.reachability.messages import (
    DIAL_REQUEST,
    MAX_MESSAGE,
    Answer,
    Data,
    DataWanted,
    Dialed,
    Message,
    Question,
    Status,
)
from peershelf.protocols.reachability.streams import receive, send
from peershelf.protocols.streams import ending
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder

PATIENCE = 20.0
"""Seconds for a server to dial and to answer: go-libp2p gives itself fifteen."""
PROOF_PATIENCE = 3.0
"""Seconds for the proof to arrive where the answer was faster."""
_PIECE = 4_096

GivesData = Callable[[int], bool]
"""Whether so many bytes are sent to a server that wants them before it dials."""


async def ask(
    network: Network, dial_backs: DialBacks, peer: PeerId, address: bytes, gives_data: GivesData
) -> Outcome:
    """Have a server dial this node at an address. Whatever it answers, only the nonce is proof."""
    with dial_backs.expect(address) as expected:
        outcome = Outcome.SILENT
        try:
            with trio.move_on_after(PATIENCE):
                outcome = await _ask(network, peer, expected, gives_data)
        except RemoteProtocolError:
            outcome = Outcome.NONSENSE
        except NetworkError:
            outcome = Outcome.LOST
        if outcome is Outcome.UNPROVEN:
            with trio.move_on_after(PROOF_PATIENCE):
                await expected.proven.wait()
        return Outcome.REACHED if expected.proven.is_set() else outcome


async def _ask(network: Network, peer: PeerId, expected: Expected, gives_data: GivesData) -> Outcome:
    stream = await network.open_stream(peer, [DIAL_REQUEST])
    async with ending(stream):
        decoder = FrameDecoder(MAX_MESSAGE)
        await send(stream, Question((expected.address,), expected.nonce))
        message = await receive(stream, decoder)
        if isinstance(message, DataWanted):
            if message.index or not gives_data(message.size):
                return Outcome.WANTED_DATA
            await _send_data(stream, message.size)
            message = await receive(stream, decoder)
        return _outcome(message)


async def _send_data(stream: Stream, size: int) -> None:
    for start in range(0, size, _PIECE):
        await send(stream, Data(bytes(min(_PIECE, size - start))))


def _outcome(message: Message) -> Outcome:
    if not isinstance(message, Answer):
        raise RemoteProtocolError("that is no answer")
    if message.status is Status.DIAL_REFUSED:
        return Outcome.REFUSED
    if message.status is not Status.OK:
        return Outcome.REJECTED
    if message.index or message.dialed is Dialed.UNUSED:
        raise RemoteProtocolError("an answer to another question")
    return Outcome.NOT_REACHED if message.dialed is Dialed.DIAL_ERROR else Outcome.UNPROVEN
