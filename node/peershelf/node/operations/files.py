"""add and cat: files in and out."""

from __future__ import annotations

from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.node.api import Node
from peershelf.node.iterators import until_closed
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
    return ByteStream(until_closed(file.chunks), span.within(file.size) if len(request.args) == 1 else None)


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
