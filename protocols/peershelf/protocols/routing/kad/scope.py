"""The two networks of a DHT: the world's, and the one around us, which never learn of each other's peers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from peershelf.protocols.multiaddrs import ip_of, is_public, network_of
from peershelf.protocols.routing.kad.messages import Contact

MAX_ADDRESS_BYTES = 1_024
"""Bytes of addresses of one peer that are kept, and passed on: some sixty of TCP, a dozen over relays."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One of them."""

    name: str
    protocol: str
    admits: Callable[[bytes], bool]
    """Whether an address belongs to it."""
    is_public: bool
    """Whether strangers take part, of whom some may be many."""

    def only(self, addresses: Iterable[bytes]) -> tuple[bytes, ...]:
        """Those of the addresses that belong to it, the first ones where they are too long together."""
        kept: list[bytes] = []
        room = MAX_ADDRESS_BYTES
        for address in addresses:
            if len(address) <= room and self.admits(address):
                kept.append(address)
                room -= len(address)
        return tuple(kept)

    def lets_in(self, seen: bytes) -> bool:
        """Whether a peer seen at an address may be in the routing table: from afar anybody can say "near"."""
        return self.is_public or self.admits(seen)

    def group(self, seen: bytes) -> str | None:
        """Whom a peer seen at an address shares a bounded number of places with; None for no bound."""
        return (network_of(seen) or "near") if self.is_public else None

    def contact(self, contact: Contact) -> Contact:
        """A contact with those of its addresses that belong here."""
        return Contact(contact.peer, self.only(contact.addresses))


def _is_near(address: bytes) -> bool:
    ip = ip_of(address)
    return ip is not None and not ip.is_global and not ip.is_unspecified and not ip.is_multicast


WAN = Scope("wan", "/ipfs/kad/1.0.0", is_public, is_public=True)
LAN = Scope("lan", "/ipfs/lan/kad/1.0.0", _is_near, is_public=False)
