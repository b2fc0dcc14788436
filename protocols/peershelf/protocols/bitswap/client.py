"""Drives the requester: hands it what peers say and send, gives sessions their blocks, and keeps its time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from math import inf

import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.store.base import Blockstore
from peershelf.protocols.bitswap.added import AddedBlocks
from peershelf.protocols.bitswap.asking import Delivery
from peershelf.protocols.bitswap.budget import Ticket
from peershelf.protocols.bitswap.fetching import Session
from peershelf.protocols.bitswap.intake import Intake
from peershelf.protocols.bitswap.messages import Message
from peershelf.protocols.bitswap.recent import Recent
from peershelf.protocols.bitswap.report import Answer
from peershelf.protocols.bitswap.requester import Requester, Verdict
from peershelf.protocols.bitswap.stat import Counters
from peershelf.protocols.bitswap.verify import Arrival
from peershelf.protocols.bitswap.wakeup import Wakeup
from peershelf.protocols.bitswap.want import SessionId
from peershelf.protocols.offload import Offload
from peershelf.protocols.pacing.turns import Pace, in_parts
from peershelf.protocols.transport import PeerId

_REMEMBERED_ANSWERS = 256
_PRESENCES_PER_STEP = 256
_PIECE = 4_096
"""Bytes that take as long to hash as all else that is done for a block."""


class Client:
    """Fetches blocks for sessions. `changed` is called when peers may have to be told something."""

    def __init__(
        self,
        requester: Requester,
        store: Blockstore,
        offload: Offload,
        counters: Counters,
        *,
        changed: Callable[[], None],
        stored: Callable[[Mapping[Cid, int]], None],
        charge: Callable[[PeerId, float], None],
        reading: float,
        cpu: Callable[[], float],
    ) -> None:
        """Make one.

        Args:
            charge: is told the seconds of CPU that a peer's copies, and what else nobody wanted, have taken.
            reading: seconds that each byte of that took before it came here.
            cpu: returns the seconds of CPU that the calling thread has used.
        """
        self._requester = requester
        self._counters = counters
        self._changed = changed
        self._stored = stored
        self._charge = charge
        self._reading = reading
        self._cpu = cpu
        self._sessions: dict[SessionId, Session] = {}
        self._last_answers: Recent[Cid, Mapping[PeerId, Answer]] = Recent(_REMEMBERED_ANSWERS)
        self._intake = Intake(
            store, offload, expected=requester.expected, arrived=self._take_in, failed=self._fail, cpu=cpu
        )
        self._added = AddedBlocks(store, offload, is_wanted=requester.wants_block, found=self._deliver_found)
        self._sooner = Wakeup()
        self._tick_at = inf

    # For sessions.

    def open(self, session: Session) -> SessionId:
        """Start a session; its blocks are delivered to it until close()."""
        session_id = self._requester.open()
        self._sessions[session_id] = session
        return session_id

    def close(self, session_id: SessionId) -> None:
        """Withdraw what a session still misses, but remember what the peers said to it."""
        del self._sessions[session_id]
        for cid in islice(self._requester.active(session_id), _REMEMBERED_ANSWERS):
            self._last_answers[cid] = self._requester.answers(cid)
        self._requester.close(session_id, trio.current_time())
        self.decide()

    def want(self, session_id: SessionId, cids: Iterable[Cid]) -> None:
        """Ask for more blocks, in this order, after those that the session wants already."""
        self._requester.want(session_id, cids)
        self.decide()

    def consumed(self, session_id: SessionId, size: int) -> None:
        """The session's consumer has taken `size` bytes of blocks: more may be asked for."""
        if self._requester.consumed(session_id, size):
            self.decide()

    # For whoever reads the streams.

    async def hear(self, peer: PeerId, message: Message, pace: Pace) -> None:
        """Take what a message says of having and not having."""
        note = partial(self._requester.presences, peer)
        await pace.through(in_parts(message.presences, _PRESENCES_PER_STEP, note))
        pace.do(self.decide)

    def take_blocks(self, peer: PeerId, message: Message, ticket: Ticket) -> None:
        """Take a message's blocks; its ticket is released once they take no memory any more."""
        if message.payloads and self._requester.listens_to(peer):
            self._intake.put(peer, message.payloads, ticket)
            if self._requester.took_in(peer, len(message.payloads)):
                self.decide()
            return
        if not message.payloads:
            self._requester.talked(peer, ticket.size)
        # Blocks are not worth hashing: nothing was asked of this peer.
        size = sum(len(one.data) for one in message.payloads)
        self._count_unrequested(len(message.payloads), size)
        self._charge(peer, size * self._reading)
        ticket.release()

    def heard(self, peer: PeerId, size: int) -> None:
        """Bytes of a message came from a peer."""
        self._requester.heard(peer, trio.current_time(), size)

    # For the node.

    def peer_connected(self, peer: PeerId) -> None:
        """There is somebody new to ask."""
        self._requester.peer_connected(peer, trio.current_time())
        self.decide()

    def peer_disconnected(self, peer: PeerId) -> None:
        """A peer is gone: what was asked of it is asked elsewhere."""
        self._requester.peer_disconnected(peer)
        self.decide()

    def blocks_found(self, cids: Iterable[Cid]) -> None:
        """These blocks are in the store now: sessions that wait for them need not ask peers.

        Nor do those that are about to, or whose turn to be asked for comes later.
        """
        added = list(cids)
        self._added.remember(added)
        self._added.read_wanted(added)

    def answers(self, cid: Cid) -> Mapping[PeerId, Answer]:
        """How peers answered for a CID that is wanted, or was lately wanted in vain."""
        return self._requester.answers(cid) or self._last_answers.get(cid, {})

    def decide(self) -> None:
        """Let the requester draw its conclusions, and see that they are sent."""
        self._requester.decide(trio.current_time())
        self._added.read_added(self._requester.take_activated())
        self._changed()
        if self._requester.next_deadline < self._tick_at:
            self._sooner.set()

    async def run(self) -> None:
        """Take in blocks and keep time, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_time)
            nursery.start_soon(self._added.run)
            nursery.start_soon(self._intake.run)

    async def _keep_time(self) -> None:
        while True:
            self._tick_at = self._requester.next_deadline
            with trio.move_on_at(self._tick_at):
                await self._sooner.wait()
            self._requester.tick(trio.current_time())
            self.decide()

    def _deliver_found(self, cid: Cid, data: bytes) -> None:
        now = trio.current_time()
        self._deliver(self._requester.block_found(cid.multihash, len(data), now), data)
        self.decide()

    def _take_in(self, arrivals: Sequence[Arrival], seconds: float) -> None:
        began = self._cpu()
        added: dict[Cid, int] = {}
        unwanted: list[Arrival] = []
        for arrival in arrivals:
            if self._is_wanted(arrival) and arrival.block is not None:
                added[arrival.block.cid] = arrival.size
            else:
                unwanted.append(arrival)
        if unwanted:
            self._charge_for(unwanted, arrivals, seconds + self._cpu() - began)
        self._added.remember(added)
        self._stored(added)
        self.decide()

    def _charge_for(self, unwanted: Sequence[Arrival], all_of: Sequence[Arrival], seconds: float) -> None:
        """Who sent what nobody wanted pays for its part of the time that everything together took."""
        whole = sum(map(_weight, all_of))
        of_peer: defaultdict[PeerId, float] = defaultdict(float)
        for arrival in unwanted:
            of_peer[arrival.peer] += seconds * _weight(arrival) / whole + arrival.size * self._reading
        for peer, its_part in of_peer.items():
            self._charge(peer, its_part)

    def _is_wanted(self, arrival: Arrival) -> bool:
        """Account for one thing that came, and give it to whoever waits for it."""
        now = trio.current_time()
        self._requester.checked(arrival.peer)
        verdict, deliveries = self._received(arrival, now)
        if verdict is not Verdict.WANTED:
            self._requester.useless(arrival.peer, arrival.multihash, arrival.size, now)
        if verdict is Verdict.UNREQUESTED:
            self._count_unrequested(1, arrival.size)
            self._requester.bad_block(arrival.peer, now)
            return False
        self._counters.blocks_received += 1
        self._counters.bytes_received += arrival.size
        if verdict is Verdict.DUPLICATE or arrival.block is None:
            self._counters.duplicate_blocks += 1
            self._counters.duplicate_bytes += arrival.size
            return False
        self._deliver(deliveries, arrival.block.data)
        return True

    def _received(self, arrival: Arrival, now: float) -> tuple[Verdict, list[Delivery]]:
        peer, multihash = arrival.peer, arrival.multihash
        if multihash is None:
            return Verdict.UNREQUESTED, []
        if arrival.block is None:
            return self._requester.block_not_kept(peer, multihash), []
        return self._requester.block_received(peer, multihash, arrival.size, now)

    def _deliver(self, deliveries: Iterable[Delivery], data: bytes) -> None:
        for delivery in deliveries:
            self._sessions[delivery.session].deliver(Block(delivery.cid, data))

    def _fail(self, error: BlockstoreError, senders: Iterable[PeerId]) -> None:
        for peer in senders:
            self._requester.checked(peer)
        for session in self._sessions.values():
            session.fail(error)

    def _count_unrequested(self, blocks: int, size: int) -> None:
        self._counters.unrequested_blocks += blocks
        self._counters.unrequested_bytes += size


def _weight(arrival: Arrival) -> int:
    """What part of the time is one's: hashing takes it by the byte, and the rest by the piece."""
    return arrival.size + _PIECE
