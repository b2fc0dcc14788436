"""Following a path into blocks of any codec, without I/O.

In dag-cbor and dag-json a name is the key of a map or the position in a list, and a link is gone through to
the block that it points to. In dag-pb a name is that of a directory's entry or of a link, or, where the path
asks for the plain data model, a field such as `Links/0/Hash`.
https://specs.ipfs.tech/http-gateways/path-gateway/ and https://ipld.io/docs/data-model/pathing/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import PathNotFound, quoted
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.ipld.model import Node
from peershelf.blockstore.path import name_bytes, parse_reference
from peershelf.blockstore.unixfs.resolve import PathResolver, is_sharded

_LONGEST_INDEX = 9
_PLAIN_PREFIX = "/ipld/"


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a path ends: a block, and the names that lead on inside of it."""

    cid: Cid
    rest: tuple[str, ...] = ()


class DagPath:
    """Walks from `root` along `names`: get `wanted` and receive() it until there is a `result`."""

    def __init__(self, root: Cid, names: Sequence[str], *, plain: bool = False) -> None:
        """With `plain`, dag-pb too is nothing but data. Raises as receive() does, for inline blocks."""
        self.root = root
        self._cid = root
        self._names = list(names)
        self._plain = plain
        self._shards: PathResolver | None = None
        self.result: Resolved | None = None if names else Resolved(root)
        """What the path leads to; None while blocks are wanted. A link at the end is not gone through."""
        self._follow_inline()

    @property
    def wanted(self) -> Cid | None:
        """The block to receive next; None once the path is resolved."""
        if self.result is not None:
            return None
        return self._cid if self._shards is None else self._shards.wanted

    def receive(self, block: Block) -> None:
        """Take the wanted block; another one is passed over.

        Raises PathNotFound if nothing of that name is there, MalformedBlock and UnsupportedCodec.
        """
        if block.cid == self.wanted:
            self._step(block)
            self._follow_inline()

    def _follow_inline(self) -> None:
        while (wanted := self.wanted) is not None and (data := inline_bytes(wanted)) is not None:
            self._step(Block(wanted, data))

    def _step(self, block: Block) -> None:
        if self._shards is None and block.cid.codec == DAG_PB and not self._plain:
            self._enter_pb(block)
        elif self._shards is None:
            self._enter_data(codecs.decode(block.cid.codec, block.data))
        if self._shards is not None:
            self._shards.receive(block)
            self._leave_shards(self._shards)

    def _enter_pb(self, block: Block) -> None:
        node = pb.decode(block.data)
        if is_sharded(node):
            self._shards = PathResolver(block.cid, self._names[:1])
            return
        name = name_bytes(self._names[0])
        for link in node.links:
            if link.name == name:
                self._go_on(link.cid, 1)
                return
        raise _not_found(self._names[0], block.cid)

    def _leave_shards(self, shards: PathResolver) -> None:
        if shards.result is not None:
            self._shards = None
            self._go_on(shards.result, 1)

    def _enter_data(self, node: Node) -> None:
        for count, name in enumerate(self._names, 1):
            node = _child(node, name, self._cid)
            if isinstance(node, Cid):
                self._go_on(node, count)
                return
        self.result = Resolved(self._cid, tuple(self._names))

    def _go_on(self, cid: Cid, names: int) -> None:
        self._cid = cid
        del self._names[:names]
        if not self._names:
            self.result = Resolved(cid)


def parse(reference: Cid | str) -> DagPath:
    """Begin to follow a reference: a CID, or text such as CID/path, or /ipld/CID/path for plain data.

    Raises InvalidPath, InvalidCid, and what DagPath raises.
    """
    if isinstance(reference, Cid):
        return DagPath(reference, ())
    plain = reference.startswith(_PLAIN_PREFIX)
    root, names = parse_reference(reference.removeprefix(_PLAIN_PREFIX))
    return DagPath(root, names, plain=plain)


def node_at(resolved: Resolved, block: Block) -> Node:
    """Return what a resolved path leads to, given its block. Raises MalformedBlock, UnsupportedCodec."""
    node = codecs.decode(block.cid.codec, block.data)
    for name in resolved.rest:
        node = _child(node, name, block.cid)
    return node


def _child(node: Node, name: str, cid: Cid) -> Node:
    if isinstance(node, dict) and name in node:
        return node[name]
    if isinstance(node, list) and name.isascii() and name.isdecimal() and len(name) <= _LONGEST_INDEX:
        position = int(name)
        if position < len(node):
            return node[position]
    raise _not_found(name, cid)


def _not_found(name: str, cid: Cid) -> PathNotFound:
    return PathNotFound(f"no link named {quoted(name)} under {cid}")
