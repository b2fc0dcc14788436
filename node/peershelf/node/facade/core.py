"""A repo in use: its lock, its store and pins, the tasks of its streams, and the network if it is online."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.store.base import Blockstore
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.blockstore.store.pack import PackStore
from peershelf.node.additions import Additions
from peershelf.node.blocks import Blocks
from peershelf.node.collecting import Collected, Collector
from peershelf.node.config import Config
from peershelf.node.denylists.denylists import Denylists
from peershelf.node.denylists.places import directories
from peershelf.node.errors import NotEntered, NotOnline, NotUnderTrio
from peershelf.node.facade.ground import Ground
from peershelf.node.in_threads import InThreads
from peershelf.node.interrupts import Uninterrupted
from peershelf.node.iterators import Closeable, Producer
from peershelf.node.observe import later
from peershelf.node.opening import opened_store
from peershelf.node.opening_pins import opened_pins
from peershelf.node.providing.announcer import Announcer, announcer_for
from peershelf.node.repo import Repo, default_path
from peershelf.node.settings import Value
from peershelf.node.tasks import HandedOver, single_error
from peershelf.node.telling import telling_latest

if TYPE_CHECKING:
    from peershelf.blockstore.pins import Pins
    from peershelf.node.network import Online
    from peershelf.node.providing.provider import Provider
    from peershelf.node.searching import ProviderSearch
    from peershelf.protocols.bitswap import Bitswap

T = TypeVar("T")

log = later.Logger(__name__)


class Core(Ground):
    """What every part of the facade stands on. Entering and leaving it is described at Node."""

    pins: Pins
    additions: Additions
    blocks: Blocks
    collector: Collector

    def __init__(
        self,
        repo: str | os.PathLike[str] | None = None,
        *,
        online: bool = True,
        create: bool = True,
        read_only: bool = False,
        lazily: bool = False,
        settings: Mapping[str, Value] | None = None,
        store: PackStore | None = None,
    ) -> None:
        self._path = default_path() if repo is None else Path(repo)
        self._go_online = online and not read_only
        self._read_only = read_only
        self._lazily = lazily
        if not create:
            self._load = Repo.load
        else:
            self._load = Repo.load_or_assume if read_only else Repo.load_or_init
        self._settings = settings or {}
        self._open_already = store
        self._stack = AsyncExitStack()
        self._nursery: trio.Nursery | None = None
        self._online: Online | None = None
        self._announcer: Announcer | None = None
        self._provider: Provider | None = None
        self.blocking = InThreads()
        self.shutdown_requested = trio.Event()

    async def __aenter__(self) -> Self:
        _need_trio()
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
            try:
                await self._stack.__aexit__(kind, error, trace)
            finally:
                self._nursery = None

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """What entering sets is not there before."""
            if name in ("repo", "store", "pins", "blocks", "collector", "denylists", "additions"):
                raise NotEntered
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    async def _open(self) -> None:
        enter = self._stack.enter_context
        self.repo = (await trio.to_thread.run_sync(self._load, self._path)).overridden(self._settings)
        self.denylists = Denylists(directories(self._path, self.repo.config.strings("Denylists.Directories")))
        self.store: Blockstore
        if self._read_only:
            self.store = MemoryStore()
        else:
            self.store = store = self._open_already or await self._open_store()
            self.pins = pins = enter(opened_pins(self._path, store))
            self._announcer = announcer = announcer_for(self._path, self.repo.config)
            if announcer is not None:
                self._stack.callback(announcer.close)
            self.additions = Additions(
                store, pins, self.denylists.check, announcer, self._stored_by_additions()
            )
            await trio.to_thread.run_sync(self.denylists.reload)
        self._nursery = nursery = await self._stack.enter_async_context(trio.open_nursery())
        make = partial(Blocks, self.store, denylists=self.denylists)
        self.blocks = make(None)
        if self._go_online and self._lazily and self._can_find():
            self.blocks = make(None, go_online=self._connect)
        elif self._go_online and not self._lazily:
            self.blocks = make(*await self._connect())
        if not self._read_only:
            self.collector = Collector(self.store, pins, self.blocks.roots)
        if self._go_online and not self._lazily:
            nursery.start_soon(self._keep_below_limit)
            nursery.start_soon(self._watch_denylists)
            self._start_providing(nursery)

    async def _open_store(self) -> PackStore:
        opened = opened_store(self._path)
        store = await trio.to_thread.run_sync(opened.__enter__)
        self._stack.push(opened)
        return store

    def _start_providing(self, nursery: trio.Nursery) -> None:
        announcer = self._announcer
        if announcer is None:
            return
        from peershelf.node.providing.provider import Provider
        from peershelf.node.providing.strategy import STRATEGY

        config = self.repo.config
        keys = partial(
            STRATEGY[config.text("Provide.Strategy")],
            self.store,
            self.pins,
            lambda: self.additions.any_unannounced,
        )
        self._provider = provider = Provider(
            announcer.queue,
            self.online.routing,
            keys,
            config.duration("Provide.Interval"),
            is_blocked=self.denylists.blocks_key,
        )
        token = trio.lowlevel.current_trio_token()
        if self.online.reachability is not None:
            self.online.reachability.on_first_address = provider.announce_all
        announcer.on_queued = partial(token.run_sync_soon, provider.wake)
        nursery.start_soon(provider.run)

    def _can_find(self) -> bool:
        """Whether there is any way to peers."""
        config = self.repo.config
        return bool(
            config.text("Routing.Type") != "none"
            or config.strings("Bootstrap")
            or config.flag("Discovery.MDNS.Enabled")
        )

    async def _connect(self) -> tuple[Bitswap, ProviderSearch | None]:
        """Start the network services; returns whom to ask, and who finds others.

        Raises NetworkError, ConfigError.
        """
        assert self._nursery is not None
        later.settle()
        with Uninterrupted():  # for most of a second
            from peershelf.node.network import go_online
            from peershelf.node.searching import ProviderSearch
        self._online = online = await go_online(
            self._nursery, self.repo, self.store, self.denylists, briefly=self._lazily
        )
        if not online.routing.parts:
            return online.exchange, None
        unreached = online.connections.unreached
        return online.exchange, ProviderSearch(online.host, online.routing, unmet=lambda: unreached)

    async def _watch_denylists(self) -> None:
        from peershelf.node.denylists.watching import watch

        await watch(self.denylists, self.online.exchange.look_again)

    async def _keep_below_limit(self) -> None:
        from peershelf.node.storage_limit import StorageLimit, keep_below

        config = self.repo.config
        limit = StorageLimit(
            config.size("Datastore.StorageMax"), config.count("Datastore.StorageGCWatermark")
        )

        async def used() -> int:
            return (await trio.to_thread.run_sync(self.store.stats)).disk_size

        async def collect() -> Collected:
            check = trio.from_thread.check_cancelled
            return await trio.to_thread.run_sync(partial(self.collector.collect, check=check))

        await keep_below(limit, used, collect)

    def run_stream(self, produce: Producer[T], *, buffered: int = 0) -> Closeable[T]:
        """Iterate over what `produce` sends from a task of this node; closing the iterator ends the task.

        Up to `buffered` items may wait for the user, which makes many small ones cheap.
        """
        if self._nursery is None:
            raise NotEntered
        return HandedOver(self._nursery, produce, buffered=buffered)

    def telling(
        self, send: Callable[[T], Awaitable[None]]
    ) -> AbstractAsyncContextManager[Callable[[T], None]]:
        """Have what takes states of something, at any rate, and sends the latest of them now and then."""
        return telling_latest(send)

    def now(self) -> float:
        """Seconds on the clock of deadlines."""
        return trio.current_time()

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self.repo.config

    @property
    def path(self) -> Path:
        """The repo's directory."""
        return self.repo.path

    @property
    def is_online(self) -> bool:
        """Whether this node runs its network services."""
        return self._online is not None

    @property
    def online(self) -> Online:
        """The network services. Raises NotOnline if this node runs none."""
        if self._online is None:
            raise NotOnline("this node is not online: use `node daemon`, or in Python Node(…, online=True)")
        return self._online

    def _stored_by_additions(self) -> Callable[[Sequence[Block]], None]:
        """What tells the exchange of new blocks, in any thread."""
        token = trio.lowlevel.current_trio_token()

        def tell(blocks: Sequence[Block]) -> None:
            if self._online is not None:
                cids = [block.cid for block in blocks]
                # Not waited for: the trio thread is busy with the file's next bytes.
                token.run_sync_soon(self._tell_exchange, cids)

        return tell

    def _tell_exchange(self, cids: Sequence[Cid]) -> None:
        try:
            self.online.exchange.blocks_added(cids)
        except Exception:
            # Raised from here it would end the whole run; peers ask again.
            log.exception("peers were not told of new blocks")


def _need_trio() -> None:
    """Raises NotUnderTrio, before anything is made, rather than trio's own error in the middle."""
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        raise NotUnderTrio from None
