"""Blocks of any codec that is known here as nodes, and nodes as blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, RAW, codec_name
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock, UnsupportedCodec
from peershelf.blockstore.ipld import dag_cbor, dag_json, dag_pb
from peershelf.blockstore.ipld.model import Node


def decode(codec: int, data: bytes) -> Node:
    """Read a block's bytes as a node. Raises MalformedBlock, UnsupportedCodec."""
    if codec not in _READERS:
        raise UnsupportedCodec(
            f"{codec_name(codec)} blocks cannot be read as data; `block get` has their bytes"
        )
    return _READERS[codec](data)


def encode(codec: int, node: Node) -> bytes:
    """Write a node. Raises MalformedBlock for what the codec cannot hold, UnsupportedCodec."""
    if codec not in _WRITERS:
        raise UnsupportedCodec(
            f"{codec_name(codec)} blocks cannot be written; dag-cbor, dag-json, dag-pb and raw can"
        )
    return _WRITERS[codec](node)


def transcode(data: bytes, source: int, target: int) -> bytes:
    """Return the bytes of a block of codec `target` that says what these of codec `source` say.

    Raises MalformedBlock, UnsupportedCodec.
    """
    if source == target == DAG_PB:
        return dag_pb.canonical(pb.decode(data))  # not by way of text, which not every name is
    return encode(target, decode(source, data))


def _write_raw(node: Node) -> bytes:
    if not isinstance(node, bytes):
        raise MalformedBlock("raw blocks hold bytes and nothing else")
    return node


_READERS: Mapping[int, Callable[[bytes], Node]] = {
    RAW: lambda data: data,
    DAG_PB: dag_pb.decode,
    DAG_CBOR: dag_cbor.decode,
    DAG_JSON: dag_json.decode,
}
_WRITERS: Mapping[int, Callable[[Node], bytes]] = {
    RAW: _write_raw,
    DAG_PB: dag_pb.encode,
    DAG_CBOR: dag_cbor.encode,
    DAG_JSON: dag_json.encode,
}
