"""Blocks as structured data: the IPLD data model."""

from __future__ import annotations

import math

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_CBOR, Cid
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.ipld import path as dag_path
from peershelf.blockstore.ipld.model import Node as Data
from peershelf.blockstore.ipld.path import DagPath, Resolved, node_at
from peershelf.node.blocking import Blocking
from peershelf.node.facade.blocks import BlockAccess
from peershelf.node.pipeline import Pipeline


class DagData(BlockAccess):
    """Maps, lists, texts, numbers, bytes and links, in blocks of dag-cbor, dag-json, dag-pb and raw.

    A reference is a CID, or text such as CID/key/0/name: paths lead through map keys, list indices and links
    of any of them. In dag-pb a name is that of a link, or with /ipld/ in front of the CID a field, as in
    /ipld/CID/Links/0/Hash. `timeout` is in seconds for a call.
    """

    async def dag_resolve(
        self, reference: Cid | str, *, offline: bool = False, timeout: float = math.inf
    ) -> Resolved:
        """Return the block in which a path ends, and the names that are left to follow inside of it.

        Raises InvalidCid, InvalidPath, PathNotFound, MalformedBlock, UnsupportedCodec, BlockNotFound when
        offline and not here, UnsupportedHash, ContentBlocked, and TimedOut.
        """
        path = dag_path.parse(reference)
        await self.blocks.check(reference)
        async with self.blocks.fetcher(path.root, offline=offline, timeout=timeout) as fetcher:
            return await _follow(self.blocking, fetcher, path)

    async def dag_get(
        self, reference: Cid | str, *, offline: bool = False, timeout: float = math.inf
    ) -> Data:
        """Return what a path leads to; a link at its end is gone through. Raises as dag_resolve does."""
        resolved, block = await self._last_block(reference, offline=offline, timeout=timeout)
        return await self.blocking.run(node_at, resolved, block)

    async def dag_read(
        self, reference: Cid | str, *, codec: int, offline: bool = False, timeout: float = math.inf
    ) -> bytes:
        """Return the same, written in a codec. Raises MalformedBlock too where the codec cannot hold it."""
        resolved, block = await self._last_block(reference, offline=offline, timeout=timeout)

        def write() -> bytes:
            if not resolved.rest:
                return codecs.transcode(block.data, block.cid.codec, codec)
            return codecs.encode(codec, node_at(resolved, block))

        return await self.blocking.run(write)

    async def dag_put(
        self,
        node: Data,
        *,
        codec: int = DAG_CBOR,
        hash_code: int = multihash.SHA2_256,
        pin: bool = False,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> Cid:
        """Store a node as one block, durably, and return its CID.

        Raises MalformedBlock for what the codec cannot hold, UnsupportedCodec, and what put_block raises.
        """
        data = await self.blocking.run(codecs.encode, codec, node)
        block = await self.put_block(
            data, codec=codec, hash_code=hash_code, pin=pin, offline=offline, timeout=timeout
        )
        return block.cid

    async def _last_block(
        self, reference: Cid | str, *, offline: bool, timeout: float
    ) -> tuple[Resolved, Block]:
        path = dag_path.parse(reference)
        await self.blocks.check(reference)
        async with self.blocks.fetcher(path.root, offline=offline, timeout=timeout) as fetcher:
            resolved = await _follow(self.blocking, fetcher, path)
            return resolved, await fetcher.get(resolved.cid)


async def _follow(blocking: Blocking, fetcher: Pipeline, path: DagPath) -> Resolved:
    while (wanted := path.wanted) is not None:
        block = await fetcher.get(wanted)
        await blocking.run(path.receive, block)
    assert path.result is not None
    return path.result
