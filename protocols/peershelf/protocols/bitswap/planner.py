"""What to do about what is known while we ask: the conclusions, as changes in the peers' outboxes.

The rules are those at the top of `requester`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.alarms import Alarms
from peershelf.protocols.bitswap.asking import Asking
from peershelf.protocols.bitswap.choice import Chooser
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.provider import Provider
from peershelf.protocols.bitswap.session import Want
from peershelf.protocols.transport import PeerId


@dataclass(frozen=True, slots=True)
class _Check:
    """Something to look at when its time comes: a want on order from a peer, or one of the two alone."""

    want: Want | None
    peer: PeerId | None


class Planner:
    """Orders blocks, tells wants, and comes back to them when nothing has happened for too long."""

    def __init__(
        self, asking: Asking, limits: BitswapLimits, random: Random, in_demand: Callable[[Cid], bool]
    ) -> None:
        self._asking = asking
        self._limits = limits
        self._chooser = Chooser(asking.providers, random, in_demand)
        self._alarms: Alarms[_Check] = Alarms()

    @property
    def next_deadline(self) -> float:
        """When to call tick() next; infinity if never."""
        return self._alarms.next

    def tick(self, now: float) -> None:
        """Notice what has become overdue."""
        for check in list(self._alarms.due(now)):
            want, peer = check.want, check.peer
            provider = None if peer is None else self._asking.providers.get(peer)
            if provider is not None and want is None:
                self._asking.hungry.add(provider.peer)
            elif want is None or self._asking.wants.get(want.cid) is not want:
                continue
            elif provider is not None:
                self._check_order(want, provider, now)
            elif peer is None:
                self._repeat(want, now)

    def decide(self, now: float) -> None:
        """Ask whoever can be asked for what is wanted."""
        for session_id, session in self._asking.sessions.items():
            while (cid := session.next_to_activate()) is not None:
                want = self._asking.activate(session_id, cid)
                self._alarms.set(now + self._limits.repeat, _Check(want, None))
        self._order_blocks(now)
        self._tell_wants()

    def overdue(self, want: Want, provider: Provider, now: float) -> None:
        """A peer has taken too long: ask others, and leave it alone for a while."""
        self._asking.overdue(want, provider)
        # Wakes tick(), so that the peer is considered again once it has rested.
        self._alarms.set(provider.went_silent(now), _Check(None, provider.peer))

    def _order_blocks(self, now: float) -> None:
        """Give peers with room one want after the other, in turns, until nothing more can be asked."""
        ready = self._chooser.ready(self._asking.hungry, now)
        self._asking.hungry.clear()
        most = self._asking.window
        while ready and self._asking.on_order < most:
            ready = [provider for provider in ready if self._order_next(provider, now)]

    def _order_next(self, provider: Provider, now: float) -> bool:
        if not provider.has_room(now):
            return False
        want = self._next_want(provider)
        if want is not None:
            self._asking.order(want, provider, now)
        else:
            want = self._chooser.want_to_move(provider, now)
            if want is None:
                return False
            self._asking.move(want, provider, now)
        order = provider.asked[want.cid]
        self._alarms.set(min(provider.quiet_at(order), provider.due(order)), _Check(want, provider.peer))
        return True

    def _next_want(self, provider: Provider) -> Want | None:
        sessions = self._asking.sessions
        for session_id, session in sessions.items():
            want = self._chooser.next_want(session, provider)
            if want is not None:
                # Sessions take turns.
                sessions[session_id] = sessions.pop(session_id)
                return want
        return None

    def _tell_wants(self) -> None:
        """Let those peers that are not asked for a block know that we want it."""
        asking = self._asking
        for provider in asking.unbriefed.values():
            for want in asking.wants:
                self._tell(want, provider)
        for want in asking.untold.values():
            for provider in asking.providers.values():
                self._tell(want, provider)
        asking.unbriefed.clear()
        asking.untold.clear()

    def _tell(self, want: Want, provider: Provider) -> None:
        sessions = [self._asking.sessions[session_id] for session_id in want.sessions]
        if want.peer_knows(provider.peer) or self._chooser.is_only_peer(provider):
            return
        if any(session.has_all(provider.peer) for session in sessions):
            return
        if want.for_everyone or any(session.is_interesting(provider.peer) for session in sessions):
            provider.outbox.want_have(want.cid)

    def _check_order(self, want: Want, provider: Provider, now: float) -> None:
        order = provider.asked.get(want.cid)
        if order is None or provider.peer in want.overdue:
            return
        if provider.due(order) <= now:
            silent_at = provider.silent_at(order)
            if silent_at <= now or self._has_quicker(want, now - order.at):
                self.overdue(want, provider, now)
            else:
                # Slow, as all are: a second copy would take from the line what the first still needs.
                self._alarms.set(min(silent_at, now + self._limits.first_answer), _Check(want, provider.peer))
            return
        if provider.quiet_at(order) <= now:
            self._asking.hungry |= want.haves
        later = [at for at in (provider.quiet_at(order), provider.due(order)) if at > now]
        self._alarms.set(min(later), _Check(want, provider.peer))

    def _has_quicker(self, want: Want, than: float) -> bool:
        sessions = (self._asking.sessions[session_id] for session_id in want.sessions)
        return self._chooser.has_quicker(want, sessions, than)

    def _repeat(self, want: Want, now: float) -> None:
        self._asking.tell_everyone(want)
        for provider in self._asking.providers.values():
            provider.outbox.repeat(want.cid)
        self._alarms.set(now + self._limits.repeat, _Check(want, None))
