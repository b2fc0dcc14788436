"""A hold on blocks of the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.store.base import Hold
from peershelf.blockstore.store.pack.pack import Pack

if TYPE_CHECKING:
    from peershelf.blockstore.store.pack.store import PackStore


class PackHold(Hold):
    """Holds what is put from now on by its position in the log, and what was there before by its key."""

    def __init__(self, store: PackStore, pack: Pack) -> None:
        self._store = store
        self._holds = pack.holds
        self._held = pack.holds.open(pack.log.position)

    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        self._store.put_held(blocks, self._held, durable=durable)

    def put_behind(self, blocks: Iterable[Block]) -> None:
        self._store.put_held(blocks, self._held, durable=False, behind=True)

    def keep(self, cids: Iterable[Cid]) -> dict[Cid, int]:
        return self._store.keep(cids, self._held)

    def close(self) -> None:
        self._holds.close(self._held)
