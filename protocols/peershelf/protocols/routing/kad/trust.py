"""Whose word is worth a dial: peers that are told of are asked as long as some of them are there.

Peer IDs can be made up at no cost, as near to a place as one likes. A liar could have us ask nobody but such
until we give up; so whoever told of peers that are not there is not believed about others.
"""

from __future__ import annotations

from collections import Counter

from peershelf.protocols.transport import PeerId

CREDIT = 5
"""How many peers of one teller may have failed, or be waited for, over those that have answered."""


class Trust:
    """Who told of whom, and how that went. What several tell is believed if one of them is.

    None as the teller is ourselves, who always are. Nobody tells of a peer once it was asked.
    """

    def __init__(self) -> None:
        self._tellers: dict[PeerId, set[PeerId | None]] = {}
        self._failed: Counter[PeerId | None] = Counter()
        self._answered: Counter[PeerId | None] = Counter()
        self._waited_for: Counter[PeerId | None] = Counter()

    def told(self, teller: PeerId | None, peer: PeerId) -> None:
        """A peer was told of, maybe by others, too."""
        self._tellers.setdefault(peer, set()).add(teller)

    def forget(self, peer: PeerId) -> None:
        """A peer will not be asked."""
        del self._tellers[peer]

    def asked(self, peer: PeerId) -> None:
        """A peer is waited for."""
        self._waited_for.update(self._tellers[peer])

    def answered(self, peer: PeerId) -> None:
        """A peer that was asked is there."""
        self._waited_for.subtract(self._tellers[peer])
        self._answered.update(self._tellers[peer])
        # Never below nothing: naming many that are there buys no credit for more that are not.
        self._failed.subtract(one for one in self._tellers[peer] if self._failed[one] > 0)

    def failed(self, peer: PeerId) -> None:
        """A peer that was asked is not there."""
        self._waited_for.subtract(self._tellers[peer])
        self._failed.update(self._tellers[peer])

    def believed(self, peer: PeerId) -> bool:
        """Whether a peer that was told of may be there."""
        return any(one is None or self._failed[one] < CREDIT for one in self._tellers[peer])

    def may_ask(self, peer: PeerId) -> bool:
        """Whether a peer may be asked before more of those that are waited for have answered."""
        return any(one is None or self._outstanding(one) < CREDIT for one in self._tellers[peer])

    def _outstanding(self, teller: PeerId) -> int:
        """How many of a teller's peers may turn out not to be there, but for some where others were."""
        return self._failed[teller] + self._waited_for[teller] - min(self._answered[teller], CREDIT)
