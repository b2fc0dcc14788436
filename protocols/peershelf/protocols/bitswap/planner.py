"""What to do about what is known while we ask: the conclusions, as changes in the peers' outboxes.

The rules are those at the top of `requester`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from random import Random

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.alarms import Alarms
from peershelf.protocols.bitswap.asking import Asking
from peershelf.protocols.bitswap.choice import Chooser
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.provider import Provider
from peershelf.protocols.bitswap.sharing import Sharing
from peershelf.protocols.bitswap.want import Want
from peershelf.protocols.bitswap.window import Ask
from peershelf.protocols.transport import PeerId


class Planner:
    """Orders blocks, tells wants, and comes back to them when nothing has happened for too long."""

    def __init__(
        self, asking: Asking, limits: BitswapLimits, random: Random, in_demand: Callable[[Cid], bool]
    ) -> None:
        self._asking = asking
        self._limits = limits
        self._sharing = Sharing(asking.sessions, asking.providers, asking.wants, limits)
        self._chooser = Chooser(asking.providers, self._sharing, random, in_demand)
        self._alarms: Alarms[Callable[[float], None]] = Alarms()
        self._watched: set[Provider] = set()
        self._repeating = False

    @property
    def next_deadline(self) -> float:
        """When to call tick() next; infinity if never."""
        return self._alarms.next

    def tick(self, now: float) -> None:
        """Notice what has become overdue."""
        for ring in list(self._alarms.due(now)):
            ring(now)

    def decide(self, now: float) -> None:
        """Ask whoever can be asked for what is wanted."""
        for session_id, session in self._asking.sessions.items():
            while (cid := session.next_to_activate()) is not None:
                self._asking.activate(session_id, cid).known_since = now
        if self._asking.untold:
            if any(session.is_idle for session in self._asking.sessions.values()):
                self._asking.hungry.update(self._asking.providers)
            else:
                self._asking.ask_those_with_much_room()
            self._repeat_later(now)
        self._order_blocks(now)
        self._tell_wants()

    def overdue(self, want: Want, provider: Provider, now: float) -> None:
        """A peer has taken too long: ask others, and leave it alone for a while."""
        self._asking.overdue(want, provider)
        if not provider.is_proven(now):
            for each in want.sessions:
                self._asking.sessions[each].newcomer_let_down(now)
        rested = [self._asking.sessions[each].let_down(provider.peer, now) for each in want.sessions]
        for until in {provider.went_silent(now), *rested}:
            self._alarms.set(until, partial(self._rested, provider.peer))

    def _rested(self, peer: PeerId, _now: float) -> None:
        self._asking.hungry.add(peer)

    def _order_blocks(self, now: float) -> None:
        """Give peers with room one want after the other, in turns, until nothing more can be asked."""
        ready = self._chooser.ready(self._asking.hungry, now)
        self._asking.hungry.clear()
        most = self._asking.window
        self._sharing.reckon_anew()
        first = self._sharing.keeps_us_busy() if ready else None
        while first and self._asking.on_order < most and self._order_next(first, now):
            pass
        while ready and self._asking.on_order < most:
            ready = [provider for provider in ready if self._order_next(provider, now)]

    def _order_next(self, provider: Provider, now: float) -> bool:
        if not provider.has_room(now):
            return False
        want = self._next_want(provider, now)
        if want is not None:
            self._asking.order(want, provider, now)
            if not provider.is_proven(now):
                for session_id in want.sessions:
                    self._asking.sessions[session_id].asks_newcomer(now)
        elif not self._take_over(provider, now):
            return False
        self._watch(provider, now)
        return True

    def _next_want(self, provider: Provider, now: float) -> Want | None:
        sessions = self._asking.sessions
        for session_id, session in sessions.items():
            want = self._chooser.next_want(session, provider, now)
            if want is not None:
                # Sessions take turns.
                sessions[session_id] = sessions.pop(session_id)
                return want
        return None

    def _take_over(self, provider: Provider, now: float) -> bool:
        want = self._sharing.want_to_move(provider, now)
        if want is None:
            return False
        if self._sharing.is_begun(want, now):
            for session_id in want.sessions:
                self._asking.sessions[session_id].repeated()
        self._asking.move(want, provider, now)
        return True

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
        if all(session.has_all(provider.peer) for session in sessions):
            # It is asked directly: by each of them, since one alone may have to wait for its consumer.
            return
        if want.for_everyone or any(session.is_interesting(provider.peer) for session in sessions):
            provider.outbox.want_have(want.cid)

    def _watch(self, provider: Provider, now: float) -> None:
        """Look at what is on order from a peer again and again until nothing is."""
        if provider not in self._watched:
            self._watched.add(provider)
            self._look_later(provider, now)

    def _look_later(self, provider: Provider, now: float) -> None:
        soon = now + self._limits.look_again
        # They are in the order in which they were asked for, so that the first is due first.
        first = next((provider.due(ask, now) for _, ask in self._prompt(provider)), soon)
        self._alarms.set(first if now < first < soon else soon, partial(self._look, provider))

    def _prompt(self, provider: Provider) -> Iterator[tuple[Want, Ask]]:
        """What is on order from a peer and not overdue."""
        for cid, ask in provider.asked.items():
            want = self._asking.wants.get(cid)
            if want is not None and provider.peer not in want.overdue:
                yield want, ask

    def _look(self, provider: Provider, now: float) -> None:
        if self._asking.providers.get(provider.peer) is not provider or not provider.asked:
            self._watched.discard(provider)
            return
        if not provider.unchecked or provider.progress.is_useless:
            for want, ask in list(self._prompt(provider)):
                if provider.due(ask, now) <= now or self._is_held_up_by_words(want, provider, ask, now):
                    self.overdue(want, provider, now)
                elif provider.is_long_ago(ask, now) and self._sharing.has_untried_peer(want):
                    self._asking.overdue(want, provider)
        self._asking.hungry.update(self._asking.providers)
        self._look_later(provider, now)

    def _is_held_up_by_words(self, want: Want, provider: Provider, ask: Ask, now: float) -> bool:
        """Whether a peer that only says that it has blocks keeps others from sending one."""
        return provider.has_only_talked(ask, now) and (
            self._sharing.has_deliverer(want, idle=True) or self._sharing.has_untried_peer(want)
        )

    def _repeat_later(self, now: float) -> None:
        if not self._repeating:
            self._repeating = True
            self._alarms.set(now + self._limits.repeat, self._repeat)

    def _repeat(self, now: float) -> None:
        """Tell wants again that have been there for long, in case they got lost."""
        self._repeating = False
        oldest = inf
        for want in self._asking.wants:
            if want.known_since + self._limits.repeat <= now:
                want.known_since = now
                self._asking.tell_everyone(want)
                for provider in self._asking.providers.values():
                    provider.outbox.repeat(want.cid)
            oldest = min(oldest, want.known_since)
        if oldest < inf:
            self._repeating = True
            self._alarms.set(oldest + self._limits.repeat, self._repeat)
