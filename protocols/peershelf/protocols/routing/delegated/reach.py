"""Which addresses a router may send us to: one that is far away has no business in our own network."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from peershelf.protocols.multiaddrs import from_text, is_public
from peershelf.protocols.routing.base import PeerInfo


def is_near(url: str) -> bool:
    """Whether a router is on this machine or at a private address; of a name that is not known."""
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost"


def only_public(info: PeerInfo) -> PeerInfo:
    """The same peer with those of its addresses that mean the same for everybody."""
    public = [one for one in info.addresses if (data := from_text(one)) is not None and is_public(data)]
    return replace(info, addresses=tuple(public))
