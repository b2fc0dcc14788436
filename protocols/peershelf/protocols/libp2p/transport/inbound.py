"""Which inbound sockets get a place: decided at accept, before any handshake costs us anything.

Three bounds hold from accept to close: sockets of one address (see `address_group`), sockets in all, which
leaves places for our own dials however many strangers come, and those still shaking hands (see `HalfOpen`).
Where a bound is reached a socket that is still shaking hands makes room. Established ones do where all places
are taken, and then only for an address that has fewer than theirs: or a few addresses could shut out others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from peershelf.protocols.filters import AddressFilters
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.ranking import may_be_shared
from peershelf.protocols.libp2p.transport.half_open import Endpoint, HalfOpen
from peershelf.protocols.libp2p.transport.handshakes import Handshakes
from peershelf.protocols.multiaddrs import address_group


class Crowd(NamedTuple):
    """How many sockets one address has, and may have."""

    group: str
    """The address, or the /64 of an IPv6 one; "" while there is nobody."""
    sockets: int
    share: int


class InboundPlaces:
    """Bounds inbound sockets by address and in all, and takes none from filtered addresses."""

    def __init__(self, limits: HostLimits, filters: AddressFilters | None = None) -> None:
        self.half_open = HalfOpen(limits.half_open_per_address, limits.headroom)
        self.handshakes = Handshakes(limits)
        self._filters = AddressFilters() if filters is None else filters
        self._limits = limits
        self._count: Counter[str] = Counter()
        self._give_up: dict[Endpoint, Callable[[], None]] = {}
        self.may_go: Callable[[Endpoint], bool] = lambda remote: True
        """Whether an established socket may make room for others."""

    def __len__(self) -> int:
        return self._count.total()

    def admit(self, remote: Endpoint, give_up: Callable[[], None]) -> bool:
        """Take a new socket in, or return False: then close it.

        Args:
            give_up: closes the socket; called should it have to make room. leave() has been called for it
                when this returns.
        """
        if self._filters.blocking(remote[0]) is not None:
            return False
        group = address_group(remote[0])
        if self._count[group] >= self._share(remote[0]):
            if not self.half_open.evict(group):
                return False
        elif len(self) >= self._limits.max_inbound and not (self.half_open.evict() or self._displace(group)):
            return False
        self.half_open.admit(remote, give_up)
        self._give_up[remote] = give_up
        self._count[group] += 1
        return True

    def _displace(self, group: str) -> bool:
        """Have the newest socket of the address that has most make room, unless that is none the fairer."""
        crowd, sockets = self._count.most_common(1)[0]
        if sockets < self._count[group] + 2:
            return False
        for remote in reversed(self._give_up):
            if address_group(remote[0]) == crowd and self.may_go(remote):
                self._give_up[remote]()
                return True
        return False

    def leave(self, remote: Endpoint) -> None:
        """A socket that was taken in is closed. Call it once."""
        self.half_open.settle(remote)
        del self._give_up[remote]
        group = address_group(remote[0])
        self._count[group] -= 1
        if not self._count[group]:
            del self._count[group]

    def fullest(self) -> Crowd:
        """Return the address that is nearest to its bound."""
        crowds = [
            Crowd(group, count, self._share(group.partition("/")[0])) for group, count in self._count.items()
        ]
        nobody = Crowd("", 0, self._limits.connections_per_address)
        return max(crowds, key=lambda crowd: crowd.sockets / crowd.share, default=nobody)

    def _share(self, host: str) -> int:
        limits = self._limits
        return limits.connections_per_local_address if may_be_shared(host) else limits.connections_per_address
