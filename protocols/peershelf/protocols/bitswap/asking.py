"""What is known while we ask: wants, sessions and providers, and how they change together.

The steps here keep the three consistent; `requester` and `planner` decide when to take which.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.provider import Provider
from peershelf.protocols.bitswap.session import Session
from peershelf.protocols.bitswap.want import SessionId, Want
from peershelf.protocols.bitswap.wants import Wants
from peershelf.protocols.transport import PeerId


@dataclass(frozen=True, slots=True)
class Delivery:
    """A session gets a block, under the CID that it asked for."""

    session: SessionId
    cid: Cid


class Asking:
    """The state of the asking half."""

    def __init__(self, limits: BitswapLimits) -> None:
        self.sessions: dict[SessionId, Session] = {}
        self.providers: dict[PeerId, Provider] = {}
        self.wants = Wants()
        self._limits = limits
        self._on_order: set[Cid] = set()
        self.activated: list[Cid] = []
        """Wants that peers are told of since somebody looked at this last."""
        self.untold: dict[Cid, Want] = {}
        """Wants that peers should be told of."""
        self.unbriefed: dict[PeerId, Provider] = {}
        """Peers that should be told of wants that are there already."""
        self.hungry: set[PeerId] = set()
        """Peers of whom something may be asked that could not be a moment ago."""

    def activate(self, session_id: SessionId, cid: Cid) -> Want:
        """Let peers know of one more want of a session."""
        want = self.wants.add(cid, session_id)
        self.sessions[session_id].activate(want)
        self.untold[cid] = want
        self.activated.append(cid)
        return want

    def order(self, want: Want, provider: Provider, now: float) -> None:
        """Ask a peer for the block."""
        want.asked.add(provider.peer)
        provider.order(want.cid, now)
        self._on_order.add(want.cid)
        for session_id in want.sessions:
            self.sessions[session_id].asked(want)

    def has(self, want: Want, provider: Provider) -> None:
        """A peer says that it has the block."""
        want.refused.discard(provider.peer)
        want.haves.add(provider.peer)
        provider.offers[want.cid] = want
        provider.showed(want.known_since)
        self.hungry.add(provider.peer)
        provider.outbox.answered_have(want.cid)
        for session_id in want.sessions:
            self.sessions[session_id].hit(provider.peer)

    def has_not(self, want: Want, provider: Provider) -> None:
        """A peer says that it does not have the block. It goes on knowing that we want it."""
        want.haves.discard(provider.peer)
        want.refused.add(provider.peer)
        provider.offers.pop(want.cid, None)
        provider.outbox.denied(want.cid)
        self._no_longer_ordered(want, provider)
        if not want.haves:
            self.tell_everyone(want)
        for session_id in want.sessions:
            session = self.sessions[session_id]
            if session.miss(provider.peer):
                # It was asked directly so far, and so has not been told what else the session wants.
                self.unbriefed[provider.peer] = provider

    def overdue(self, want: Want, provider: Provider) -> None:
        """A peer has taken too long with a block: others may be asked."""
        want.overdue.add(provider.peer)
        self._reopen(want)

    def bar(self, want: Want, provider: Provider) -> None:
        """A peer sent something else in place of the block: it is not asked for it again."""
        want.barred.add(provider.peer)
        provider.offers.pop(want.cid, None)
        provider.outbox.cancel(want.cid)
        self._no_longer_ordered(want, provider)

    @property
    def on_order(self) -> int:
        """Blocks that are on order and not overdue."""
        return len(self._on_order)

    @property
    def window(self) -> int:
        """How many may be on order, all peers together: as many as all are known to keep up with.

        Otherwise, where there are many slow peers, each block would be on order long before its turn, and
        could not be had from whoever gets it meanwhile. Blocks that are here keep nobody busy, so they come
        on top.
        """
        providers = self.providers.values()
        known = sum(provider.window.measured for provider in providers if provider.delivers)
        here = sum(provider.here for provider in providers if not provider.bad_blocks)
        return max(self._limits.window_all, ceil(known)) + here

    def settle(self, wants: list[Want], size: int, now: float) -> list[Delivery]:
        """A block is here. Says which sessions get it, and withdraws the wants that it answers."""
        deliveries = []
        for want in wants:
            for session_id in want.sessions:
                self.sessions[session_id].received(want.cid, size)
                deliveries.append(Delivery(session_id, want.cid))
            self._withdraw(want, now)
        return deliveries

    def move(self, want: Want, provider: Provider, now: float) -> None:
        """Ask a peer for a block that is on order elsewhere, and no longer there."""
        want.moves += 1
        for peer in list(want.asked):
            other = self.providers[peer]
            other.outbox.cancel(want.cid)
            other.recall(want.cid, now)
            self._no_longer_ordered(want, other)
        self.order(want, provider, now)

    def ask_those_with_much_room(self) -> None:
        """Blocks came, or are wanted: let more be asked for, several at a time."""
        self.hungry.update(peer for peer, provider in self.providers.items() if provider.has_much_room)

    def tell_everyone(self, want: Want) -> None:
        """Let even those peers know of a want that have had nothing so far; once is enough."""
        if not want.for_everyone:
            want.for_everyone = True
            self.untold[want.cid] = want

    def close(self, session_id: SessionId, now: float) -> None:
        """End a session, and withdraw the wants that it shared with no other."""
        session = self.sessions.pop(session_id)
        for want in session.active.values():
            del want.sessions[session_id]
            if not want.sessions:
                self._withdraw(want, now)

    def remove_provider(self, peer: PeerId) -> None:
        """A peer is gone: what was asked of it is open again."""
        if self.providers.pop(peer, None) is None:
            return
        self.unbriefed.pop(peer, None)
        # One that is alone now may be asked everything.
        self.hungry.update(self.providers)
        for session in self.sessions.values():
            session.forget_peer(peer)
        for want in self.wants:
            if want.forget_peer(peer):
                self._reopen(want)

    def _no_longer_ordered(self, want: Want, provider: Provider) -> None:
        provider.withdraw(want.cid)
        self.hungry.add(provider.peer)
        if want.withdraw_from(provider.peer):
            self._reopen(want)

    def _reopen(self, want: Want) -> None:
        if want.is_open:
            self._on_order.discard(want.cid)
            self.tell_everyone(want)
            self.hungry.update(self.providers)
            for session_id in want.sessions:
                self.sessions[session_id].reopen(want)

    def _withdraw(self, want: Want, now: float) -> None:
        self.wants.remove(want)
        self.untold.pop(want.cid, None)
        if want.cid in self._on_order:
            self._on_order.discard(want.cid)
            self.ask_those_with_much_room()
        # Nothing else might wake them: nobody looks after one of whom nothing is on order.
        self.hungry.update(want.overdue)
        for provider in self.providers.values():
            provider.forget(want.cid, now)
