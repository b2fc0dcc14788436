"""Inbound sockets that have not finished their handshakes.

An idle socket costs its sender nothing and would hold one of our places until the handshake times out. So
the places are few, and the oldest is given up for the newest: an honest peer needs its place for
milliseconds and gets through, an attacker's socket is pushed out by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from peershelf.protocols.multiaddrs import address_group

Endpoint = tuple[str, int]
"""A peer's IP address and port."""


class HalfOpen:
    """Bounds the inbound sockets that are still shaking hands, by address and in all.

    Args:
        per_address: sockets of what counts as one address (see `address_group`).
        total: sockets of all addresses together.
    """

    def __init__(self, per_address: int, total: int) -> None:
        self._per_address = per_address
        self._total = total
        self._give_up: dict[Endpoint, Callable[[], None]] = {}
        self._count: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._give_up)

    def admit(self, remote: Endpoint, give_up: Callable[[], None]) -> None:
        """Take a new socket in; `give_up` is called should it have to make room for a newer one."""
        self.settle(remote)
        group = address_group(remote[0])
        if self._count[group] >= self._per_address:
            self.evict(group)
        elif len(self._give_up) >= self._total:
            self.evict()
        self._give_up[remote] = give_up
        self._count[group] += 1

    def settle(self, remote: Endpoint) -> None:
        """The socket has finished its handshakes, or is gone. Unknown ones are ignored."""
        if self._give_up.pop(remote, None) is not None:
            group = address_group(remote[0])
            self._count[group] -= 1
            if not self._count[group]:
                del self._count[group]

    def evict(self, group: str | None = None) -> bool:
        """Give up the oldest socket, of an `address_group` if one is given; return whether there was any."""
        for oldest in self._give_up:
            if group is None or address_group(oldest[0]) == group:
                give_up = self._give_up[oldest]
                self.settle(oldest)
                give_up()
                return True
        return False
