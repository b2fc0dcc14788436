"""ls and get: directories and whole trees."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from peershelf.blockstore.unixfs.message import Mtime
from peershelf.blockstore.unixfs.node_info import UNKNOWN, Kind, NodeInfo
from peershelf.node import go_mode
from peershelf.node.errors import UsageError
from peershelf.node.iterators import until_closed
from peershelf.node.operations.base import ByteStream, Records, Stream
from peershelf.node.operations.request import Record, Request
from peershelf.node.operations.texts import text_fields

if TYPE_CHECKING:
    from peershelf.node.facade.reading import Reading
    from peershelf.node.tree_reading import Listed

_NO_TIME = "0001-01-01T00:00:00Z"
_DEFAULT_LEVEL = 6


async def list_directories(node: Reading, request: Request) -> AsyncGenerator[Record, None]:
    """One record with all entries by name; with `stream`, one for each entry as it comes.

    A directory without entries has a record of its own then.
    """
    streams = request.flag("stream")
    objects: list[Record] = []
    deadline = node.now() + request.timeout
    for reference in request.args:
        links: list[dict[str, Any]] = []
        count = 0
        async with aclosing(_entries(node, request, reference, deadline)) as entries:
            async for link in entries:
                count += 1
                if streams:
                    yield {"Objects": [{"Hash": reference, "Links": [link]}]}
                else:
                    links.append(link)
        objects.append({"Hash": reference, "Links": sorted(links, key=lambda link: link["Name"])})
        if streams and not count:
            yield {"Objects": objects[-1:]}
    if not streams:
        yield {"Objects": objects}


async def _entries(
    node: Reading, request: Request, reference: str, deadline: float
) -> AsyncGenerator[dict[str, Any], None]:
    with_size = request.flag("size", True)
    look_up = request.flag("resolve-type", True) or with_size
    left = deadline - node.now()
    async with aclosing(
        node.ls(reference, look_up=look_up, offline=request.offline, timeout=left)
    ) as entries:
        async for entry in entries:
            yield _link(entry, with_size=with_size or not look_up)


def _link(entry: Listed, *, with_size: bool) -> dict[str, Any]:
    info = entry.info or UNKNOWN
    return {
        **text_fields("Name", entry.name),
        "Hash": str(entry.cid),
        "Size": info.size if with_size else 0,
        "Type": int(info.kind),
        **text_fields("Target", info.target or b""),
        "Mode": _go_mode(info),
        "ModTime": _go_time(info.mtime),
    }


def _go_mode(info: NodeInfo) -> int:
    if info.mode is None:
        return 0
    return go_mode.to_go(info.mode) | (go_mode.DIRECTORY if info.kind is Kind.DIRECTORY else 0)


def _go_time(mtime: Mtime | None) -> str:
    """RFC 3339 with as many decimals as there are."""
    if mtime is None:
        return _NO_TIME
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=mtime.seconds)
    except OverflowError:
        return _NO_TIME
    fraction = f".{mtime.nanoseconds:09d}".rstrip("0") if mtime.nanoseconds else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}".zfill(19) + fraction + "Z"


async def get(node: Reading, request: Request) -> ByteStream:
    """A tar archive of the tree, or with `compress` and no `archive` the file itself, compressed.

    Its length is told as that of the blocks, which is near enough for a progress bar.
    """
    peer = request.text("peer")
    if peer is not None:
        await node.connect(peer)
    compresses = request.flag("compress")
    level = request.integer("compression-level", _DEFAULT_LEVEL, minimum=1)
    if level > 9:
        raise UsageError("option compression-level takes a number from 1 to 9")
    archive = await node.open_archive(
        request.arg(0),
        bare=compresses and not request.flag("archive"),
        compression=level if compresses else None,
        offline=request.offline,
        timeout=request.timeout,
    )
    kind = "application/gzip" if compresses else "application/x-tar"
    return ByteStream(until_closed(archive.chunks), archive.size, kind)


READING_OPERATIONS = (
    Records(
        "ls",
        list_directories,
        min_args=1,
        options=frozenset({"headers", "resolve-type", "size", "stream", "long", "human"}),
        enforces_timeout=True,
    ),
    Stream(
        "get",
        get,
        min_args=1,
        max_args=1,
        options=frozenset({"output", "archive", "compress", "compression-level", "progress", "peer"}),
        enforces_timeout=True,
    ),
)
