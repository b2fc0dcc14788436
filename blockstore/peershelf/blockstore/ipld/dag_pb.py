"""dag-pb nodes in terms of the data model, as `{"Data": bytes, "Links": [{"Hash", "Name", "Tsize"}]}`.

A field that is absent reads as null, as Kubo shows it, and null is written as an absent field.
https://ipld.io/specs/codecs/dag-pb/spec/#logical-format
"""

from __future__ import annotations

from dataclasses import replace

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.ipld.model import Node

_MAX_TSIZE = (1 << 64) - 1


def decode(data: bytes) -> Node:
    """Read a node. Names that are not UTF-8 lose what is wrong with them. Raises MalformedBlock."""
    node = pb.decode(data)
    return {"Data": node.data, "Links": [_link_node(link) for link in node.links]}


def encode(node: Node) -> bytes:
    """Write a node, its links in the order of their names. Raises MalformedBlock if it is none."""
    if not isinstance(node, dict) or not node.keys() <= {"Data", "Links"} or "Links" not in node:
        raise _no_pb("it is a map with Links and perhaps Data")
    data, links = node.get("Data"), node["Links"]
    if not isinstance(data, bytes | None) or not isinstance(links, list):
        raise _no_pb("Data are bytes, Links a list")
    return canonical(pb.PbNode(data, tuple(map(_pb_link, links))))


def canonical(node: pb.PbNode) -> bytes:
    """Return the node's bytes with its links in the order of their names."""
    links = sorted(node.links, key=lambda link: link.name or b"")
    return pb.encode(replace(node, links=tuple(links)))


def _link_node(link: pb.Link) -> Node:
    name = None if link.name is None else link.name.decode("utf-8", "replace")
    return {"Hash": link.cid, "Name": name, "Tsize": link.size}


def _pb_link(node: Node) -> pb.Link:
    if not isinstance(node, dict) or not node.keys() <= {"Hash", "Name", "Tsize"}:
        raise _no_pb("a link is a map of Hash, Name and Tsize")
    cid, name, size = node.get("Hash"), node.get("Name"), node.get("Tsize")
    if not isinstance(cid, Cid) or not isinstance(name, str | None) or not isinstance(size, int | None):
        raise _no_pb("Hash is a link, Name a text, Tsize a number")
    if size is not None and (isinstance(size, bool) or not 0 <= size <= _MAX_TSIZE):
        raise _no_pb("Tsize is a number from 0 to 2^64 - 1")
    try:
        return pb.Link(cid, None if name is None else name.encode(), size)
    except UnicodeEncodeError:
        raise _no_pb("names are valid Unicode") from None


def _no_pb(reason: str) -> MalformedBlock:
    return MalformedBlock(f"this cannot be a dag-pb node: {reason}")
