"""dag get, put and resolve: blocks as structured data."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from peershelf.blockstore.cid import codec_code
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.multihash import hash_code
from peershelf.node.operations.base import ByteStream, Records, Stream, Unary
from peershelf.node.operations.blocks import bounded, once
from peershelf.node.operations.request import Record, Request

if TYPE_CHECKING:
    from peershelf.node.facade.dag_data import DagData


async def get(node: DagData, request: Request) -> ByteStream:
    """What a path leads to, written in the codec that was asked for."""
    codec = codec_code(request.text("output-codec") or "dag-json")
    data = await node.dag_read(request.arg(0), codec=codec, offline=request.offline, timeout=request.timeout)
    return ByteStream(once(data), len(data))


async def put(node: DagData, request: Request) -> AsyncGenerator[Record, None]:
    """One record for each node, once it is durable and, if it is to be, pinned."""
    source = codec_code(request.text("input-codec") or "dag-json")
    codec = codec_code(request.text("store-codec") or "dag-cbor")
    function = hash_code(request.text("hash") or "sha2-256")
    async for part in request.parts:
        data = await node.blocking.run(codecs.transcode, await bounded(part.chunks), source, codec)
        block = await node.put_block(
            data, codec=codec, hash_code=function, pin=request.flag("pin"), offline=request.offline
        )
        yield {"Cid": {"/": str(block.cid)}}


async def resolve(node: DagData, request: Request) -> Record:
    """The block in which a path ends, and the path that is left inside of it."""
    found = await node.dag_resolve(request.arg(0), offline=request.offline, timeout=request.timeout)
    return {"Cid": {"/": str(found.cid)}, "RemPath": "".join(f"/{name}" for name in found.rest)}


DAG_DATA_OPERATIONS = (
    Stream(
        "dag/get", get, min_args=1, max_args=1, options=frozenset({"output-codec"}), enforces_timeout=True
    ),
    Records(
        "dag/put",
        put,
        takes_parts=True,
        options=frozenset({"input-codec", "store-codec", "hash", "pin"}),
        fixed={"allow-big-block": "false"},
    ),
    Unary("dag/resolve", resolve, min_args=1, max_args=1, enforces_timeout=True),
)
