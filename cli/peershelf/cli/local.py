"""The repo as a backend: the command opens it, runs one operation of the daemon's own table, and closes it.

Imported only where no daemon runs: trio and the node cost several times what a whole command over the API
does.
"""

from __future__ import annotations

from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any

import trio

from peershelf.blockstore.errors import StoreLocked
from peershelf.cli.allocator import keep_freed_memory
from peershelf.cli.backend import NO_OPTIONS, Backend
from peershelf.cli.failures import translated
from peershelf.cli.locate import WAIT_SECONDS
from peershelf.cli.parts import parts
from peershelf.node import Node
from peershelf.node.in_threads import InThreads
from peershelf.node.observe import later
from peershelf.node.operations.base import validate
from peershelf.node.operations.request import Request
from peershelf.node.operations.table import OPERATIONS

if TYPE_CHECKING:
    from peershelf.blockstore.store.pack import PackStore
    from peershelf.cli.backend import OnLength, OnRecord, Record, Write
    from peershelf.cli.output import Output
    from peershelf.cli.sources import Source
    from peershelf.node.settings import Value

_LOCK_POLL_SECONDS = 0.05
_HIDDEN: Mapping[str, Value] = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"]}
_ALONE: Mapping[str, Value] = {
    **_HIDDEN,
    "Bootstrap": [],
    "Discovery.MDNS.Enabled": False,
    "Peering.Peers": [],
    "Routing.Type": "none",
}
"""A node that lives for one command and was told of a peer meets that alone."""

Use = Callable[[Node, Any, Request], Awaitable[None]]


class LocalBackend(Backend):
    """Opens the repo at `repo` for each call.

    `create` makes one where there is none, `online` lets it dial a peer, with `finds` it finds peers for what
    is not here, `read_only` takes no lock and has no store. `store` is that of the repo, where the caller has
    both open already. `common` options go with every call.
    """

    def __init__(
        self,
        repo: str,
        common: Mapping[str, str] = NO_OPTIONS,
        *,
        create: bool = False,
        online: bool = False,
        finds: bool = False,
        read_only: bool = False,
        store: PackStore | None = None,
    ) -> None:
        self.description = f"the repo {repo} itself"
        self._common = common
        self._open: Callable[[], Node] = lambda: Node(
            repo,
            create=create,
            online=online or finds,
            read_only=read_only,
            lazily=finds and not online,
            settings=_ALONE if online else _HIDDEN if finds else None,
            store=store,
        )

    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        answers: list[Record] = []

        async def use(node: Node, operation: Any, request: Request) -> None:
            answers.append(await operation.handler(node, request))

        self._run(name, Request(tuple(args), {**self._common, **options}), use)
        return answers[0]

    def records(
        self,
        name: str,
        on_record: OnRecord,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        sources: Iterable[Source] = (),
    ) -> None:
        async def use(node: Node, operation: Any, request: Request) -> None:
            async with aclosing(operation.handler(node, request)) as records:
                async for record in records:
                    on_record(record)

        uploaded = parts(sources, InThreads())
        self._run(name, Request(tuple(args), {**self._common, **options}, uploaded), use)

    def stream(
        self,
        name: str,
        write: Write,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        on_length: OnLength = id,
        output: Output | None = None,
    ) -> None:
        async def use(node: Node, operation: Any, request: Request) -> None:
            answer = await operation.handler(node, request)
            on_length(answer.length)
            async with aclosing(answer.chunks) as chunks:
                async for chunk in chunks:
                    await _hand_out(node, write, chunk)

        self._run(name, Request(tuple(args), {**self._common, **options}), use)

    def _run(self, name: str, request: Request, use: Use) -> None:
        keep_freed_memory()
        later.configure("warning")
        with translated():
            trio.run(self._main, name, request, use)

    async def _main(self, name: str, request: Request, use: Use) -> None:
        operation = OPERATIONS[name]
        validate(operation, request)
        async with AsyncExitStack() as stack:
            node = await self._enter(stack)
            if operation.enforces_timeout:
                await use(node, operation, request)
                return
            with trio.fail_after(request.timeout):
                await use(node, operation, request)

    async def _enter(self, stack: AsyncExitStack) -> Node:
        """Open the repo, waiting a little for another command that has it just now.

        Commands that start together all find the lock free, and come here at the same time.
        """
        deadline = trio.current_time() + WAIT_SECONDS
        while True:
            try:
                return await stack.enter_async_context(self._open())
            except StoreLocked:
                if trio.current_time() >= deadline:
                    raise
            await trio.sleep(_LOCK_POLL_SECONDS)


async def _hand_out(node: Node, write: Write, chunk: bytes | memoryview) -> None:
    """Write, in a thread once there are peers: a slow reader must not keep the node from them."""
    if node.is_online:
        await trio.to_thread.run_sync(write, chunk, abandon_on_cancel=True)
    else:
        write(chunk)
