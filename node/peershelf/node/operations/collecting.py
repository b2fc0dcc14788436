"""repo gc: garbage goes, and its space comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from peershelf.node.operations.base import Records
from peershelf.node.operations.request import Record, Request

if TYPE_CHECKING:
    from peershelf.blockstore.cid import Cid
    from peershelf.node.collecting import Collected
    from peershelf.node.facade.collecting import GarbageCollection
    from peershelf.node.iterators import Closeable

_SENT_AT_ONCE = 512


def collect(node: GarbageCollection, request: Request) -> Closeable[Record]:
    """A record for each block that is gone, unless `silent`; with `summary`, the sums after each step too."""
    silent, summary = request.flag("silent"), request.flag("summary")
    forget_lost_pins = request.flag("forget-lost-pins")

    async def produce(send: Callable[[Record], Awaitable[None]]) -> None:
        async def tell(cids: Sequence[Cid], done: Collected) -> None:
            for cid in () if silent else cids:
                await send({"Key": {"/": str(cid)}})
            if summary:
                await send(_sums(done))

        done = await node.collect_garbage(tell, forget_lost_pins=forget_lost_pins)
        if summary:
            await send({**_sums(done), "Seconds": round(done.seconds, 3)})

    return node.run_stream(produce, buffered=_SENT_AT_ONCE)


def _sums(done: Collected) -> dict[str, object]:
    return {"Blocks": done.blocks, "BlocksSize": done.payload_size, "Freed": done.freed}


COLLECTING_OPERATIONS = (
    Records(
        "repo/gc",
        collect,
        max_args=0,
        options=frozenset({"stream-errors", "quiet", "silent", "summary", "forget-lost-pins"}),
    ),
)
