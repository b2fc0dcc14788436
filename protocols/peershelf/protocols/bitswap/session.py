"""One session of asking: an ordered set of CIDs that somebody waits for, and which peers are good for it.

Blocks of one file are usually all at the same peers. So a session remembers who had what was asked; a peer
that has had everything so far is asked for the next block at once, without asking first whether it has it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.rest import Rest
from peershelf.protocols.bitswap.want import Want
from peershelf.protocols.transport import PeerId

_SMOOTHING = 0.25
_UNKNOWN_BLOCK = 262_144
_UNINTERESTING = 32
"""Misses in a row after which a peer is not told of a session's new wants."""
_REPEATED = 1 / 64
"""Part of the bytes of a session that may be asked for twice to have the last blocks sooner."""


@dataclass(slots=True)
class Standing:
    """How a peer has done in one session."""

    rest: Rest
    """For what was asked of it for this session and did not come. It may serve others meanwhile."""
    hits: int = 0
    misses: int = 0
    misses_in_a_row: int = 0

    @property
    def has_all(self) -> bool:
        """It had everything that it was asked about so far."""
        return self.hits > 0 and self.misses == 0


class Session:
    """Wants in order of priority. A bounded part of them is active, which means known to peers."""

    def __init__(self, limits: BitswapLimits) -> None:
        self._limits = limits
        self._backlog: deque[Cid] = deque()
        self._waiting: set[Cid] = set()
        self.active: dict[Cid, Want] = {}
        self._urgent: dict[Cid, Want] = {}
        self._open: dict[Cid, Want] = {}
        self._standings: dict[PeerId, Standing] = {}
        self._newcomers = Rest(limits)
        """For what was asked of peers that had not proven themselves, and did not come."""
        self.undelivered = 0
        """Bytes received for this session that its consumer has not taken."""
        self.block_size: float = _UNKNOWN_BLOCK
        """Smoothed size of the blocks."""
        self._received = 0
        self._repeated = 0.0
        self.good_peers: dict[PeerId, None] = {}
        """Those that had something of what was wanted."""

    def add(self, cids: Iterable[Cid]) -> None:
        """Want more, after what is wanted already; what is wanted already is passed over."""
        for cid in cids:
            if cid not in self._waiting and cid not in self.active:
                self._waiting.add(cid)
                self._backlog.append(cid)

    def next_to_activate(self) -> Cid | None:
        """Take the next want for which there is room among the active ones."""
        if not self._backlog or len(self._open) + len(self._urgent) >= self._limits.session_wants:
            return None
        cid = self._backlog.popleft()
        self._waiting.discard(cid)
        return cid

    def activate(self, want: Want) -> None:
        """Peers may know of a want from now on."""
        self.active[want.cid] = want
        if want.is_open:
            self._open[want.cid] = want

    def reopen(self, want: Want) -> None:
        """Somebody else should be asked for a want, before all others: it has waited longest."""
        self._open.pop(want.cid, None)
        self._urgent[want.cid] = want

    def asked(self, want: Want) -> None:
        """Somebody has been asked for a want just now."""
        self._open.pop(want.cid, None)
        self._urgent.pop(want.cid, None)

    def received(self, cid: Cid, size: int) -> None:
        """A block that was wanted is here."""
        for wants in (self.active, self._open, self._urgent):
            wants.pop(cid, None)
        self.undelivered += size
        first, self._received = not self._received, self._received + size
        self.block_size += (1.0 if first else _SMOOTHING) * (size - self.block_size)

    @property
    def remaining(self) -> int:
        """How many blocks are wanted and not here."""
        return len(self._backlog) + len(self.active)

    def may_repeat(self) -> bool:
        """Whether one more block may be asked for twice."""
        return self._repeated + self.block_size <= self._received * _REPEATED

    def may_measure(self) -> bool:
        """Whether a block may be asked of a peer only to measure its speed: it may come twice."""
        return self._repeated <= self._received * _REPEATED

    def repeated(self) -> None:
        """A block that one peer may have begun to send is asked of another."""
        self._repeated += self.block_size

    def open_wants(self) -> Iterator[Want]:
        """Wants that nobody has been asked for, or not with success, the most pressing first."""
        return chain(self._urgent.values(), self._open.values())

    def is_open(self, want: Want) -> bool:
        """Whether somebody (else) should be asked for this want of the session."""
        return want.cid in self._open or want.cid in self._urgent

    @property
    def is_full(self) -> bool:
        """Whether what is received and on order is as much as the consumer should have waiting."""
        return self.undelivered + self.on_order * self.block_size >= self._limits.session_undelivered

    @property
    def is_idle(self) -> bool:
        """Whether there are wants, and nothing is on order for any of them."""
        return bool(self.active) and not self.on_order

    @property
    def on_order(self) -> int:
        """How many blocks somebody has been asked for and not sent yet."""
        return len(self.active) - len(self._open) - len(self._urgent)

    def standing(self, peer: PeerId) -> Standing:
        """How a peer has done so far; a blank page if it is new."""
        return self._standings.setdefault(peer, Standing(Rest(self._limits)))

    def has_all(self, peer: PeerId) -> bool:
        """Whether the peer had everything that it was asked about so far."""
        standing = self._standings.get(peer)
        return standing is not None and standing.has_all

    def is_interesting(self, peer: PeerId) -> bool:
        """Whether a peer is told of new wants: one that keeps missing is not, while others do better."""
        standing = self._standings.get(peer)
        return standing is None or standing.misses_in_a_row < _UNINTERESTING or not self.knows_provider()

    def knows_provider(self) -> bool:
        """Whether any peer has been good for this session."""
        return bool(self.good_peers)

    def hit(self, peer: PeerId) -> None:
        """A peer has something that is wanted."""
        standing = self.standing(peer)
        standing.hits += 1
        standing.misses_in_a_row = 0
        self.good_peers[peer] = None

    def may_ask(self, peer: PeerId, now: float) -> bool:
        """Whether the peer is not being left alone by this session."""
        standing = self._standings.get(peer)
        return standing is None or standing.rest.is_over(now)

    def relies_on(self, peer: PeerId) -> bool:
        """Whether nothing that was asked of the peer for this session stayed away since it sent something."""
        standing = self._standings.get(peer)
        return standing is None or not standing.rest.is_deserved

    def let_down(self, peer: PeerId, now: float) -> float:
        """A block did not come from a peer. Returns until when it is not asked for more."""
        return self.standing(peer).rest.begin(now)

    def newcomer_let_down(self, now: float) -> None:
        """A block did not come from a peer that had not proven itself."""
        self._newcomers.begin(now)

    def asks_newcomer(self, now: float) -> None:
        """A peer that has not proven itself is asked for something: after one let us down, one at a time."""
        if self._newcomers.is_deserved:
            self._newcomers.begin(now)

    def may_wait_for_newcomers(self, now: float) -> bool:
        """Whether peers that have not proven themselves may be asked for what is waited for soon."""
        return self._newcomers.is_over(now)

    def served(self, peer: PeerId) -> None:
        """A block came from a peer."""
        self.hit(peer)
        self.standing(peer).rest.end()

    def miss(self, peer: PeerId) -> bool:
        """A peer did not have what was wanted. Returns whether it had had everything until then."""
        standing = self.standing(peer)
        had_all = standing.has_all
        standing.misses += 1
        standing.misses_in_a_row += 1
        return had_all

    def forget_peer(self, peer: PeerId) -> None:
        """A peer went away."""
        self._standings.pop(peer, None)
        self.good_peers.pop(peer, None)
