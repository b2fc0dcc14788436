"""From names to IP addresses, before anything is dialed, so that every address of a name is tried."""

from __future__ import annotations

import socket
from functools import partial
from typing import Any

import trio
from libp2p.utils.dns_utils import resolve_multiaddr_with_retry

from peershelf.protocols.errors import DialFailed
from peershelf.protocols.libp2p.addresses import DNS_NAMES, Multiaddr, Target, is_tcp, is_websocket

_FAMILIES = {"dns": socket.AF_UNSPEC, "dns4": socket.AF_INET, "dns6": socket.AF_INET6}


async def resolve(target: Target, lookups: trio.CapacityLimiter) -> list[Multiaddr]:
    """Return the IP addresses and ports behind `target`, in the resolver's order.

    /dns, /dns4 and /dns6 go through the system's resolver, so /etc/hosts counts; /dnsaddr is looked up in
    DNS TXT records, of which only those for the target's peer are taken. Raises DialFailed.

    Args:
        lookups: bounds the threads that wait for the system's resolver. Nothing ends one, cancelled or not,
            before it has heard from a server that may be a stranger's: so they are none of those for others.
    """
    first = next(iter(target.where.protocols())).name
    if first == "dnsaddr":
        return await _dnsaddr(target)
    if first in DNS_NAMES:
        return await _names(target.where, first, lookups)
    return [target.where]


async def _names(where: Multiaddr, kind: str, lookups: trio.CapacityLimiter) -> list[Multiaddr]:
    host, port = where.value_for_protocol(kind), where.value_for_protocol("tcp")
    ws = "/ws" if str(where).endswith("/ws") else ""
    try:
        look_up = partial(look_up_name, host, port, _FAMILIES[kind])
        found = await trio.to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=lookups)
    except (OSError, UnicodeError) as error:
        raise DialFailed(f"the name {host} cannot be resolved") from error
    return [Multiaddr(f"/{_ip_name(family)}/{peer[0]}/tcp/{port}{ws}") for family, _, _, _, peer in found]


def look_up_name(host: str, port: str, family: int) -> list[tuple[Any, ...]]:
    """Ask the system's resolver, which may take half a minute. Raises OSError, UnicodeError."""
    return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))


def _ip_name(family: int) -> str:
    return "ip4" if family == socket.AF_INET else "ip6"


async def _dnsaddr(target: Target) -> list[Multiaddr]:
    try:
        found = await resolve_multiaddr_with_retry(Multiaddr(f"{target.where}/p2p/{target.peer}"))
    except Exception as error:  # without a resolver's configuration dnspython cannot even begin
        raise DialFailed(f"the name cannot be looked up: {type(error).__name__}") from error
    if found is None:
        raise DialFailed("the name cannot be looked up, or has no address for the peer")
    suffix = f"/p2p/{target.peer}"
    ours = [address for address in found if str(address).endswith(suffix)]
    wanted = [address for address in ours if is_tcp(address) or is_websocket(address)]
    if not wanted:
        raise DialFailed("the name has no TCP address for the peer")
    return [address.decapsulate(Multiaddr(suffix)) for address in wanted]
