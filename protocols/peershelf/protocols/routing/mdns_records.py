"""What peers say of themselves in multicast DNS: TXT strings, each `dnsaddr=` and a multiaddr with a peer ID.

Whoever is on the network may say anything, so reading is strict, bounded, and never raises.

Spec: https://github.com/libp2p/specs/blob/master/discovery/mdns.md
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

from peershelf.blockstore import bases, multihash
from peershelf.blockstore.errors import InvalidCid
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.transport import PeerId

MAX_ADDRESSES = 16
"""Addresses that are told of, or taken from, one peer."""

_PREFIX = b"dnsaddr="
_MAX_STRINGS = 64
_MAX_TEXT = 1_200
"""Bytes of what we tell: it shares a packet with other records, and DNS-SD asks for fewer than 1,300."""

_MAX_STRING = 255
_MAX_PEER_ID = 64
_HASHES = (multihash.IDENTITY, multihash.SHA2_256)
_NOT_ANNOUNCED = {"ws", "wss", "webtransport", "webrtc-direct", "p2p-circuit"}
"""What no peer on the local network would choose; packets are small."""


def encode_txt(peer: PeerId, addresses: Iterable[str]) -> bytes:
    """Return the TXT record's data that tells of `peer` at those of its `addresses` that a neighbour can use.

    The addresses may end in the peer ID. Empty where none is of use.
    """
    bare = dict.fromkeys(address.partition("/p2p/")[0] for address in addresses)
    fitting = [one for one in bare if not _NOT_ANNOUNCED & set(one.split("/"))]
    text = b""
    for address in _near(fitting)[:MAX_ADDRESSES]:
        string = _PREFIX + f"{address}/p2p/{peer}".encode()
        if len(string) <= _MAX_STRING and len(text) + 1 + len(string) <= _MAX_TEXT:
            text += bytes([len(string)]) + string
    return text


def parse_txt(text: bytes) -> PeerInfo | None:
    """Return the peer that a TXT record's data tells of, and its IP addresses; None if it tells of nobody.

    A record is about one peer: the first that it names. Names are left out, for looking them up would send
    a stranger's words to others.
    """
    strings = _split(text)
    if strings is None:
        return None
    named = [one for string in strings if (one := _parse_string(string)) is not None]
    if not named:
        return None
    peer = named[0][0]
    addresses = _near(list(dict.fromkeys(address for other, address in named if other == peer)))
    return PeerInfo(peer, tuple(addresses[:MAX_ADDRESSES])) if addresses else None


def ip_of(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that a multiaddr begins with, where somebody could be dialed at it."""
    match address.split("/"):
        case ["", "ip4" | "ip6" as family, host, _, *_] if "%" not in host:
            try:
                ip = ipaddress.ip_address(host)
            except ValueError:
                return None
            # IPv6's link-local addresses mean nothing without the name of an interface.
            vague = ip.version == 6 and ip.is_link_local
            if family == f"ip{ip.version}" and not (vague or ip.is_multicast or ip.is_unspecified):
                return ip
    return None


def _near(addresses: Sequence[str]) -> list[str]:
    """Those with an IP address; loopback ones only if there are no others.

    To anybody else, a loopback address is one of their own. On this machine the others work as well.
    """
    found = [(address, ip) for address in addresses if (ip := ip_of(address)) is not None]
    outer = [address for address, ip in found if not ip.is_loopback]
    return outer or [address for address, _ in found]


def _split(text: bytes) -> list[bytes] | None:
    """The strings of a TXT record's data, each after a byte with its length; None if they do not add up."""
    strings: list[bytes] = []
    start = 0
    while start < len(text) and len(strings) < _MAX_STRINGS:
        end = start + 1 + text[start]
        if end > len(text):
            return None
        strings.append(text[start + 1 : end])
        start = end
    return strings


def _parse_string(string: bytes) -> tuple[PeerId, str] | None:
    if not (string.startswith(_PREFIX) and string.isascii()):
        return None
    address, _, name = string.removeprefix(_PREFIX).decode("ascii").rpartition("/p2p/")
    if not address.isprintable() or not {"p2p", "p2p-circuit"}.isdisjoint(address.split("/")):
        return None
    return (PeerId(name), address) if _is_peer_id(name) else None


def _is_peer_id(name: str) -> bool:
    if not (name.startswith(("1", "Qm")) and len(name) <= _MAX_PEER_ID):
        return False
    try:
        code, _ = multihash.split(bases.decode_base58_with_zeros(name))
    except (InvalidCid, ValueError):
        return False
    return code in _HASHES


def packed_ips(text: bytes) -> Iterator[bytes]:
    """The first IP address of each family in what encode_txt() made, packed as in A and AAAA records."""
    info = parse_txt(text)
    ips = [ip for address in (info.addresses if info else ()) if (ip := ip_of(address)) is not None]
    for version in (4, 6):
        yield from [ip.packed for ip in ips if ip.version == version][:1]
