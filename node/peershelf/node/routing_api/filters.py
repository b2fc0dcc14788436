"""Which peers, and which of their addresses, a client wants to be told of.

Spec: https://specs.ipfs.tech/ipips/ipip-0484/
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from peershelf.node.errors import UsageError
from peershelf.protocols.multiaddrs import is_global
from peershelf.protocols.routing.base import PeerInfo

_UNKNOWN = "unknown"
_MOST_NAMES = 64
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Filters:
    """What a client has asked for.

    Args:
        addresses: names of a multiaddr's protocols, those with a "!" before them not wanted; all where empty.
        protocols: names of transfer protocols; all where empty.
        from_afar: whether the client is elsewhere than on this machine and its private networks.
    """

    addresses: frozenset[str] = frozenset()
    protocols: frozenset[str] = frozenset()
    from_afar: bool = True

    @classmethod
    def parse(cls, query: bytes, *, from_afar: bool) -> Filters:
        """Read a query string. Raises UsageError."""
        fields = parse_qs(query.decode("latin-1"), max_num_fields=16)
        return cls(
            _names(fields.get("filter-addrs", [])), _names(fields.get("filter-protocols", [])), from_afar
        )

    def apply(self, info: PeerInfo) -> PeerInfo | None:
        """Return what the client is told of a peer; None for nothing."""
        # The DHT says nothing of transfer protocols, so those of each peer are unknown.
        if self.protocols and _UNKNOWN not in self.protocols:
            return None
        if not info.addresses:
            return info if not self.addresses or _UNKNOWN in self.addresses else None
        kept = tuple(one for one in info.addresses if self._wants(one))
        return PeerInfo(info.peer, kept) if kept else None

    def _wants(self, address: str) -> bool:
        if self.from_afar and not is_public(address):
            return False
        names = set(address.lower().split("/"))
        refused = {one[1:] for one in self.addresses if one.startswith("!")}
        wanted = {one for one in self.addresses if not one.startswith("!")}
        return not names & refused and (not wanted or bool(names & wanted))


def is_public(address: str) -> bool:
    """Whether a multiaddr in text may be reached from anywhere: a global IP address, or a name."""
    match address.split("/"):
        case ["", "ip4" | "ip6", host, *_]:
            return not is_near(host)
        case ["", "dns" | "dns4" | "dns6" | "dnsaddr", host, *_]:
            return "." in host and not host.endswith((".local", ".localhost", ".internal", ".home.arpa"))
    return False


def is_near(host: str) -> bool:
    """Whether an IP address is of this machine or of a private network, or is none."""
    return not is_global(host)


def _names(values: list[str]) -> frozenset[str]:
    names = [name.strip().lower() for value in values for name in value.split(",")]
    if len(names) > _MOST_NAMES or any(len(name) > _LONGEST_NAME + 1 for name in names):
        raise UsageError(f"a filter has at most {_MOST_NAMES} names of {_LONGEST_NAME} characters")
    return frozenset(filter(None, names))
