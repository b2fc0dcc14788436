"""dag-cbor and dag-json, judged by other readers of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import libipld

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.ipld import dag_cbor, dag_json
from peershelf.blockstore.ipld.model import Node
from peershelf.blockstore.multihash import IDENTITY, SHA2_512

_NOT_TOO_DEEP = 300
"""Bytes that what judges by recursion can take."""
_MINUS_ZERO = bytes.fromhex("fb8000000000000000")
"""A float that libipld alone refuses: Kubo writes it."""
_CIDS = (
    Block.create(b"raw").cid,
    Block.create(b"old", codec=DAG_PB, version=0).cid,
    Block.create(b"long", codec=0x0129, hash_code=SHA2_512).cid,
    Block.create(b"inline", hash_code=IDENTITY).cid,
)
_NODES: tuple[Node, ...] = (
    {"a": [1, -1, 2**63, -(2**64), 1.5, None, True], "bb": _CIDS[0], "c": b"bytes", "dd": {"e": "t\u00e9xt"}},
    [[[[[_CIDS[2], [], {}, "", b"", 0.000001, 1e100]]]]],
    list(_CIDS),
    {"x" * length: "y" * length for length in (0, 23, 24, 255, 256)},
)
CBOR_SAMPLES = [dag_cbor.encode(node) for node in _NODES]
JSON_SAMPLES = [
    *(dag_json.encode(node) for node in _NODES),
    b'[ "\\u00fc\\ud83d\\ude00", {"/" : 1, "x": -0.5e-3} ]',
]


def check_dag_cbor(data: bytes) -> None:
    """Against libipld, which reads more than the canonical form, and CIDs as their bytes."""
    try:
        node = dag_cbor.decode(data)
    except MalformedBlock:
        assert b"\xd8\x2a" in data or not _is_canonical(data), "it was refused, and is canonical"
        assert _links_or_none(dag_cbor.links, data) is None
        return
    assert dag_cbor.encode(node) == data, "there is another encoding"
    assert _links_or_none(dag_cbor.links, data) == _cids_in(node)
    if len(data) < _NOT_TOO_DEEP and _MINUS_ZERO not in data:
        assert libipld.decode_dag_cbor(data) == _with_cids_as_bytes(node)


def _is_canonical(data: bytes) -> bool:
    try:
        return bool(libipld.encode_dag_cbor(libipld.decode_dag_cbor(data)) == data)
    except (ValueError, RecursionError):
        return False


def _links_or_none(links: Callable[[bytes], tuple[Cid, ...]], data: bytes) -> list[Cid] | None:
    try:
        return list(links(data))
    except MalformedBlock:
        return None


def _cids_in(node: Node) -> list[Cid]:
    found, pending = list[Cid](), [node]
    while pending:
        one = pending.pop()
        if isinstance(one, Cid):
            found.append(one)
        elif isinstance(one, dict):
            pending += reversed(one.values())
        elif isinstance(one, list):
            pending += reversed(one)
    return found


def _with_cids_as_bytes(node: Node) -> object:
    if isinstance(node, dict):
        return {key: _with_cids_as_bytes(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_with_cids_as_bytes(item) for item in node]
    return node.to_bytes() if isinstance(node, Cid) else node


def check_dag_json(data: bytes) -> None:
    try:
        node = dag_json.decode(data)
    except MalformedBlock:
        assert _links_or_none(dag_json.links, data) is None
        return
    json.loads(data)
    assert _links_or_none(dag_json.links, data) == _cids_in(node)
    try:
        # Kubo writes whole floats as integers and so do we; what was read back once, stays.
        once = dag_json.decode(dag_json.encode(node))
        written = dag_json.encode(once)
        again = dag_json.decode(written)
    except MalformedBlock:
        return  # a map that would read as a link, or such an integer of more than 64 bits
    assert dag_json.encode(again) == written
