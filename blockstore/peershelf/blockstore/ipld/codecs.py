"""Blocks of any codec that is known here as nodes, and nodes as blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, RAW, Cid, codec_name
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock, UnsupportedCodec
from peershelf.blockstore.ipld import dag_cbor, dag_json
from peershelf.blockstore.ipld.model import Node


def decode(codec: int, data: bytes) -> Node:
    """Read a block's bytes as a node. Raises MalformedBlock, UnsupportedCodec."""
    if codec not in _READERS:
        raise UnsupportedCodec(f"{codec_name(codec)} blocks cannot be read as data; raw gives their bytes")
    return _READERS[codec](data)


def encode(codec: int, node: Node) -> bytes:
    """Write a node. Raises MalformedBlock for what the codec cannot hold, UnsupportedCodec."""
    if codec not in _WRITERS:
        raise UnsupportedCodec(
            f"{codec_name(codec)} blocks cannot be written; dag-cbor, dag-json, dag-pb, raw can"
        )
    return _WRITERS[codec](node)


def _read_pb(data: bytes) -> Node:
    """A dag-pb node in the form that its specification defines."""
    node = pb.decode(data)
    found: dict[str, Node] = {} if node.data is None else {"Data": node.data}
    found["Links"] = [_link_node(link) for link in node.links]
    return found


def _link_node(link: pb.Link) -> Node:
    found: dict[str, Node] = {"Hash": link.cid}
    if link.name is not None:
        found["Name"] = link.name.decode("utf-8", "replace")
    if link.size is not None:
        found["Tsize"] = link.size
    return found


def _write_pb(node: Node) -> bytes:
    """Links are sorted by name, as the specification has it."""
    if not isinstance(node, dict) or not node.keys() <= {"Data", "Links"} or "Links" not in node:
        raise _no_pb("it is a map with Links and perhaps Data")
    data, links = node.get("Data"), node["Links"]
    if not isinstance(data, bytes | None) or not isinstance(links, list):
        raise _no_pb("Data are bytes, Links a list")
    made = sorted(map(_pb_link, links), key=lambda link: link.name or b"")
    return pb.encode(pb.PbNode(data, tuple(made)))


def _pb_link(node: Node) -> pb.Link:
    if not isinstance(node, dict) or not node.keys() <= {"Hash", "Name", "Tsize"}:
        raise _no_pb("a link is a map of Hash, Name and Tsize")
    cid, name, size = node.get("Hash"), node.get("Name"), node.get("Tsize")
    if not isinstance(cid, Cid) or not isinstance(name, str | None) or not isinstance(size, int | None):
        raise _no_pb("Hash is a link, Name a text, Tsize a number")
    if size is not None and (isinstance(size, bool) or size < 0):
        raise _no_pb("Tsize is a number from 0 on")
    return pb.Link(cid, None if name is None else name.encode(), size)


def _no_pb(reason: str) -> MalformedBlock:
    return MalformedBlock(f"this cannot be a dag-pb node: {reason}")


def _write_raw(node: Node) -> bytes:
    if not isinstance(node, bytes):
        raise MalformedBlock("raw blocks hold bytes and nothing else")
    return node


_READERS: Mapping[int, Callable[[bytes], Node]] = {
    RAW: lambda data: data,
    DAG_PB: _read_pb,
    DAG_CBOR: dag_cbor.decode,
    DAG_JSON: dag_json.decode,
}
_WRITERS: Mapping[int, Callable[[Node], bytes]] = {
    RAW: _write_raw,
    DAG_PB: _write_pb,
    DAG_CBOR: dag_cbor.encode,
    DAG_JSON: dag_json.encode,
}
