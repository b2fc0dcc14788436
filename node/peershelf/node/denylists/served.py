"""The store as strangers see it: blocked blocks are not in it."""

from __future__ import annotations

from collections.abc import Iterable

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.denylists.denylists import Denylists


class ServedBlocks:
    """What the exchange reads blocks for peers from."""

    def __init__(self, store: Blockstore, denylists: Denylists) -> None:
        self._store = store
        self._denylists = denylists

    def sizes(self, cids: Iterable[Cid]) -> dict[Cid, int]:
        """As the store's."""
        here = self._store.sizes(cids)
        for cid in self._denylists.refusals(here):
            del here[cid]
        return here

    def get_unhashed(self, cid: Cid) -> bytes | memoryview:
        """As the store's. Raises BlockNotFound for a blocked block too."""
        if self._denylists.refusal(cid) is not None:
            raise BlockNotFound(f"block {cid} is blocked")
        return self._store.get_unhashed(cid)
