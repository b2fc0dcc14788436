"""Who would deliver a block soonest: sharing work by measured speed, down to the last block.

While much is left, everybody works. When little is, a block that a slow peer took would be what all wait for.
So a peer is not asked for what another would have sent sooner, counting all that is on order there already;
and a peer that has run out of work takes over what another is far from sending. The last block in a queue is
taken, because its sending has likely not begun. One whose sending has begun will come twice, which is worth
it only if it saves much time, or as long as such copies are few. A reader wants blocks in order: a slow peer
is given one from further back, and now and then one after which it is known whether it still is slow. So is
a peer of which it is not known yet that it sends what it is asked for.

Where what came waits for us, more peers bring nothing sooner, and cost more turns: then one has all the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.provider import Provider
from peershelf.protocols.bitswap.session import Session
from peershelf.protocols.bitswap.want import SessionId, Want
from peershelf.protocols.bitswap.wants import Wants
from peershelf.protocols.transport import PeerId

_FAIR = 1.25
"""How many times as long as its fair share a peer's part may take."""
_SOONER, _MUCH_SOONER = 1.5, 2.0
"""How many times as fast a peer must promise a block to take it over, before and after it was begun."""
_LITTLE_TIME = 0.1
"""Seconds for which it is not worth to move anything."""
_MUCH_TIME = 1.0
_MOST_MOVES = 2
_COMMITTED = 65_536
"""Bytes that a peer is taken to have handed to its line already."""
_BACKLOG = 2 * 1024 * 1024
"""Bytes that came and are not checked yet, from which it is us who hold things up."""


