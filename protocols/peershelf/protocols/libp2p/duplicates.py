"""Which connection to a peer is kept where there are several.

Two peers that dial each other at the same moment end up with two connections. Both must keep the same one
without asking: of connections that came up within `SIMULTANEOUS` seconds of each other it is the one dialed
by the smaller peer ID. Otherwise the newest is kept, because a peer that has rebooted dials anew while its
old connection still looks alive from here.

The others are not cut off: new streams go to the one that is kept, and a superseded connection is closed
once nothing runs on it. The smaller peer ID closes after `SETTLE` seconds, the other side only after
`MOP_UP`, should the first not do so (Kubo keeps every connection). Were both to close at once and disagree,
none would be left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from libp2p.peer.id import ID

from peershelf.protocols.transport import PeerId

SIMULTANEOUS = 5.0
"""Seconds; longer than two handshakes that began together can lie apart on a usable link."""

SETTLE = 1.0
"""Seconds for which a superseded connection is left alone: the peer has heard of the kept one by then."""

MOP_UP = 10.0
"""The same on the side of the greater peer ID."""


class Link(Protocol):
    """What is asked about a connection."""

    @property
    def since(self) -> float:
        """When it came up, in seconds."""

    @property
    def is_outbound(self) -> bool: ...


L = TypeVar("L", bound=Link)


def kept(links: Sequence[L], *, ours_first: bool) -> L:
    """Return the one of a peer's live connections, oldest first, that new streams use and that stays.

    Args:
        ours_first: whether our peer ID is the smaller one.
    """
    newest = links[-1]
    rivals = [link for link in links if newest.since - link.since <= SIMULTANEOUS]
    preferred = [link for link in rivals if link.is_outbound == ours_first]
    return (preferred or rivals)[-1]


def is_smaller(peer: PeerId, other: PeerId) -> bool:
    """Compare two peer IDs by their bytes."""
    return ID.from_base58(peer).to_bytes() < ID.from_base58(other).to_bytes()
