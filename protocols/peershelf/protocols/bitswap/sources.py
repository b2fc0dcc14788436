"""What a peer's two senders take their messages from.

Each peer gets two streams of ours: one for talk (wants, cancels, presences), one for blocks. So a cancel or
a HAVE never waits behind megabytes that the same peer is slow to take.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import trio

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.engine import Engine
from peershelf.protocols.bitswap.messages import Message, Payload
from peershelf.protocols.bitswap.requester import Requester
from peershelf.protocols.bitswap.sender import UNREACHABLE
from peershelf.protocols.bitswap.stat import Counters
from peershelf.protocols.bitswap.turn import Turn
from peershelf.protocols.bitswap.wakeup import Wakeup
from peershelf.protocols.errors import StreamStalled, TransportError
from peershelf.protocols.transport import PeerId

_WANTS_PER_MESSAGE = 1_024
_PRESENCES_PER_MESSAGE = 256

Loaded = tuple[Cid, Payload]
"""A block that was read for a peer, under the CID that the peer wants."""


class TalkSource:
    """Our wants toward a peer, and what we tell it about its own."""

    def __init__(
        self,
        peer: PeerId,
        requester: Requester,
        engine: Engine,
        counters: Counters,
        *,
        decide: Callable[[], None],
    ) -> None:
        self._decide = decide
        self._peer = peer
        self._requester = requester
        self._engine = engine
        self._counters = counters
        self.more = Wakeup()

    def next_message(self) -> Message | None:
        """What the peer is to be told now: wants, cancels and presences; None if nothing."""
        wants, full = self._requester.take_wants(self._peer, _WANTS_PER_MESSAGE)
        presences = self._engine.take_presences(self._peer, _PRESENCES_PER_MESSAGE)
        if not wants and not presences and not full:
            return None
        return Message(wants=wants, full=full, presences=presences)

    def sent(self) -> None:
        """The message is in the hands of the network."""
        self._counters.messages_sent += 1

    def failed(self, error: TransportError) -> None:
        """A message may not have arrived: tell all wants anew, unless the peer cannot be reached at all."""
        if isinstance(error, UNREACHABLE):
            self._requester.peer_disconnected(self._peer)
            self._decide()
        else:
            self._requester.stream_lost(self._peer)


class BlockSource:
    """Messages of blocks that are on their way to a peer, a few at most."""

    def __init__(
        self, peer: PeerId, engine: Engine, counters: Counters, look_for_turns: Callable[[], None]
    ) -> None:
        self._peer = peer
        self._engine = engine
        self._counters = counters
        self._look_for_turns = look_for_turns
        self._loaded: deque[tuple[Turn, Sequence[Loaded]]] = deque()
        self._message = Message()
        self.more = Wakeup()

    def put(self, turn: Turn, blocks: Sequence[Loaded]) -> None:
        """Have a turn's blocks sent after those that are here already."""
        self._loaded.append((turn, blocks))
        self.more.set()

    def next_message(self) -> Message | None:
        """The next turn's blocks, without those that the peer has withdrawn meanwhile."""
        if not self._loaded:
            return None
        turn, blocks = self._loaded[0]
        wanted = [payload for cid, payload in blocks if turn.ledger.is_sending(cid)]
        self._message = Message(payloads=tuple(wanted))
        return self._message

    def sent(self) -> None:
        """The turn's message is in the hands of the network: there may be room for another."""
        turn, _ = self._loaded.popleft()
        message, self._message = self._message, Message()
        self._engine.sent(turn, trio.current_time())
        self._look_for_turns()
        self._counters.messages_sent += 1
        self._counters.blocks_sent += len(message.payloads)
        self._counters.bytes_sent += sum(len(payload.data) for payload in message.payloads)

    def failed(self, error: TransportError) -> None:
        """What was not sent is wanted again; only a peer that does not read, or not ever, loses its wants."""
        if isinstance(error, (StreamStalled, *UNREACHABLE)):
            self._engine.peer_disconnected(self._peer)
        if isinstance(error, StreamStalled):
            self._engine.peer_connected(self._peer)
        self.give_up()

    def give_up(self) -> None:
        """Nothing that is here will be sent."""
        self._message = Message()
        while self._loaded:
            turn, _ = self._loaded.popleft()
            self._engine.not_sent(turn)
        self._look_for_turns()
