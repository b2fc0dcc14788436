"""The facade: one object through which the RPC, the command line and Python programs use a node.

No type of py-libp2p and no HTTP appears here. Every method may be called from any task of the trio run that
entered the node; cancelling a call is always safe.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import trio

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.path import parse_reference
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.base import Blockstore, StoreStats
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.blockstore.store.pack import PackStore, RecoveryReport
from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.profiles import PROFILES, Profile
from peershelf.node import files, removal
from peershelf.node.blocks import Blocks
from peershelf.node.errors import NotOnline
from peershelf.node.observe import later
from peershelf.node.repo import Repo, default_path
from peershelf.node.settings import Value
from peershelf.node.tasks import Closeable, HandedOver, Producer, single_error
from peershelf.protocols.transport import PeerId

if TYPE_CHECKING:
    from peershelf.node.network import Online

T = TypeVar("T")

log = later.Logger(__name__)


class Node:
    """A repo in use: `async with Node(path) as node`.

    Entering makes the repo where there is none (unless `create` is false), takes its lock, opens its store
    and, if `online`, listens for peers. A `read_only` node knows settings and identity but takes no lock and
    opens no store, so it works beside a daemon. `settings` override the repo's configuration for this run.
    Entering raises StoreLocked where another process has the repo, RepoError, ConfigError, IdentityError,
    StoreError or NetworkError.
    """

    def __init__(
        self,
        repo: str | os.PathLike[str] | None = None,
        *,
        online: bool = True,
        create: bool = True,
        read_only: bool = False,
        settings: Mapping[str, Value] | None = None,
    ) -> None:
        self._path = default_path() if repo is None else Path(repo)
        self._go_online = online and not read_only
        self._read_only = read_only
        self._load = Repo.load_or_init if create else Repo.load
        self._settings = settings or {}
        self._stack = AsyncExitStack()
        self._nursery: trio.Nursery | None = None
        self._online: Online | None = None
        self.shutdown_requested = trio.Event()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()
        with single_error():
            await self._stack.__aexit__(kind, error, trace)

    async def _open(self) -> None:
        enter = self._stack.enter_context
        self.repo = (await trio.to_thread.run_sync(self._load, self._path)).overridden(self._settings)
        self.store: Blockstore
        if self._read_only:
            self.store = MemoryStore()
        else:
            enter(self.repo.lock())
            # Whoever wrote an address there is gone, and somebody else may have the port by now.
            self.repo.api_file.unlink(missing_ok=True)
            self.store = store = enter(await trio.to_thread.run_sync(PackStore.open, self._path))
            self.pins = enter(Pins(self.repo.facts_file))
            _tell_of_repairs(store.recovery)
        self._nursery = nursery = await self._stack.enter_async_context(trio.open_nursery())
        if self._go_online:
            later.settle()
            from peershelf.node.network import go_online

            self._online = await go_online(nursery, self.repo, self.store)
        self.blocks = Blocks(self.store, self._online.exchange if self._online else None)

    # Files

    async def add(
        self,
        source: files.Source,
        *,
        profile: Profile | None = None,
        pin: bool = True,
        progress: files.Progress | None = None,
    ) -> Cid:
        """Store a file and return its CID; once it returns, the file and its pin survive a power loss.

        `source` is a path, bytes, a binary file, or an async iterator of bytes. `progress` is told the bytes
        done so far, from a worker thread. Raises OSError if the source cannot be read, StoreError.
        """
        return (await self.import_file(source, profile=profile, pin=pin, progress=progress)).cid

    async def import_file(
        self,
        source: files.Source,
        *,
        profile: Profile | None = None,
        pin: bool = True,
        only_hash: bool = False,
        progress: files.Progress | None = None,
    ) -> Imported:
        """As `add`, and tell the sizes too. With `only_hash` nothing is stored."""
        chosen = profile or self.profile
        if only_hash:
            return await files.add(source, lambda blocks: None, chosen, progress)
        losses = self.store.losses
        imported = await files.add(source, self._store_sink(durable=False), chosen, progress)
        await trio.to_thread.run_sync(self._make_durable, losses, imported.cid if pin else None)
        return imported

    def _make_durable(self, losses: int, pinned: Cid | None) -> None:
        """Sync what was put since the store counted `losses`, and only then pin it."""
        self.store.sync(losses=losses)
        if pinned is not None:
            self.pins.add(pinned)

    @property
    def profile(self) -> Profile:
        """The import profile that the configuration names."""
        return PROFILES[self.repo.config.text("Import.Profile")]

    def _store_sink(self, *, durable: bool) -> files.Sink:
        token = trio.lowlevel.current_trio_token()

        def store(blocks: Sequence[Block]) -> None:
            self.store.put_many(blocks, durable=durable)
            if self._online is not None:
                cids = [block.cid for block in blocks]
                # Not waited for: the trio thread is busy with the file's next bytes.
                token.run_sync_soon(self._tell_exchange, cids)

        return store

    def _tell_exchange(self, cids: Sequence[Cid]) -> None:
        try:
            self.online.exchange.blocks_added(cids)
        except Exception:
            # Raised from here it would end the whole run; peers ask again.
            log.exception("peers were not told of new blocks")

    def cat(
        self,
        *references: Cid | str,
        offset: int = 0,
        length: int | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> Closeable[bytes | memoryview]:
        """Iterate over a file's bytes in order, as they arrive from the store or from peers.

        A reference is a CID, or text such as CID/path or /ipfs/CID. The bytes of several follow one another;
        they are asked for together, and `offset` and `length` count over all of them. Iterating raises
        BlockNotFound when offline and not here, TimedOut after `timeout` seconds in all, NotAFile,
        PathNotFound, MalformedBlock; for the second file and those behind it, InvalidCid and InvalidPath too.
        """
        wanted = self._wanted(references, offset, length, offline, timeout)
        return self.run_stream(partial(files.read_files, self.blocks, wanted))

    async def open(
        self,
        *references: Cid | str,
        offset: int = 0,
        length: int | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> files.OpenFile:
        """As `cat`, once the first file's size is known."""
        wanted = self._wanted(references, offset, length, offline, timeout)
        return await files.open_files(self.run_stream, self.blocks, wanted)

    def _wanted(
        self,
        references: tuple[Cid | str, ...],
        offset: int,
        length: int | None,
        offline: bool,
        timeout: float,
    ) -> files.Wanted:
        first = references[0]
        if isinstance(first, str):
            parse_reference(first)  # raises here and now, not when iterated
        return files.Wanted(references, offset, length, offline=offline, timeout=timeout)

    def run_stream(self, produce: Producer[T]) -> Closeable[T]:
        """Iterate over what `produce` sends from a task of this node; closing the iterator ends the task."""
        assert self._nursery is not None, "enter the node first: async with Node(…) as node"
        return HandedOver(self._nursery, produce)

    # Blocks

    async def get_block(self, cid: Cid, *, offline: bool = False, timeout: float = math.inf) -> Block:
        """Return a block, from peers if need be. Raises BlockNotFound when offline, TimedOut."""
        return await self.blocks.get(cid, offline=offline, timeout=timeout)

    async def put_block(
        self,
        data: bytes,
        *,
        codec: int = RAW,
        hash_code: int = multihash.SHA2_256,
        pin: bool = False,
    ) -> Block:
        """Store one block durably. Raises BlockTooLarge, UnsupportedHash, MalformedBlock, StoreError."""
        block = Block.create(data, codec=codec, hash_code=hash_code)
        await trio.to_thread.run_sync(self._store_sink(durable=True), [block])
        if pin:
            await trio.to_thread.run_sync(self.pins.add, block.cid)
        return block

    async def remove_block(self, cid: Cid) -> None:
        """Remove a block from the store. Raises BlockNotFound, and StillPinned if a pin needs the block."""
        await trio.to_thread.run_sync(removal.remove, self.store, self.pins, cid)

    def local_cids(self) -> Iterator[Cid]:
        """Every block in the store, as CIDv1 raw. Reads the index as it goes: iterate in a thread."""
        return (Cid.v1(RAW, key) for key in self.store.multihashes())

    async def stats(self) -> StoreStats:
        """Count the store's blocks and bytes."""
        return await trio.to_thread.run_sync(self.store.stats)

    # Network

    @property
    def online(self) -> Online:
        """The network services. Raises NotOnline if this node runs none."""
        if self._online is None:
            raise NotOnline("this needs a running daemon: start one with `node daemon`")
        return self._online

    async def connect(self, address: str, *more: str) -> str:
        """Connect to /ip4/…/tcp/…/p2p/ID, or to one of several addresses of a peer, and return the peer ID.

        Raises DialFailed, InvalidAddress, NotOnline.
        """
        return await self.online.host.connect(address, *more)

    async def disconnect(self, peer: str) -> None:
        """Close every connection to a peer. Raises PeerNotConnected, NotOnline."""
        await self.online.host.disconnect(PeerId(peer))

    def peers(self) -> list[str]:
        """The IDs of the peers that are connected now. Raises NotOnline."""
        return list(self.online.host.peers())

    def addresses(self) -> list[str]:
        """Where this node can be reached: /ip4/…/tcp/…/p2p/ID. Empty for a node that is not online."""
        return self._online.host.addresses() if self._online else []

    def protocols(self) -> list[str]:
        """The protocol IDs that this node answers to."""
        return self._online.host.protocols() if self._online else []


def _tell_of_repairs(report: RecoveryReport) -> None:
    if report.index_rebuilt or report.dropped or report.truncated:
        log.info("store repaired", rebuilt=report.index_rebuilt, dropped=report.dropped, cut=report.truncated)
    for damage in report.damage:
        log.warning("damage in the store", segment=damage.segment, offset=damage.offset, length=damage.length)
