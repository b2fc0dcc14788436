"""Which addresses a router may send us to: one that is far away has no business in our own network."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from peershelf.protocols.multiaddrs import from_text, is_global, is_public
from peershelf.protocols.routing.base import PeerInfo


def is_near(url: str) -> bool:
    """Whether a router is on this machine or at a private address; of a name that is not known."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or is_global(host) is False


def only_public(info: PeerInfo) -> PeerInfo:
    """The same peer with those of its addresses that mean the same for everybody."""
    public = [one for one in info.addresses if (data := from_text(one)) is not None and is_public(data)]
    return replace(info, addresses=tuple(public))
