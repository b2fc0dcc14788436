"""What every block store offers, and what it promises.

The interface is synchronous and thread-safe: trio code crosses into it with one thread hop for a
batch, never one for each block (a hop costs 160 µs, an index look-up under 5 µs). Blocks are keyed
by multihash, so the same bytes asked for as CIDv0, as CIDv1 raw or as CIDv1 dag-pb are one block.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid


@dataclass(frozen=True, slots=True)
class StoreStats:
    """A snapshot of what a store holds; sizes in bytes."""

    blocks: int
    """Blocks that can be read."""
    payload_size: int
    """Sum of those blocks' lengths."""
    disk_size: int
    """Bytes that the store's files take, dead records and index included."""


class Blockstore(ABC):
    """A set of blocks. Every backend passes the conformance suite in tests/conformance."""

    @abstractmethod
    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        """Store every block that is not there yet.

        With `durable`, the blocks survive a power loss once this returns, at the cost of one sync for the
        whole call. Without, they are readable at once and become durable at the next sync().
        Raises StoreFull or StoreError; then blocks of this call may or may not be there.
        """

    @abstractmethod
    def get(self, cid: Cid) -> bytes:
        """Return the block's bytes, hashed on every read. Raises BlockNotFound or CorruptBlock."""

    @abstractmethod
    def has(self, cid: Cid) -> bool:
        """Whether the block is there, without reading it."""

    @abstractmethod
    def size(self, cid: Cid) -> int | None:
        """The block's length in bytes without reading it; None if it is not there."""

    @abstractmethod
    def delete_many(self, cids: Iterable[Cid]) -> int:
        """Remove blocks; those that are not there are passed over. Returns how many were removed."""

    @abstractmethod
    def multihashes(self) -> Iterator[bytes]:
        """Every key, in no order. Safe while others write: a block that stays throughout is seen once."""

    @abstractmethod
    def stats(self) -> StoreStats:
        """Count what is held."""

    @property
    @abstractmethod
    def losses(self) -> int:
        """How many syncs have failed: each may have dropped blocks that were put without `durable`."""

    @abstractmethod
    def sync(self, *, losses: int | None = None) -> None:
        """Make everything stored so far durable.

        With `losses`, what it was before the first of some puts without `durable`, this raises StoreError
        if a sync has failed since, so that some of their blocks may be gone. Raises StoreFull, StoreError.
        """

    @abstractmethod
    def close(self) -> None:
        """Sync and release files. Closing twice is harmless; other calls then raise StoreClosed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
