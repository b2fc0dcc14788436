"""What the groups of methods that read and pin stand on: a node, or a repo that a command has without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from peershelf.blockstore.pins import Pins
    from peershelf.blockstore.store.base import Blockstore
    from peershelf.node.additions import Additions
    from peershelf.node.blocking import Blocking
    from peershelf.node.collecting import Collector
    from peershelf.node.config import Config
    from peershelf.node.iterators import Closeable, Producer
    from peershelf.node.network import Online
    from peershelf.node.pipeline import BlockSource

T = TypeVar("T")


class Ground:
    """`Core` is it with trio, `NodeHere` without. Nothing that builds on this alone names trio."""

    if TYPE_CHECKING:
        store: Blockstore
        blocking: Blocking

        @property
        def pins(self) -> Pins: ...

        @property
        def additions(self) -> Additions: ...

        @property
        def blocks(self) -> BlockSource: ...

        @property
        def collector(self) -> Collector: ...

        @property
        def config(self) -> Config:
            """The settings in force."""

        @property
        def path(self) -> Path:
            """The repo's directory."""

        def run_stream(self, produce: Producer[T], *, buffered: int = 0) -> Closeable[T]:
            """Iterate over what `produce` sends; up to `buffered` items may wait for the user."""

        def telling(
            self, send: Callable[[T], Awaitable[None]]
        ) -> AbstractAsyncContextManager[Callable[[T], None]]:
            """Have what takes states of something, at any rate, and sends the latest of them now and then."""

        @property
        def online(self) -> Online:
            """The network services. Raises NotOnline if none run."""

        @property
        def is_online(self) -> bool:
            """Whether the network services run."""

        async def connect(self, address: str) -> str:
            """Connect to a peer, and return its ID."""

        def now(self) -> float:
            """Seconds on the clock of deadlines."""

    @property
    def config_file(self) -> Path:
        """Where the settings stand that are not the default."""
        return self.path / "config.toml"
