"""One peer's turn to be sent blocks."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.protocols.bitswap.ledger import Ledger
from peershelf.protocols.bitswap.wantlist import Want
from peershelf.protocols.transport import PeerId


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """Blocks that one peer gets now, in one message; `size` is their bytes together."""

    peer: PeerId
    wants: tuple[Want, ...]
    size: int
    ledger: Ledger
    """The books that the turn is charged to: a peer that came back has new ones."""
