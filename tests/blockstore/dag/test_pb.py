from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import protobuf
from peershelf.blockstore.block import Block
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.pb import Link, PbNode
from peershelf.blockstore.errors import MalformedBlock

CID = Block.create(b"x").cid
HASH = protobuf.bytes_field(1, CID.to_bytes())
NAME = protobuf.bytes_field(2, b"name")
TSIZE = protobuf.varint_field(3, 300)
DATA = protobuf.bytes_field(1, b"data")


def link(*fields: bytes) -> bytes:
    return protobuf.bytes_field(2, b"".join(fields))


LINK = link(HASH, NAME, TSIZE)

cids = st.binary(max_size=50).map(lambda data: Block.create(data).cid)
links = st.builds(Link, cids, st.none() | st.binary(max_size=20), st.none() | st.integers(0, (1 << 64) - 1))
nodes = st.builds(PbNode, st.none() | st.binary(max_size=200), st.lists(links, max_size=5).map(tuple))


@given(nodes)
def test_nodes_round_trip(node: PbNode) -> None:
    encoded = pb.encode(node)
    assert pb.decode(encoded) == node
    assert pb.encode(pb.decode(encoded)) == encoded


def test_links_are_written_before_data() -> None:
    assert pb.encode(PbNode(b"data", (Link(CID, b"name", 300),))) == LINK + DATA


def test_absent_and_empty_are_kept_apart() -> None:
    empty = link(HASH, protobuf.bytes_field(2, b""), protobuf.varint_field(3, 0)) + protobuf.bytes_field(
        1, b""
    )
    absent = link(HASH)
    assert pb.decode(empty) == PbNode(b"", (Link(CID, b"", 0),))
    assert pb.decode(absent) == PbNode(None, (Link(CID, None, None),))
    assert pb.encode(pb.decode(empty)) == empty
    assert pb.encode(pb.decode(absent)) == absent


def test_data_before_links_is_read_and_rewritten_in_the_canonical_order() -> None:
    assert pb.decode(DATA + LINK + LINK) == pb.decode(LINK + LINK + DATA)
    assert pb.encode(pb.decode(DATA + LINK)) == LINK + DATA


def test_no_bytes_are_a_node_of_nothing() -> None:
    assert pb.decode(b"") == PbNode()
    assert pb.encode(PbNode()) == b""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(LINK + DATA + LINK, id="data between links"),
        pytest.param(DATA + DATA, id="data twice"),
        pytest.param(DATA + LINK + DATA, id="data on both sides"),
        pytest.param(protobuf.bytes_field(3, b""), id="unknown field of a node"),
        pytest.param(protobuf.varint_field(1, 5), id="data as a number"),
        pytest.param(protobuf.varint_field(2, 5), id="a link as a number"),
        pytest.param(protobuf.fixed32_field(1, 5), id="data as 32 bits"),
        pytest.param(link(), id="an empty link"),
        pytest.param(link(NAME, TSIZE), id="a link without CID"),
        pytest.param(link(NAME, HASH), id="name before CID"),
        pytest.param(link(HASH, TSIZE, NAME), id="size before name"),
        pytest.param(link(HASH, HASH), id="CID twice"),
        pytest.param(link(HASH, NAME, NAME), id="name twice"),
        pytest.param(link(HASH, TSIZE, TSIZE), id="size twice"),
        pytest.param(link(HASH, protobuf.varint_field(4, 0)), id="unknown field of a link"),
        pytest.param(link(protobuf.varint_field(1, 0)), id="CID as a number"),
        pytest.param(link(HASH, protobuf.varint_field(2, 0)), id="name as a number"),
        pytest.param(link(HASH, protobuf.bytes_field(3, b"\x01")), id="size as bytes"),
        pytest.param(link(HASH, protobuf.fixed32_field(3, 1)), id="size as 32 bits"),
        pytest.param(link(protobuf.bytes_field(1, b"")), id="an empty CID"),
        pytest.param(link(protobuf.bytes_field(1, CID.to_bytes()[:-1])), id="a cut CID"),
        pytest.param(link(protobuf.bytes_field(1, CID.to_bytes() + b"\0")), id="bytes after the CID"),
        pytest.param(
            link(protobuf.bytes_field(1, b"\0" + CID.to_bytes())), id="a CID with a multibase prefix"
        ),
        pytest.param(link(HASH, b"\x18\x80\x00"), id="an overlong size"),
        pytest.param(link(HASH, b"\x18" + b"\xff" * 9 + b"\x02"), id="a size of 2^64 and more"),
        pytest.param(LINK[:-1], id="a cut link"),
        pytest.param(DATA[:-1], id="cut data"),
        pytest.param(b"\x8a\x00" + DATA[1:], id="an overlong key"),
        pytest.param(b"\x0a\x84\x00data", id="an overlong length"),
        pytest.param(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", id="a length of 2^64 - 1"),
    ],
)
def test_everything_else_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedBlock):
        pb.decode(data)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_node_or_malformed(data: bytes) -> None:
    try:
        node = pb.decode(data)
    except MalformedBlock:
        return
    assert pb.decode(pb.encode(node)) == node


@given(nodes, st.data())
def test_a_changed_byte_gives_another_node_or_malformed(node: PbNode, data: st.DataObject) -> None:
    encoded = bytearray(pb.encode(node) or b"\0")
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        assert pb.decode(bytes(encoded)) != node
    except MalformedBlock:
        return
