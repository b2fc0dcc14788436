"""Our books on one peer that we serve: what it wants, what is ready for it, what is on its way to it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from heapq import nsmallest
from itertools import islice
from math import inf

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Presence, WantEntry
from peershelf.protocols.bitswap.wantlist import Want, Wantlist

_LEAST_TURN = 32_768


class Ledger:
    """One peer's wants and the answers to them. Knows nothing of other peers."""

    def __init__(self, limits: BitswapLimits, place: Hashable = None) -> None:
        self._limits = limits
        self.place = place
        """What the peer shares with others that may be the same person."""
        self.wantlist = Wantlist(limits.wants_per_peer)
        self._ready: dict[Cid, Want] = {}
        self._presences: dict[Cid, bool] = {}
        self._sending: set[Cid] = set()
        self._turns = 0
        self._bytes_sending = 0
        self.passed_over_at = -inf
        """From when a peer without a turn counts as passed over."""

    @property
    def has_presences(self) -> bool:
        """Whether the peer is to be told of having or not having something."""
        return bool(self._presences)

    @property
    def may_send(self) -> bool:
        """Whether blocks are ready for the peer and it has taken enough of the earlier ones."""
        return bool(self._ready) and self._turns < self._limits.messages_ahead

    @property
    def is_low(self) -> bool:
        """Whether so few turns are on their way that the next ones should be read, several at a time."""
        return self._turns <= self._limits.messages_ahead // 2

    @property
    def is_busy(self) -> bool:
        """Whether a turn is on its way to the peer."""
        return self._turns > 0

    @property
    def bytes_sending(self) -> int:
        """Bytes of blocks on their way to the peer."""
        return self._bytes_sending

    def is_sending(self, cid: Cid) -> bool:
        """Whether the block is in a turn that is on its way to the peer."""
        return cid in self._sending

    def want(self, entry: WantEntry) -> bool:
        """Note what the peer wants. Returns whether there was room for it, so that it shall be looked up."""
        want = self.wantlist.add(entry)
        if want is not None and not want.have_only:
            # Word that is waiting was for an earlier want-have: it would not answer this want.
            self._presences.pop(want.cid, None)
        return want is not None

    def answer(self, want: Want, size: int | None) -> None:
        """Settle what becomes of a want now that the block's size, or its absence, is known.

        An absent block stays wanted, so that the peer gets it, or word of it, when it comes.
        """
        want.size = size
        if size is None:
            if want.send_dont_have:
                self._presences[want.cid] = False
        elif want.have_only and size > self._limits.inline_block:
            self._presences[want.cid] = True
        else:
            self._presences.pop(want.cid, None)
            self._ready[want.cid] = want

    def forget(self, cid: Cid) -> bool:
        """Drop a want and whatever is waiting to be said about it. Returns whether there was one."""
        self._ready.pop(cid, None)
        self._presences.pop(cid, None)
        self._sending.discard(cid)
        return self.wantlist.remove(cid) is not None

    def take_presences(self, most: int) -> tuple[Presence, ...]:
        """Return up to `most` things to say, and consider them said: a HAVE ends its want-have."""
        presences = tuple(Presence(cid, have) for cid, have in islice(self._presences.items(), most))
        for presence in presences:
            del self._presences[presence.cid]
            if presence.have:
                self.wantlist.remove(presence.cid)
        return presences

    def take_turn(self, share: int, budget: int, times_sent: Callable[[Cid], int]) -> list[Want]:
        """Move some ready blocks to "sending": `share` bytes of them, or one, if `budget` bytes allow it.

        The highest priority goes first; among equals what we have sent least often, so that a swarm that
        asks us for the same things gets different ones.
        """
        budget = min(budget, self._limits.buffered_per_peer - self._bytes_sending)
        # What is asked for at once is not sent at once: the peer shall order more while the rest travels.
        half = sum(want.size or 0 for want in self._ready.values()) // 2
        target = min(budget, share, max(half, _LEAST_TURN))
        chosen: list[Want] = []
        total = 0
        for want in self._by_rank(times_sent):
            size = want.size or 0
            if total + size > (target if chosen else budget):
                break
            chosen.append(want)
            total += size
        self._start_sending(chosen, total)
        return chosen

    def requeue(self, wants: Iterable[Want]) -> list[Want]:
        """Make blocks of a turn that failed ready again. Returns those that are still wanted."""
        again = [want for want in wants if self._want_again(want)]
        self._ready.update((want.cid, want) for want in again)
        return again

    def unreadable(self, want: Want) -> bool:
        """A block that was to be sent is not there after all. Returns whether it is still wanted."""
        if not self._want_again(want):
            return False
        self.answer(want, None)
        return True

    def sent(self, wants: Iterable[Want], size: int) -> None:
        """Blocks of a turn have left, or never will: their bytes are free again."""
        self._turns -= 1
        self._bytes_sending -= size
        self._sending.difference_update(want.cid for want in wants)

    def _want_again(self, want: Want) -> bool:
        if want.cid not in self._sending:
            return False
        self._sending.discard(want.cid)
        return self.wantlist.restore(want)

    def _by_rank(self, times_sent: Callable[[Cid], int]) -> list[Want]:
        # A message holds a few hundred of the smallest blocks, so ranking more is wasted.
        return nsmallest(256, self._ready.values(), key=lambda want: (-want.priority, times_sent(want.cid)))

    def _start_sending(self, wants: list[Want], size: int) -> None:
        if not wants:
            return
        self._turns += 1
        self._bytes_sending += size
        for want in wants:
            del self._ready[want.cid]
            self.wantlist.remove(want.cid)
            self._sending.add(want.cid)
