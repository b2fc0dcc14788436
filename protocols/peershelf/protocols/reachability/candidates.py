"""At which addresses this node might be reached, and whether it was really dialed at one. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from peershelf.protocols.multiaddrs import ip_of, is_public, network_of
from peershelf.protocols.transport import Arrival

MOST = 8
"""Addresses that are asked about."""
OBSERVERS = 2
"""Networks (/16, /32) in which somebody must say that he sees us at an IP address."""
_MOST_OBSERVED = 2
"""IP addresses of a family that we are said to have and do not know of ourselves."""

Ip = IPv4Address | IPv6Address


def candidates(
    listening: Sequence[bytes], given: Sequence[bytes], observed: Iterable[tuple[bytes, bytes]]
) -> list[bytes]:
    """Return the addresses to ask about, the likeliest first.

    Args:
        listening: where this node listens.
        given: addresses that the user says this node has.
        observed: pairs of where a peer is seen and where it says that it sees this node.
    """
    found = [one for one in (*given, *listening) if is_public(one)]
    for ip in seen_ips(observed):
        found += [_moved(one, ip) for one in listening if _can_be_behind(one, ip)]
    return list(dict.fromkeys(found))[:MOST]


def seen_ips(observed: Iterable[tuple[bytes, bytes]]) -> list[Ip]:
    """Return the IP addresses at which several networks see us, those first that most agree upon.

    A port that they see is left out: it is that of one connection.
    """
    networks: defaultdict[Ip, set[str]] = defaultdict(set)
    for seen, said in observed:
        network, ip = network_of(seen), ip_of(said)
        if network is not None and ip is not None and ip.is_global:
            networks[ip].add(network)
    agreed = [ip for ip, seers in networks.items() if len(seers) >= OBSERVERS]
    agreed.sort(key=lambda ip: -len(networks[ip]))
    return [
        ip for version in (4, 6) for ip in [one for one in agreed if one.version == version][:_MOST_OBSERVED]
    ]


def _can_be_behind(address: bytes, ip: Ip) -> bool:
    own = ip_of(address)
    return own is not None and own.version == ip.version and not own.is_loopback


def _moved(address: bytes, ip: Ip) -> bytes:
    """The same port and protocols at another IP address."""
    return address[:1] + ip.packed + address[1 + len(ip.packed) :]


def proves(arrival: Arrival, address: bytes, listening: Sequence[bytes], *, asked: float) -> bool:
    """Tell whether a connection shows that this node is reached at `address` from afar.

    Who dialed does not matter, but that it was done because we asked, from a public address that is not our
    own, and at this address: where a NAT is between, at one of the same family and protocols.
    """
    ip, local = ip_of(address), ip_of(arrival.local)
    if arrival.since < asked or local is None or not is_public(arrival.remote):
        return False
    if ip_of(arrival.remote) in (ip, local):
        return False
    if address in listening:
        return arrival.local == address
    if ip is None:
        return True  # a name, which may stand for any of our addresses
    return ip.version == local.version and _protocols(address) == _protocols(arrival.local)


def _protocols(address: bytes) -> tuple[int, bytes]:
    """The protocol over IP, and what follows its port."""
    ip = ip_of(address)
    rest = address[1 + len(ip.packed) :] if ip is not None else address
    return rest[0] if rest else 0, rest[3:]
