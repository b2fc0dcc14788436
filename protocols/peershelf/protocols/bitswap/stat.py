"""What the exchange has done so far."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.blockstore.cid import Cid
from peershelf.protocols.transport import PeerId


@dataclass(slots=True)
class Counters:
    """Counted as it happens. Bytes are those of blocks, without what surrounds them."""

    blocks_received: int = 0
    bytes_received: int = 0
    blocks_sent: int = 0
    bytes_sent: int = 0
    duplicate_blocks: int = 0
    duplicate_bytes: int = 0
    unrequested_blocks: int = 0
    unrequested_bytes: int = 0
    messages_received: int = 0
    messages_sent: int = 0
    protocol_errors: int = 0
    """Streams ended because their peer broke the protocol."""


@dataclass(frozen=True, slots=True)
class BitswapStat:
    """A snapshot of the counters (see there), of what we want and of who is there."""

    blocks_received: int
    bytes_received: int
    blocks_sent: int
    bytes_sent: int
    duplicate_blocks: int
    duplicate_bytes: int
    unrequested_blocks: int
    unrequested_bytes: int
    messages_received: int
    messages_sent: int
    protocol_errors: int
    wantlist: tuple[Cid, ...]
    peers: tuple[PeerId, ...]
