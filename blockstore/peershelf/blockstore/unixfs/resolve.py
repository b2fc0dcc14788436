"""Following a path of names through directories, without I/O.

Both kinds of directory are read: basic ones, whose links are the entries, and HAMT shards, where the bits of
an entry's hash lead through a tree of shards. https://specs.ipfs.tech/unixfs/#dag-pb-hamtdirectory
"""

from __future__ import annotations

from collections.abc import Sequence

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock, PathNotFound, quoted
from peershelf.blockstore.path import name_bytes
from peershelf.blockstore.unixfs import hamt, message
from peershelf.blockstore.unixfs.message import DataType
from peershelf.blockstore.unixfs.murmur3 import murmur3_64


class PathResolver:
    """Walks from `root` along `names`: get `wanted` and receive() it until there is a `result`."""

    def __init__(self, root: Cid, names: Sequence[str]) -> None:
        """Raises as receive() does, for directories that are spelled out in their CID."""
        self._cid = root
        self._names = [name_bytes(name) for name in reversed(names)]
        self._shard_depth = 0
        self._follow_inline()

    @property
    def wanted(self) -> Cid | None:
        """The block to receive next; None once the path is resolved."""
        return self._cid if self._names else None

    @property
    def result(self) -> Cid | None:
        """What the path leads to; None while blocks are wanted."""
        return None if self._names else self._cid

    def receive(self, block: Block) -> None:
        """Take the wanted block; another one is passed over.

        Raises PathNotFound if it is no directory or has no such entry, MalformedBlock if it is broken.
        """
        if block.cid == self.wanted:
            self._step(block)
            self._follow_inline()

    def _follow_inline(self) -> None:
        while self._names and (data := inline_bytes(self._cid)) is not None:
            self._step(Block(self._cid, data))

    def _step(self, block: Block) -> None:
        content, links = self._directory(block)
        if content.type == DataType.HAMT:
            self._step_shard(content, links)
        elif self._shard_depth:
            raise MalformedBlock(f"malformed directory: {block.cid} is not a HAMT shard")
        else:
            self._enter(self._find(self._names[-1], links))

    def _directory(self, block: Block) -> tuple[message.Data, tuple[pb.Link, ...]]:
        if block.cid.codec == DAG_PB:
            node = pb.decode(block.data)
            content = None if node.data is None else message.decode(node.data)
            if content and content.type in (DataType.DIRECTORY, DataType.HAMT):
                return content, node.links
        raise self._not_found()

    def _step_shard(self, content: message.Data, links: Sequence[pb.Link]) -> None:
        prefix = _slot_name(content, self._names[-1], self._shard_depth)
        entry = prefix + self._names[-1]
        for link in links:
            if link.name == entry:
                self._enter(link.cid)
                return
            if link.name == prefix:
                self._cid = link.cid
                self._shard_depth += 1
                return
        raise self._not_found()

    def _find(self, name: bytes, links: Sequence[pb.Link]) -> Cid:
        for link in links:
            if link.name == name:
                return link.cid
        raise self._not_found()

    def _enter(self, cid: Cid) -> None:
        self._cid = cid
        self._names.pop()
        self._shard_depth = 0

    def _not_found(self) -> PathNotFound:
        name = self._names[-1].decode("utf-8", "replace")
        return PathNotFound(f"no link named {quoted(name)} under {self._cid}")


def is_sharded(node: pb.PbNode) -> bool:
    """Whether this is the root of a sharded directory."""
    try:
        return node.data is not None and message.decode(node.data).type == DataType.HAMT
    except MalformedBlock:
        return False


def _slot_name(content: message.Data, name: bytes, depth: int) -> bytes:
    """Return the prefix of the links in the slot of a shard where the entry `name` belongs."""
    fanout = hamt.fanout_of(content)
    if depth >= hamt.levels(fanout):
        raise MalformedBlock("malformed directory: its shards are too deep")
    slot = murmur3_64(name) >> hamt.shift(fanout, depth) & fanout - 1
    return hamt.slot_name(slot, fanout)
