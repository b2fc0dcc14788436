"""add and cat: files in and out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import trio

from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.node.api import Node
from peershelf.node.errors import UsageError
from peershelf.node.files import OpenFile, Progress, Source
from peershelf.node.operations.base import ByteStream, Part, Record, Records, Request, Stream
from peershelf.node.operations.profile import PROFILE_OPTIONS, requested_profile
from peershelf.node.tasks import Closeable

_PROGRESS_STEP = 256 << 10

# It sends these along; they are about its own output, or about what files alone do not have.
_FOR_KUBOS_COMMAND_LINE = frozenset(
    {"quiet", "quieter", "silent", "stdin-name", "recursive", "empty-dirs", "inline-limit", "hidden"}
)

Send = Callable[[Record], Awaitable[None]]


def add(node: Node, request: Request) -> Closeable[Record]:
    """A record for each file once its blocks and its pin are durable; with `progress`, others on the way."""
    profile = requested_profile(node.profile, request)
    pin = request.flag("pin", True)
    only_hash = request.flag("only-hash")
    progress = request.flag("progress")

    async def add_parts(send: Send) -> None:
        async for part in request.parts:
            if part.kind != "file":
                raise UsageError(f"{part.name!a} is a {part.kind}: this version adds files only")
            source, told = _source(part, send) if progress else (part.file or part.chunks, None)
            imported = await node.import_file(
                source, profile=profile, pin=pin, only_hash=only_hash, progress=told
            )
            await send(_added(part.name, imported))

    return node.run_stream(add_parts)


def _added(name: str, imported: Imported) -> Record:
    return {"Name": name or str(imported.cid), "Hash": str(imported.cid), "Size": str(imported.dag_size)}


def _source(part: Part, send: Send) -> tuple[Source, Progress | None]:
    """What to import of the part, and whom to tell how far it is: a file is read by a thread."""
    if part.file is None:
        return _reported(part, send), None

    def tell(done: int) -> None:
        trio.from_thread.run(send, {"Name": part.name, "Bytes": done})

    return part.file, tell


async def _reported(part: Part, send: Send) -> AsyncIterator[bytes]:
    """Pass the chunks on, and say how far they are every 256 KiB and at the end."""
    done = told = 0
    async for chunk in part.chunks:
        yield chunk
        done += len(chunk)
        if done - told >= _PROGRESS_STEP:
            told = done
            await send({"Name": part.name, "Bytes": done})
    if told != done or not done:
        await send({"Name": part.name, "Bytes": done})


async def cat(node: Node, request: Request) -> ByteStream:
    """The bytes of one file after another; offset and length count over all of them together."""
    peer = request.text("peer")
    if peer is not None:
        await node.connect(peer)
    span = Span(request.integer("offset", 0) or 0, request.integer("length"))
    request.arg(0)
    file = await node.open(
        *request.args,
        offset=span.offset,
        length=span.length,
        offline=request.offline,
        timeout=request.timeout,
    )
    return ByteStream(_until_closed(file), span.within(file.size) if len(request.args) == 1 else None)


async def _until_closed(file: OpenFile) -> AsyncGenerator[bytes | memoryview, None]:
    async with aclosing(file.chunks):
        async for chunk in file.chunks:
            yield chunk


FILE_OPERATIONS = (
    Records(
        "add",
        add,
        takes_parts=True,
        options=frozenset({"progress", "pin", "only-hash"}) | PROFILE_OPTIONS | _FOR_KUBOS_COMMAND_LINE,
        fixed={
            "trickle": "false",
            "nocopy": "false",
            "fscache": "false",
            "inline": "false",
            "wrap-with-directory": "false",
            "preserve-mode": "false",
            "preserve-mtime": "false",
        },
    ),
    Stream(
        "cat",
        cat,
        min_args=1,
        options=frozenset({"offset", "length", "peer", "progress"}),
        enforces_timeout=True,
    ),
)
