"""In which order the addresses of one peer are dialed: best first.

This machine, then the local network, then the world; within each, plain TCP before WebSocket, and of these
IPv6 and IPv4 in turn, so that a family that leads nowhere costs one head start and not many.

Spec: https://www.rfc-editor.org/rfc/rfc8305#section-4
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, zip_longest

from peershelf.protocols.libp2p.addresses import Multiaddr, endpoint, is_websocket
from peershelf.protocols.traffic import is_local

_SHARED = ipaddress.ip_network("100.64.0.0/10")
"""Between a provider and its customers: not global, and the standard library does not call it private."""


def ranked(addresses: Iterable[Multiaddr]) -> list[Multiaddr]:
    """Return IP addresses with TCP ports, each once, in the order in which to dial them."""
    classes: defaultdict[tuple[int, bool], list[Multiaddr]] = defaultdict(list)
    for address in dict.fromkeys(addresses):
        classes[_distance(endpoint(address)[1]), is_websocket(address)].append(address)
    return [address for rank in sorted(classes) for address in _alternating(classes[rank])]


@lru_cache(maxsize=1_024)
def may_be_shared(host: str) -> bool:
    """Tell whether an IP address is this machine or on a private network, which many nodes may share."""
    return _distance(host) < 2


def _distance(host: str) -> int:
    address = ipaddress.ip_address(host)
    if address.is_loopback:
        return 0
    return 1 if is_local(host) or address in _SHARED else 2


def _alternating(addresses: list[Multiaddr]) -> list[Multiaddr]:
    sixes = [address for address in addresses if _is_ip6(address)]
    fours = [address for address in addresses if not _is_ip6(address)]
    return [address for address in chain(*zip_longest(sixes, fours)) if address is not None]


def _is_ip6(address: Multiaddr) -> bool:
    return ":" in endpoint(address)[1]
