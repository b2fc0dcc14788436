"""What inbound handshakes cost, by address, and how long an address has to wait for its next one.

A handshake takes a millisecond or more of the one thread, and its sender half of that or nothing. Who wants
a few does not wait; who floods us with them has a share of the time, and others are not held up.
"""

from __future__ import annotations

import trio

from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.multiaddrs import address_group
from peershelf.protocols.pacing.debts import Debts


class Handshakes:
    """The debts of all addresses. Must be used inside trio, whose clock it goes by."""

    def __init__(self, limits: HostLimits) -> None:
        self._debts = Debts(
            share=limits.handshake_share, share_all=limits.handshakes_share, ahead=limits.handshake_ahead
        )

    def charge(self, host: str, seconds: float) -> None:
        """A handshake with `host`, an IP address, took so much CPU time."""
        self._debts.charge(address_group(host), seconds, trio.current_time())

    async def rest(self, host: str) -> None:
        """Wait until `host` has paid for enough of its handshakes."""
        await trio.sleep(self._debts.rest(address_group(host), trio.current_time()))
