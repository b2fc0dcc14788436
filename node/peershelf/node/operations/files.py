"""add and cat: files in and out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.node.api import Node
from peershelf.node.files import OpenFile
from peershelf.node.operations.add import ADD
from peershelf.node.operations.base import ByteStream, Stream
from peershelf.node.operations.request import Request


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
    return ByteStream(until_closed(file), span.within(file.size) if len(request.args) == 1 else None)


async def until_closed(file: OpenFile) -> AsyncGenerator[bytes | memoryview, None]:
    """The chunks of an open file; whoever stops early ends its reading too."""
    async with aclosing(file.chunks):
        async for chunk in file.chunks:
            yield chunk


FILE_OPERATIONS = (
    ADD,
    Stream(
        "cat",
        cat,
        min_args=1,
        options=frozenset({"offset", "length", "peer", "progress"}),
        enforces_timeout=True,
    ),
)
