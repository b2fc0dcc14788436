"""The serving half of bitswap, without I/O: who wants what of us, and whose turn it is to get some.

Theory of operation. A peer's wants go into its ledger. Those that are new are looked up in the store by the
driver, which brings back sizes. A want for a block that is here becomes "ready" (the block shall be sent) or
a HAVE; one for a block that is not becomes a DONT_HAVE if asked for, and stays, so that the block, or word of
it, follows when it comes. Presences are small and leave at once. Blocks leave in turns: each peer with
something ready gets one message's worth, then the next peer, so that one who asks for a lot, or reads slowly,
costs the others nothing; and peers at one address get as much as one alone (see `queue`). A turn is in flight
until the driver reports it sent or lost; bytes in flight are bounded for each peer and in all. How many turns
the line needs is measured (see `uplink`); a peer that comes, or has waited long, gets a turn all the same,
for those measured may have been slow peers on a fast line.

The more peers there are to serve, the smaller the turns, and the fewer are prepared ahead: what is committed
late can still be cancelled, or be the block that was sent least. That is what lets a swarm take little more
than one copy from its seed. It also leaves room for the rest when peers take wants and then do not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Mapping
from math import inf

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.ledger import Ledger
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Presence, WantEntry
from peershelf.protocols.bitswap.queue import TurnQueue
from peershelf.protocols.bitswap.recent import Recent
from peershelf.protocols.bitswap.turn import Turn
from peershelf.protocols.bitswap.uplink import Uplink
from peershelf.protocols.bitswap.wantlist import Want
from peershelf.protocols.resources import greatest
from peershelf.protocols.transport import PeerId

_COUNTED_BLOCKS = 16_384
"""Blocks of which we remember how often they were sent."""
_FEW = 4
"""Addresses being served, and peers at one of them, up to which a peer's second turn is prepared while its
first is being sent."""
_LONGEST_WAIT = 10.0
"""Seconds after its last turn when a peer gets one although the line seems full: how full it is, is measured
by those that had turns, and they may all have been slow. A peer that comes gets its first turn likewise."""


class Engine:
    """Decides what is sent to whom. Times are seconds on any clock that only goes forward.

    Args:
        place: returns what a peer shares with others that may be the same person: its address.
    """

    def __init__(
        self, limits: BitswapLimits, place: Callable[[PeerId], Hashable] = lambda peer: peer
    ) -> None:
        self._limits = limits
        self._place = place
        self._ledgers: dict[PeerId, Ledger] = {}
        self._waiting: dict[bytes, dict[tuple[PeerId, Cid], None]] = {}
        self._queue = TurnQueue()
        self._presences: dict[PeerId, None] = {}
        self._bytes_sending = 0
        self._busy: Counter[Hashable] = Counter()
        """Peers to which a turn is on its way, by address."""
        self._uplink = Uplink(limits)
        self._times_sent: Recent[bytes, int] = Recent(_COUNTED_BLOCKS)

    def peer_connected(self, peer: PeerId) -> None:
        """Open the books on a peer."""
        self._ledgers.setdefault(peer, Ledger(self._limits, self._place(peer)))

    def peer_disconnected(self, peer: PeerId) -> None:
        """Forget a peer and its wants. Turns of it that are in flight still have to be reported sent."""
        ledger = self._ledgers.pop(peer, None)
        if ledger is None:
            return
        for cid in ledger.wantlist:
            self._stop_waiting(peer, cid)
        self._presences.pop(peer, None)
        self._queue.remove(peer)

    def forget_all_but(self, peer: PeerId, named: Container[Cid]) -> None:
        """A peer's full wantlist names these: what else it wanted it wants no longer."""
        ledger = self._ledgers.get(peer)
        if ledger is not None:
            for cid in ledger.wantlist.missing_from(named):
                self._forget(peer, ledger, cid)

    def receive(self, peer: PeerId, entries: Iterable[WantEntry]) -> list[Cid]:
        """Take a wantlist, or a part of one, from a peer. Returns the CIDs to look up, for looked_up()."""
        ledger = self._ledgers.get(peer)
        if ledger is None:
            return []
        unknown: dict[Cid, None] = {}
        for entry in entries:
            if entry.cancel:
                self._forget(peer, ledger, entry.cid)
                unknown.pop(entry.cid, None)
            elif not ledger.is_sending(entry.cid) and ledger.want(entry):
                self._start_waiting(peer, entry.cid)
                unknown[entry.cid] = None
        return list(unknown)

    def looked_up(self, peer: PeerId, sizes: Mapping[Cid, int | None]) -> None:
        """Learn the length in bytes of each block that the store has, None where it has none."""
        ledger = self._ledgers.get(peer)
        if ledger is None:
            return
        for cid, size in sizes.items():
            want = ledger.wantlist.get(cid)
            # A block may have been added after the look-up missed it.
            if want is not None and (size is not None or want.size is None):
                self._answer(peer, ledger, want, size)

    def blocks_added(self, sizes: Mapping[Cid, int]) -> None:
        """New blocks are in the store: whoever waits for one gets it, or word of it."""
        for added, size in sizes.items():
            for peer, cid in self._waiting.get(added.multihash, ()):
                ledger = self._ledgers[peer]
                want = ledger.wantlist.get(cid)
                if want is not None:
                    self._answer(peer, ledger, want, size)

    def is_wanted(self, cid: Cid) -> bool:
        """Whether any peer waits for this block from us."""
        return cid.multihash in self._waiting

    def awaited(self) -> list[Cid]:
        """Every block that some peer waits for."""
        return list(dict.fromkeys(cid for waiting in self._waiting.values() for _, cid in waiting))

    def wantlist(self, peer: PeerId) -> list[Cid]:
        """What a peer waits for; empty for a peer that is not here."""
        ledger = self._ledgers.get(peer)
        return [] if ledger is None else list(ledger.wantlist)

    def peers_to_tell(self) -> list[PeerId]:
        """Peers for whom take_presences() has something."""
        return list(self._presences)

    def take_presences(self, peer: PeerId, most: int) -> tuple[Presence, ...]:
        """Return up to `most` lines of what the peer is to be told of having and not having."""
        ledger = self._ledgers.get(peer)
        presences = () if ledger is None else ledger.take_presences(most)
        if ledger is None or not ledger.has_presences:
            self._presences.pop(peer, None)
        for presence in presences:
            if presence.have:
                self._stop_waiting(peer, presence.cid)
        return presences

    def next_turn(self, now: float) -> Turn | None:
        """Return the next blocks to read and send, or None until something changes, or room_at()."""
        has_room = self._uplink.has_room(now)
        for peer in self._queue:
            ledger = self._ledgers[peer]
            may_start = has_room or (not ledger.is_busy and ledger.passed_over_at <= now)
            turn = self._turn(peer, ledger) if may_start else None
            if turn is not None or not ledger.may_send:
                self._queue.remove(peer)
            if turn is not None:
                self._queue.served(ledger.place, turn.size)
                if ledger.may_send:
                    self._queue.add(peer, ledger.place)
                ledger.passed_over_at = now + _LONGEST_WAIT
                self._uplink.started(turn, now)
                return turn
        return None

    @property
    def bytes_sending(self) -> int:
        """Bytes of blocks on their way to all peers."""
        return self._bytes_sending

    def most_sending(self) -> tuple[str, int]:
        """Return the peer to which most bytes are on their way, and how many; "" while there are none."""
        return greatest((peer, ledger.bytes_sending) for peer, ledger in self._ledgers.items())

    def room_at(self, now: float) -> float:
        """When next_turn() may have something without anything having happened."""
        if not self.has_turns:
            return inf
        waiting = [self._ledgers[peer] for peer in self._queue]
        passed_over = (one.passed_over_at for one in waiting if not one.is_busy and one.passed_over_at > now)
        return min(self._uplink.room_at(now), *passed_over, inf)

    def sent(self, turn: Turn, now: float) -> None:
        """The turn's message left."""
        self._uplink.ended(turn, now, sent=True)
        self._end(turn)

    @property
    def has_turns(self) -> bool:
        """Whether next_turn() is worth a call: somebody has blocks ready, and may have room for them."""
        return len(self._queue) > 0

    def given_up(self, turn: Turn) -> None:
        """The turn's message will not be sent."""
        self._uplink.ended(turn, 0, sent=False)
        self._end(turn)

    def _end(self, turn: Turn) -> None:
        self._bytes_sending -= turn.size
        turn.ledger.sent(turn.wants, turn.size)
        if not turn.ledger.is_busy:
            self._busy -= Counter([turn.ledger.place])
        if self.is_current(turn):
            self._enqueue(turn.peer, turn.ledger)

    def not_sent(self, turn: Turn) -> None:
        """The stream broke under the turn's message: its blocks are ready again, unless no longer wanted."""
        if self.is_current(turn):
            for want in turn.ledger.requeue(turn.wants):
                self._start_waiting(turn.peer, want.cid)
        self.given_up(turn)

    def is_current(self, turn: Turn) -> bool:
        """Whether the peer is still here, on the connection on which it wanted the blocks."""
        return self._ledgers.get(turn.peer) is turn.ledger

    def unreadable(self, turn: Turn, wants: Iterable[Want]) -> None:
        """The store could not give these blocks of a turn: the peer still wants them, and may be told."""
        if not self.is_current(turn):
            return
        for want in wants:
            if turn.ledger.unreadable(want):
                self._start_waiting(turn.peer, want.cid)
        if turn.ledger.has_presences:
            self._presences[turn.peer] = None

    def _turn(self, peer: PeerId, ledger: Ledger) -> Turn | None:
        others = max(len(self._busy), self._busy[ledger.place])
        if not ledger.may_send or (ledger.is_busy and others > _FEW):
            return None
        budget = self._limits.buffered_total - self._bytes_sending
        share = self._limits.message_out // max(1, self._busy.total() + len(self._queue) - 1)
        was_busy = ledger.is_busy
        wants = ledger.take_turn(share, budget, self._sent_before)
        if ledger.is_busy and not was_busy:
            self._busy[ledger.place] += 1
        if not wants:
            return None
        for want in wants:
            self._stop_waiting(peer, want.cid)
            self._times_sent[want.cid.multihash] = self._sent_before(want.cid) + 1
        size = sum(want.size or 0 for want in wants)
        self._bytes_sending += size
        return Turn(peer, tuple(wants), size, ledger)

    def _sent_before(self, cid: Cid) -> int:
        return self._times_sent.get(cid.multihash, 0)

    def _answer(self, peer: PeerId, ledger: Ledger, want: Want, size: int | None) -> None:
        ledger.answer(want, size)
        if ledger.has_presences:
            self._presences[peer] = None
        self._enqueue(peer, ledger)

    def _forget(self, peer: PeerId, ledger: Ledger, cid: Cid) -> None:
        if ledger.forget(cid):
            self._stop_waiting(peer, cid)

    def _start_waiting(self, peer: PeerId, cid: Cid) -> None:
        self._waiting.setdefault(cid.multihash, {})[peer, cid] = None

    def _stop_waiting(self, peer: PeerId, cid: Cid) -> None:
        waiting = self._waiting.get(cid.multihash)
        if waiting is not None:
            waiting.pop((peer, cid), None)
            if not waiting:
                del self._waiting[cid.multihash]

    def _enqueue(self, peer: PeerId, ledger: Ledger) -> None:
        if ledger.may_send and ledger.is_low:
            self._queue.add(peer, ledger.place)
