"""Blocks as structured data: the IPLD data model."""

from __future__ import annotations

import math

import trio

from peershelf.blockstore import multihash
from peershelf.blockstore.cid import DAG_CBOR, Cid
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.ipld.model import Node as Data
from peershelf.blockstore.ipld.path import DagPath, Resolved, node_at
from peershelf.blockstore.path import parse_reference
from peershelf.node.facade.blocks import BlockAccess


class DagData(BlockAccess):
    """Maps, lists, texts, numbers, bytes and links, in blocks of dag-cbor, dag-json, dag-pb and raw.

    Paths lead through map keys, list indices and links of any of them. `timeout` is in seconds for a call.
    """

    async def dag_resolve(
        self, reference: Cid | str, *, offline: bool = False, timeout: float = math.inf
    ) -> Resolved:
        """Return the block in which a path ends, and the names that are left to follow inside of it.

        Raises InvalidCid, InvalidPath, PathNotFound, MalformedBlock, UnsupportedCodec, BlockNotFound and
        TimedOut.
        """
        root, names = parse_reference(reference) if isinstance(reference, str) else (reference, ())
        path = DagPath(root, names)
        async with self.blocks.fetcher(root, offline=offline, timeout=timeout) as fetcher:
            while (wanted := path.wanted) is not None:
                path.receive(await fetcher.get(wanted))
        assert path.result is not None
        return path.result

    async def dag_get(
        self, reference: Cid | str, *, offline: bool = False, timeout: float = math.inf
    ) -> Data:
        """Return what a path leads to. Raises as dag_resolve does."""
        deadline = trio.current_time() + timeout
        resolved = await self.dag_resolve(reference, offline=offline, timeout=timeout)
        left = max(deadline - trio.current_time(), 0)
        block = await self.blocks.get(resolved.cid, offline=offline, timeout=left)
        return await trio.to_thread.run_sync(node_at, resolved, block)

    async def dag_put(
        self, node: Data, *, codec: int = DAG_CBOR, hash_code: int = multihash.SHA2_256, pin: bool = False
    ) -> Cid:
        """Store a node as one block, durably, and return its CID.

        Raises MalformedBlock for what the codec cannot hold, BlockTooLarge, UnsupportedHash, StoreError.
        """
        data = await trio.to_thread.run_sync(codecs.encode, codec, node)
        return (await self.put_block(data, codec=codec, hash_code=hash_code, pin=pin)).cid
