"""block get, put, stat and rm; refs local."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from peershelf.blockstore.block import MAX_BLOCK_SIZE
from peershelf.blockstore.cid import Cid, codec_code
from peershelf.blockstore.errors import BlockNotFound, BlockTooLarge, InvalidPath
from peershelf.blockstore.multihash import hash_code
from peershelf.blockstore.path import parse_reference
from peershelf.node.operations.base import ByteStream, Records, Stream, Unary
from peershelf.node.operations.request import Record, Request

if TYPE_CHECKING:
    from peershelf.node.facade.blocks import BlockAccess
    from peershelf.node.iterators import Closeable

_BATCH = 4096


async def get(node: BlockAccess, request: Request) -> ByteStream:
    """The bytes of one block."""
    block = await node.get_block(_cid(request.arg(0)), offline=request.offline, timeout=request.timeout)
    return ByteStream(once(block.data), len(block.data), "application/vnd.ipld.raw")


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Bytes as a stream of one piece."""
    yield data


async def put(node: BlockAccess, request: Request) -> AsyncGenerator[Record, None]:
    """One record for each block, once it is durable."""
    codec = codec_code(request.text("cid-codec") or "raw")
    function = hash_code(request.text("mhtype") or "sha2-256")
    async for part in request.parts:
        data = await bounded(part.chunks)
        block = await node.put_block(
            data, codec=codec, hash_code=function, pin=request.flag("pin"), offline=request.offline
        )
        yield {"Key": str(block.cid), "Size": len(data)}


async def bounded(chunks: AsyncIterator[bytes]) -> bytes:
    """The bytes of an upload that is to be one block. Raises BlockTooLarge."""
    data = bytearray()
    async for chunk in chunks:
        data += chunk
        if len(data) > MAX_BLOCK_SIZE:
            raise BlockTooLarge(f"a block holds at most {MAX_BLOCK_SIZE} bytes; use `node add` for files")
    return bytes(data)


async def stat(node: BlockAccess, request: Request) -> Record:
    """A block's CID and its length."""
    cid = _cid(request.arg(0))
    await node.blocks.check(cid)
    size = await node.blocking.run(node.store.size, cid)
    if size is None:
        block = await node.get_block(cid, offline=request.offline, timeout=request.timeout)
        size = len(block.data)
    return {"Key": str(cid), "Size": size}


async def remove(node: BlockAccess, request: Request) -> AsyncGenerator[Record, None]:
    """One record for each CID; one that stays says why, and keeps no other from being removed."""
    force, quiet = request.flag("force"), request.flag("quiet")
    cids = [_cid(text) for text in request.args]
    refused = await node.remove_blocks(cids)
    for cid in cids:
        error = refused.get(cid)
        if error is not None and not (force and isinstance(error, BlockNotFound)):
            from peershelf.node.describe import describe

            yield {"Hash": str(cid), "Error": describe(error)}
        elif not quiet:
            yield {"Hash": str(cid)}


def local_refs(node: BlockAccess, request: Request) -> Closeable[Record]:
    """A record for each block in the store."""

    async def list_them(send: Callable[[Record], Awaitable[None]]) -> None:
        cids = node.local_cids()
        while batch := await node.blocking.run(_take, cids):
            for cid in batch:
                await send({"Ref": str(cid), "Err": ""})

    return node.run_stream(list_them)


def _take(cids: Iterator[Cid]) -> list[Cid]:
    return list(islice(cids, _BATCH))


def _cid(text: str) -> Cid:
    cid, path = parse_reference(text)
    if path:
        raise InvalidPath(f"{text!a} names a path; blocks are named by their CID alone")
    return cid


BLOCK_OPERATIONS = (
    Stream("block/get", get, min_args=1, max_args=1, enforces_timeout=True),
    Records(
        "block/put",
        put,
        takes_parts=True,
        options=frozenset({"cid-codec", "mhtype", "pin"}),
        fixed={"mhlen": "-1", "allow-big-block": "false"},
    ),
    Unary("block/stat", stat, min_args=1, max_args=1, enforces_timeout=True),
    Records("block/rm", remove, min_args=1, options=frozenset({"force", "quiet"})),
    Records("repo/ls", local_refs, max_args=0, options=frozenset({"stream"})),
    Records(
        "refs/local",
        local_refs,
        max_args=0,
        fixed={
            "format": "<dst>",
            "max-depth": "-1",
            "edges": "false",
            "unique": "false",
            "recursive": "false",
        },
    ),
)