class Sharing:
    """Compares peers by when they would deliver; changes nothing. Times in seconds."""

    def __init__(
        self,
        sessions: Mapping[SessionId, Session],
        providers: Mapping[PeerId, Provider],
        wants: Wants,
        limits: BitswapLimits,
    ) -> None:
        self._sessions = sessions
        self._providers = providers
        self._wants = wants
        self._limits = limits
        self._totals: dict[Session, float] = {}
        self._surer_than: dict[tuple[Session, int], list[Provider]] = {}
        self._behind: list[Provider] | None = None

    def reckon_anew(self) -> None:
        """Forget what was reckoned: time has passed."""
        self._totals.clear()
        self._surer_than.clear()
        self._behind = None

    def others_send(self, session: Session, provider: Provider, now: float) -> float:
        """How many blocks of the session would come, from all, before one more from the peer does."""
        rate = provider.speed.rate(now)
        if not rate or len(session.good_peers) < 2:
            return 0.0
        seconds = provider.expects(session.block_size, now)
        if seconds <= _LITTLE_TIME:
            return 0.0
        return seconds / _FAIR * max(self._total(session, now), rate) / session.block_size

    def come_first(self, session: Session, provider: Provider, now: float) -> int:
        """How many blocks would come from surer peers while one that has not proven itself keeps one back."""
        if provider.is_proven(now):
            return 0
        rate = sum(other.speed.rate(now) for other in self._surer(session, provider, now))
        return int(self._limits.least_silence * rate / session.block_size)

    def is_better_left(self, want: Want, session: Session, provider: Provider, now: float) -> bool:
        """Whether another peer would have sent an open want sooner, busy as it may be."""
        limit = provider.expects(session.block_size, now) / _SOONER
        return any(
            other.expects(session.block_size, now) < limit
            for peer in session.good_peers
            if (other := self._providers[peer]) is not provider
            and other.delivers
            and session.relies_on(peer)
            and other.speed.rate(now)
            and want.may_ask(peer)
            and (session.has_all(peer) or want.cid in other.offers)
            and not self._is_kept_waiting(other, want, session, now)
        )

    def keeps_us_busy(self) -> Provider | None:
        """The peer with most on order, if what has come from all is more than we keep up with."""
        here = [provider for provider in self._providers.values() if provider.here and provider.delivers]
        if sum(provider.here * provider.window.block_size for provider in here) < _BACKLOG:
            return None
        return max(here, key=lambda provider: len(provider.asked))

    def want_to_move(self, provider: Provider, now: float) -> Want | None:
        """What a peer with nothing better to do could send sooner than the one it is on order from."""
        best, longest = None, 0.0
        for other in self._far_behind(now):
            want = self._last_on_order(other)
            if want is None or other is provider or not self._may_move(want, provider, now):
                continue
            left = self._time_saved(want, other, provider, now)
            if left > longest:
                best, longest = want, left
        return best

    def has_untried_peer(self, want: Want) -> bool:
        """Whether somebody of unknown speed says that it has the block, and has nothing to do."""
        return any(
            want.cid in provider.offers and not provider.asked and provider.is_untried
            for provider in self._providers.values()
        )

    def has_deliverer(self, want: Want, *, idle: bool = False) -> bool:
        """Whether somebody who delivers should have the block and may be asked for it; `idle`: now."""
        return any(
            provider.delivers
            and not (idle and provider.asked)
            and self._is_relied_on(provider, want)
            and want.may_ask(provider.peer)
            and self._should_have(want, provider)
            for provider in self._providers.values()
        )

    def has_surer_peer(self, want: Want, session: Session, provider: Provider, now: float) -> bool:
        """Whether somebody should have the block of whom it is surer that it comes."""
        return any(
            want.may_ask(other.peer) and self._should_have(want, other)
            for other in self._surer(session, provider, now)
        )

    def is_begun(self, want: Want, now: float) -> bool:
        """Whether the peer that a want is on order from may be sending it already."""
        owner = self._providers[next(iter(want.asked))]
        size = self._session_of(want).block_size
        committed = max(_COMMITTED, owner.speed.rate(now) * owner.window.delay)
        return owner.outstanding(size) < 2 * size + committed

    def _total(self, session: Session, now: float) -> float:
        """Bytes per second from all that are good for the session."""
        total = self._totals.get(session)
        if total is None:
            total = sum(other.speed.rate(now) for other in self._good(session) if other.delivers)
            self._totals[session] = total
        return total

    def _surer(self, session: Session, provider: Provider, now: float) -> list[Provider]:
        """Those who are good for the session and of whom it is surer that what is on order will come."""
        trust = provider.trust(now)
        surer = self._surer_than.get((session, trust))
        if surer is None:
            surer = [other for other in self._good(session) if other.trust(now) > trust]
            self._surer_than[session, trust] = surer
        return surer

    def _good(self, session: Session) -> Iterator[Provider]:
        return (self._providers[peer] for peer in session.good_peers if session.relies_on(peer))

    def _far_behind(self, now: float) -> list[Provider]:
        """Peers that have more on order than they send in a moment."""
        if self._behind is None:
            self._behind = [
                provider
                for provider in self._providers.values()
                if (want := self._last_on_order(provider)) is not None
                and provider.expects(0, now, self._session_of(want).block_size) > _LITTLE_TIME
            ]
        return self._behind

    def _last_on_order(self, provider: Provider) -> Want | None:
        last = next(reversed(provider.asked), None)
        return None if last is None else self._wants.get(last)

    def _may_move(self, want: Want, provider: Provider, now: float) -> bool:
        if want.moves >= _MOST_MOVES or len(want.asked) != 1 or want.is_open:
            return False
        return (
            not self._is_kept_waiting(provider, want, self._session_of(want), now)
            and want.may_ask(provider.peer)
            and self._is_relied_on(provider, want)
            and self._should_have(want, provider)
        )

    def _is_kept_waiting(self, provider: Provider, want: Want, session: Session, now: float) -> bool:
        """Whether a newcomer may not be asked for what surer peers have too, since somebody let us down."""
        may_wait = session.may_wait_for_newcomers(now) and not want.overdue
        return not may_wait and self.come_first(session, provider, now) > 0

    def _is_relied_on(self, provider: Provider, want: Want) -> bool:
        return all(self._sessions[session_id].relies_on(provider.peer) for session_id in want.sessions)

    def _should_have(self, want: Want, provider: Provider) -> bool:
        return want.cid in provider.offers or any(
            self._sessions[session_id].has_all(provider.peer) for session_id in want.sessions
        )

    def _time_saved(self, want: Want, owner: Provider, provider: Provider, now: float) -> float:
        """By how much sooner a want would come; 0 if it is not worth it."""
        session = self._session_of(want)
        if not provider.speed.rate(now) or not owner.speed.rate(now):
            # Nothing to reckon with: whoever says nothing is the slower one.
            quiet = now - owner.quiet_since(want.cid)
            is_stuck = not provider.asked and not want.moves and len(owner.asked) > 1
            return quiet if is_stuck and quiet >= self._limits.look_again else 0.0
        left = owner.expects(0, now, session.block_size)
        mine = provider.expects(session.block_size, now)
        saved = left - mine
        if saved < _LITTLE_TIME:
            return 0.0
        if not self.is_begun(want, now):
            return saved if left > _SOONER * mine else 0.0
        is_cheap = session.may_repeat() or owner.on_trial or saved > _MUCH_TIME
        return saved if is_cheap and left > _MUCH_SOONER * mine else 0.0

    def _session_of(self, want: Want) -> Session:
        return self._sessions[next(iter(want.sessions))]
