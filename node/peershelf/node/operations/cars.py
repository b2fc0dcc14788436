"""dag export and import: CARs out and in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from peershelf.node.iterators import Closeable, until_closed
from peershelf.node.operations.base import ByteStream, Records, Stream
from peershelf.node.operations.request import Record, Request
from peershelf.node.operations.telling import telling

if TYPE_CHECKING:
    from peershelf.node.facade.archives import Archives


async def export(node: Archives, request: Request) -> ByteStream:
    """The archive of a DAG."""
    chunks = node.export_car(request.arg(0), offline=request.offline, timeout=request.timeout)
    return ByteStream(until_closed(chunks), content_type="application/vnd.ipld.car")


def import_cars(node: Archives, request: Request) -> Closeable[Record]:
    """A record for each root, once all of its archive is durable; with `stats`, one with counts."""
    pin_roots, announce = request.flag("pin-roots", True), not request.flag("no-provide")

    async def produce(send: Callable[[Record], Awaitable[None]]) -> None:
        def done(size: int) -> Record:
            return {"Progress": size}

        async with telling(node, request, send, done) as tell:
            archives = (part.chunks async for part in request.parts)
            found = await node.import_cars(archives, pin_roots=pin_roots, announce=announce, progress=tell)
        for root in found.imported.roots if pin_roots else ():
            problem = found.not_pinned.get(root, "")
            await send({"Root": {"Cid": {"/": str(root)}, "PinErrorMsg": problem}})
        if request.flag("stats"):
            counts = {"BlockCount": found.imported.blocks, "BlockBytesCount": found.imported.size}
            await send({"Stats": counts})

    return node.run_stream(produce)


CAR_OPERATIONS = (
    Stream(
        "dag/export",
        export,
        min_args=1,
        max_args=1,
        options=frozenset({"progress"}),
        enforces_timeout=True,
    ),
    Records(
        "dag/import",
        import_cars,
        takes_parts=True,
        options=frozenset({"pin-roots", "no-provide", "stats", "silent", "progress"}),
        fixed={"allow-big-block": "false"},
    ),
)
