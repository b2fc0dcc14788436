"""Following a path through blocks of any codec, without I/O.

In dag-pb a name is that of a link, in sharded directories too; elsewhere it is a key of a map or the index of
an item in a list, and a link that is met on the way is followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import PathNotFound, quoted
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.ipld.model import Node
from peershelf.blockstore.path import name_bytes
from peershelf.blockstore.unixfs.resolve import PathResolver, is_sharded


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a path ends: in this block, at what the rest of the names lead to in it."""

    cid: Cid
    rest: tuple[str, ...] = ()


class DagPath:
    """Walks from `root` along `names`: get `wanted` and receive() it until there is a `result`."""

    def __init__(self, root: Cid, names: Sequence[str]) -> None:
        """Raises as receive() does, for blocks that are spelled out in their CID."""
        self._cid = root
        self._names = list(names)
        self._rest: tuple[str, ...] = ()
        self._shards: PathResolver | None = None
        self._follow_inline()

    @property
    def wanted(self) -> Cid | None:
        """The block to receive next; None once the path is resolved."""
        if not self._names:
            return None
        return self._cid if self._shards is None else self._shards.wanted

    @property
    def result(self) -> Resolved | None:
        """Where the path ends; None while blocks are wanted."""
        return None if self._names else Resolved(self._cid, self._rest)

    def receive(self, block: Block) -> None:
        """Take the wanted block; another one is passed over.

        Raises PathNotFound if it has no such entry, MalformedBlock if it is broken, UnsupportedCodec.
        """
        if block.cid == self.wanted:
            self._step(block)
            self._follow_inline()

    def _follow_inline(self) -> None:
        while (cid := self.wanted) is not None and (data := inline_bytes(cid)) is not None:
            self._step(Block(cid, data))

    def _step(self, block: Block) -> None:
        if self._shards is not None:
            self._step_shards(self._shards, block)
        elif block.cid.codec == DAG_PB:
            self._step_pb(block)
        elif block.cid.codec in (DAG_CBOR, DAG_JSON):
            self._step_node(codecs.decode(block.cid.codec, block.data))
        else:
            raise self._not_found(self._names[0])

    def _step_pb(self, block: Block) -> None:
        node = pb.decode(block.data)
        if is_sharded(node):
            self._shards = PathResolver(block.cid, self._names[:1])
            self._step_shards(self._shards, block)
            return
        name = name_bytes(self._names[0])
        for link in node.links:
            if link.name == name:
                self._enter(link.cid, 1)
                return
        raise self._not_found(self._names[0])

    def _step_shards(self, shards: PathResolver, block: Block) -> None:
        shards.receive(block)
        if shards.result is not None:
            self._shards = None
            self._enter(shards.result, 1)

    def _step_node(self, node: Node) -> None:
        for number, name in enumerate(self._names, 1):
            node = self._child(node, name)
            if isinstance(node, Cid):
                self._enter(node, number)
                return
        self._rest = tuple(self._names)
        self._names = []

    def _child(self, node: Node, name: str) -> Node:
        if isinstance(node, dict) and name in node:
            return node[name]
        if isinstance(node, list) and name.isascii() and name.isdecimal() and int(name[:9]) < len(node):
            return node[int(name)]
        raise self._not_found(name)

    def _enter(self, cid: Cid, names: int) -> None:
        self._cid = cid
        del self._names[:names]

    def _not_found(self, name: str) -> PathNotFound:
        return PathNotFound(f"no link named {quoted(name)} under {self._cid}")


def node_at(resolved: Resolved, block: Block) -> Node:
    """Return what a resolved path leads to, given its block. Raises MalformedBlock, UnsupportedCodec."""
    node = codecs.decode(block.cid.codec, block.data)
    for name in resolved.rest:
        node = node[int(name)] if isinstance(node, list) else node[name]  # type: ignore[call-overload,index]
    return node
