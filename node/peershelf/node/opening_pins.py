"""A repo's pins in use. It is told where there should have been some."""

from __future__ import annotations

from pathlib import Path

from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.observe import later

log = later.Logger(__name__)


def opened_pins(repo: Path, store: Blockstore) -> Pins:
    """Open the pins of the blocks in `store`. Blocking; close them later. Raises StoreFull, StoreError."""

    def has_blocks() -> bool:
        return next(store.multihashes(), None) is not None

    pins = store.with_room(lambda: Pins(repo / "facts.db", has_blocks))
    if pins.found_lost:
        log.warning(
            "facts.db is gone, and with it every pin, and what others were not to be told of",
            advice="bring it back from a backup, or pin again what is to stay",
        )
    return pins
