"""What every block store offers, and what it promises.

The interface is synchronous and thread-safe: trio code crosses into it with one thread hop for a
batch, never one for each block (a hop costs 160 µs, an index look-up under 5 µs). Blocks are keyed
by multihash, so the same bytes asked for as CIDv0, as CIDv1 raw or as CIDv1 dag-pb are one block.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.closing import Closing
from peershelf.blockstore.store.live import LiveKeys

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreStats:
    """A snapshot of what a store holds; sizes in bytes."""

    blocks: int
    """Blocks that can be read."""
    payload_size: int
    """Sum of those blocks' lengths."""
    disk_size: int
    """Bytes that the store's files take, dead records and index included."""


class Hold(Closing):
    """Blocks that somebody works with: no collection removes them before the hold is closed.

    Used as a context manager, or closed with close(). A hold that ends during a collection stays in force
    until the collection has ended, so that what was pinned at the end of a hold is safe.
    """

    @abstractmethod
    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        """As the store's, and hold the blocks, those that were there already too."""

    def put_behind(self, blocks: Iterable[Block]) -> None:
        """As put_many() without `durable`, but what is written may be on its way when this returns.

        Who reads such a block waits for it. If writing it fails, everything that was not durable may be
        gone: one of the next puts raises, and so does sync() with `losses` from before.
        """
        self.put_many(blocks, durable=False)

    @abstractmethod
    def keep(self, cids: Iterable[Cid]) -> dict[Cid, int]:
        """Hold those of the blocks that are there; returns them, each with its length in bytes."""

    @abstractmethod
    def close(self) -> None:
        """End the hold. Closing twice is harmless."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one step of a collection removed."""

    keys: tuple[bytes, ...]
    """Multihashes of the blocks that are gone."""
    payload_size: int
    """Their bytes."""
    freed: int
    """Bytes of disk space that came back, less what moving live blocks took."""


class Collection(ABC):
    """A garbage collection under way. What is put from its beginning on is not removed by it."""

    @abstractmethod
    def sweep(self, live: LiveKeys, *, before_step: Callable[[], None] = lambda: None) -> Iterator[Swept]:
        """Remove blocks that are neither live nor held, step by step, and give their space back.

        `before_step` is called before each step, and may enter more keys into `live`, such as those of new
        roots. It may be left after any step, and the process may end at any time: the next collection goes
        on. Others read and write meanwhile; no step keeps writers waiting long. Raises StoreError, StoreFull.
        """


class Blockstore(Closing):
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

    def get_unhashed(self, cid: Cid) -> bytes | memoryview:
        """Return the block's bytes for somebody who hashes them anyway, as a peer that is sent them does.

        What was damaged since it was put raises CorruptBlock as in get() and is never returned, but a store
        that can tell it by something cheaper than the hash may do so. Raises BlockNotFound.
        """
        return self.get(cid)

    @abstractmethod
    def has(self, cid: Cid) -> bool:
        """Whether the block is there, without reading it."""

    @abstractmethod
    def size(self, cid: Cid) -> int | None:
        """The block's length in bytes without reading it; None if it is not there."""

    @abstractmethod
    def sizes(self, cids: Iterable[Cid]) -> dict[Cid, int]:
        """The lengths of those of the blocks that are there: as size(), for half of its time a block."""

    @abstractmethod
    def delete_many(self, cids: Iterable[Cid]) -> int:
        """Remove blocks; those that are not there are passed over. Returns how many were removed."""

    @abstractmethod
    def drop_damaged(self, cids: Iterable[Cid]) -> list[Cid]:
        """Remove those blocks whose bytes do not hash right just now, and return them. The others stay."""

    @abstractmethod
    def hold(self) -> Hold:
        """Begin to hold blocks against collections; close the hold when they are pinned or not needed."""

    @abstractmethod
    def collecting(self) -> AbstractContextManager[Collection]:
        """Begin a collection; what is to stay is found out, and the rest swept, inside of the context.

        Raises AlreadyCollecting if one is under way.
        """

    @abstractmethod
    def multihashes(self) -> Iterator[bytes]:
        """Every key, in no order. Safe while others write: a block that stays throughout is seen once."""

    @abstractmethod
    def stats(self) -> StoreStats:
        """Count what is held."""

    @property
    @abstractmethod
    def losses(self) -> int:
        """How many syncs, or writes behind a put, failed: each may have dropped puts without `durable`."""

    @abstractmethod
    def sync(self, *, losses: int | None = None) -> None:
        """Make everything stored so far durable.

        With `losses`, what it was before the first of some puts without `durable`, this raises StoreError
        if a sync has failed since, so that some of their blocks may be gone. Raises StoreFull, StoreError.
        """

    def with_room(self, action: Callable[[], T]) -> T:
        """Do something that takes little space, or makes some, such as unpinning.

        A store on a disk may have kept some for it. Raises what `action` raises.
        """
        return action()

    @abstractmethod
    def close(self) -> None:
        """Sync and release files. Closing twice is harmless; other calls then raise StoreClosed."""
