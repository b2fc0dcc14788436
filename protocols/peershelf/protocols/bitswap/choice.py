"""Which open want to ask of which peer next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from random import Random

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.provider import Provider
from peershelf.protocols.bitswap.session import Session
from peershelf.protocols.bitswap.sharing import Sharing
from peershelf.protocols.bitswap.want import Want
from peershelf.protocols.transport import PeerId

_NEXT = 16
"""Open wants among which those are looked for that only new peers have."""
_CHOICE = 64
"""Open wants among which a rare one is looked for."""


class Chooser:
    """Picks wants by what is known of the peers; changes nothing."""

    def __init__(
        self,
        providers: Mapping[PeerId, Provider],
        sharing: Sharing,
        random: Random,
        in_demand: Callable[[Cid], bool],
    ) -> None:
        self._providers = providers
        self._sharing = sharing
        self._random = random
        self._in_demand = in_demand

    def ready(self, hungry: Iterable[PeerId], now: float) -> list[Provider]:
        """Peers with room. Of them come first who is surest to send; then who has the least to offer, as the
        others can wait for what is left; then who came first: whoever comes again and again is not preferred.
        """
        known = (self._providers.get(peer) for peer in hungry)
        ready = [provider for provider in known if provider is not None and provider.has_room(now)]
        return sorted(ready, key=lambda one: (-one.trust(now), len(one.offers), one.since, one.peer))

    def is_only_peer(self, provider: Provider) -> bool:
        """Whether nobody else is connected."""
        return len(self._providers) == 1 and provider.peer in self._providers

    def asks_directly(self, session: Session, provider: Provider) -> bool:
        """Whether the peer is asked for blocks of the session without asking first whether it has them."""
        return (
            self.is_only_peer(provider)
            or session.has_all(provider.peer)
            or (not session.knows_provider() and provider is self._best_known())
        )

    def next_want(self, session: Session, provider: Provider, now: float) -> Want | None:
        """What to ask of this peer next for this session, if anything."""
        if session.is_full or not session.may_ask(provider.peer, now):
            return None
        candidates = self._candidates(session, provider)
        if provider.is_untried:
            # It may be silent like the one that was asked before.
            has_deliverer = self._sharing.has_deliverer
            candidates = (want for want in candidates if not (want.overdue and has_deliverer(want)))
        return self._pick(self._in_time(candidates, session, provider, now))

    def _in_time(
        self, candidates: Iterator[Want], session: Session, provider: Provider, now: float
    ) -> Iterator[Want]:
        """Those wants that a peer would answer before all that comes before them is here from others."""
        before = self._sharing.others_send(session, provider, now)
        others = self._sharing.come_first(session, provider, now)
        if others > before:
            return self._held_back_without_harm(candidates, session, provider, others, now)
        left = self._sharing.is_better_left
        if before > session.remaining:
            if session.may_measure() and provider.is_to_be_measured(now):
                return _from(candidates, session.remaining)
            some = islice(candidates, _CHOICE)
            return (want for want in some if not left(want, session, provider, now))
        too_early = int(before) - session.on_order
        first = next(candidates, None) if too_early > 0 else None
        if first is None:
            return candidates
        candidates = chain((first,), candidates)
        return _from(candidates, too_early) if left(first, session, provider, now) else candidates

    def _held_back_without_harm(
        self, wants: Iterator[Want], session: Session, provider: Provider, others: int, now: float
    ) -> Iterator[Want]:
        """Those of the next wants that nobody surer has, those after `others` more, or else the last."""
        near = list(islice(wants, min(others, _NEXT)))
        yield from (want for want in near if not self._sharing.has_surer_peer(want, session, provider, now))
        last = deque(chain(near, islice(wants, others - len(near))), maxlen=1)
        yield from (want for want in wants if not want.overdue)
        if session.may_wait_for_newcomers(now):
            yield from (want for want in last if not want.overdue)

    def _candidates(self, session: Session, provider: Provider) -> Iterator[Want]:
        peer = provider.peer
        if self.asks_directly(session, provider):
            return (want for want in session.open_wants() if want.may_ask(peer))
        offers = provider.offers.values()
        open_offers = [want for want in offers if session.is_open(want) and want.may_ask(peer)]
        return iter(sorted(open_offers, key=lambda want: want.serial))

    def _pick(self, candidates: Iterable[Want]) -> Want | None:
        in_order = iter(candidates)
        first = next(in_order, None)
        if first is None or not self._in_demand(first.cid):
            return first
        choice = [first, *islice(in_order, _CHOICE)]
        return min(choice, key=lambda want: (len(want.haves), self._random.random()))

    def _best_known(self) -> Provider | None:
        known = [provider for provider in self._providers.values() if provider.delivers]
        return min(known, key=lambda provider: provider.window.latency or 0.0, default=None)


def _from(wants: Iterator[Want], number: int) -> Iterator[Want]:
    """Wants but for the first `number`; the last, if there are no more than those."""
    last = deque(islice(wants, number), maxlen=1)
    return chain(wants, last)
