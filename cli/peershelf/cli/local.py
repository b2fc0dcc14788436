"""The repo as a backend: the command opens it, runs one operation of the daemon's own table, and closes it.

Imported only where no daemon runs: trio and the node cost several times what a whole command over the API
does.
"""

from __future__ import annotations

import io
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from peershelf.blockstore.errors import StoreLocked
from peershelf.blockstore.unixfs.message import Mtime
from peershelf.blockstore.unixfs.metadata import Metadata
from peershelf.cli.allocator import keep_freed_memory
from peershelf.cli.backend import NO_OPTIONS, Backend
from peershelf.cli.failures import translated
from peershelf.cli.locate import WAIT_SECONDS
from peershelf.cli.sources import unreadable
from peershelf.node import Node
from peershelf.node.observe import later
from peershelf.node.operations.base import Part, Request, validate
from peershelf.node.operations.table import OPERATIONS

if TYPE_CHECKING:
    from peershelf.blockstore.store.pack import PackStore
    from peershelf.cli.backend import OnLength, OnRecord, Record, Write
    from peershelf.cli.output import Output
    from peershelf.cli.sources import Source
    from peershelf.node.settings import Value

_READ_SIZE = 1 << 20
_TAKEN_AT_ONCE = 256
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

        self._run(name, Request(tuple(args), {**self._common, **options}, _parts(sources)), use)

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


async def _parts(sources: Iterable[Source]) -> AsyncGenerator[Part, None]:
    walking = iter(sources)
    while taken := await trio.to_thread.run_sync(_take, walking):
        for source in taken:
            if source.size is None or source.content is not None:
                yield _part(source, None)
                continue
            with _OnDisk(source) as file:
                yield _part(source, file)


def _take(sources: Iterator[Source]) -> list[Source]:
    """The next sources, of which only the last may have to be read before more can be taken."""
    taken: list[Source] = []
    size = 0
    while size < _READ_SIZE and len(taken) < _TAKEN_AT_ONCE:
        source = next(sources, None)
        if source is None:
            break
        taken.append(source)
        if source.content is None:
            break
        size += len(source.content)
    return taken


def _part(source: Source, file: _OnDisk | None) -> Part:
    chunks = _chunks(source) if source.content is None else _whole(source.content)
    return Part(source.name, source.kind, chunks, file, source.content, _metadata(source))


def _metadata(source: Source) -> Metadata:
    mtime = None if source.mtime_ns is None else Mtime.of(source.mtime_ns)
    return Metadata(source.mode, mtime)


class _OnDisk(io.FileIO):
    """A file that never keeps its reader waiting; what goes wrong is told as for every source."""

    def __init__(self, source: Source) -> None:
        path = source.path or ""
        try:
            if source.descriptor >= 0:
                super().__init__(source.descriptor, closefd=False)
            else:
                super().__init__(path)
        except OSError as error:
            raise unreadable(path, error) from None
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes. Raises CliError."""
        try:
            return super().read(size)
        except OSError as error:
            raise unreadable(self._path, error) from None


async def _whole(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


async def _chunks(source: Source) -> AsyncGenerator[bytes, None]:
    """The source's bytes, read in threads: a pipe may keep a reader waiting for ever."""
    with source.open() as file:
        read = partial(source.read, file, _READ_SIZE)
        while data := await trio.to_thread.run_sync(read, abandon_on_cancel=True):
            yield data
