"""refs, resolve and dag stat: what a DAG consists of."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from peershelf.node.errors import UsageError
from peershelf.node.operations.base import Records, Unary
from peershelf.node.operations.request import Record, Request

if TYPE_CHECKING:
    from peershelf.node.facade.reading import Reading
    from peershelf.node.iterators import Closeable
    from peershelf.node.refs import DagStats, Ref

_PLAIN, _EDGES = "<dst>", "<src> -> <dst>"

Send = Callable[[Record], Awaitable[None]]


async def refs(node: Reading, request: Request) -> AsyncGenerator[Record, None]:
    """A record for each link, in the format that was asked for."""
    shape = _shape(request)
    depth = request.integer("max-depth", -1, minimum=-1)
    found = node.refs(
        *request.args,
        recursive=request.flag("recursive"),
        unique=request.flag("unique"),
        max_depth=None if depth < 0 else depth,
        offline=request.offline,
        timeout=request.timeout,
    )
    async with aclosing(found):
        async for ref in found:
            yield {"Ref": _formatted(shape, ref), "Err": ""}


def _shape(request: Request) -> str:
    shape = request.text("format", _PLAIN)
    if not request.flag("edges"):
        return shape
    if shape != _PLAIN:
        raise UsageError("refs takes either edges or a format, not both")
    return _EDGES


def _formatted(shape: str, ref: Ref) -> str:
    if shape == _PLAIN:
        return str(ref.cid)
    text = shape.replace("<src>", str(ref.source)).replace("<dst>", str(ref.cid))
    return text.replace("<linkname>", ref.name.decode("utf-8", "replace"))


async def resolve(node: Reading, request: Request) -> Record:
    """The path by CID alone of what a path leads to."""
    cid = await node.resolve(request.arg(0), offline=request.offline, timeout=request.timeout)
    return {"Path": f"/ipfs/{cid}"}


def dag_stat(node: Reading, request: Request) -> Closeable[Record]:
    """With `progress`, counts as they grow; at the end a record with the sums."""
    progress = request.flag("progress", True)

    async def produce(send: Send) -> None:
        async def report(stats: DagStats) -> None:
            await send(_counts(stats))

        stats = await node.dag_stat(
            *request.args,
            report=report if progress else None,
            offline=request.offline,
            timeout=request.timeout,
        )
        await send(_sums(stats))

    return node.run_stream(produce)


def _counts(stats: DagStats) -> dict[str, Any]:
    dags = [{"Cid": str(dag.cid), "Size": dag.size, "NumBlocks": dag.blocks} for dag in stats.dags]
    return {"TotalSize": stats.total_size, "DagStats": dags}


def _sums(stats: DagStats) -> Record:
    separate = stats.separate_size
    return {
        "UniqueBlocks": stats.unique_blocks,
        "SharedSize": separate - stats.total_size,
        "Ratio": separate / stats.total_size if stats.total_size else 1.0,
        **_counts(stats),
    }


DAG_READING_OPERATIONS = (
    Records(
        "refs",
        refs,
        min_args=1,
        options=frozenset({"format", "edges", "unique", "recursive", "max-depth"}),
        enforces_timeout=True,
    ),
    Unary(
        "resolve",
        resolve,
        min_args=1,
        max_args=1,
        options=frozenset({"recursive", "dht-record-count", "dht-timeout", "cid-base"}),
        enforces_timeout=True,
    ),
    Records("dag/stat", dag_stat, min_args=1, options=frozenset({"progress"}), enforces_timeout=True),
)
