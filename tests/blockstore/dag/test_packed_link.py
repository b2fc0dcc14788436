from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import packed_link, pb
from peershelf.blockstore.multihash import IDENTITY

cids = st.builds(
    lambda data, codec, version: (
        Block.create(data, codec=DAG_PB, version=0).cid
        if version == 0
        else Cid.v1(codec, bytes((IDENTITY, len(data))) + data)
    ),
    st.binary(max_size=127),
    st.sampled_from([0x55, DAG_PB, 0x0129]),
    st.integers(0, 1),
)
LONG = Cid.v1(0x55, bytes((IDENTITY, 127)) + bytes(range(127)))
links = st.lists(st.tuples(cids, st.binary(max_size=300), st.integers(0, (1 << 64) - 1)), max_size=5)


@given(links, st.binary(max_size=200))
@example([(LONG, b"name", 1)], b"")
def test_a_node_of_packed_links_is_the_node_of_those_links(
    links: list[tuple[Cid, bytes, int]], data: bytes
) -> None:
    encoded = [packed_link.encode(name, packed_link.pack(cid, size)) for cid, name, size in links]
    node = pb.PbNode(data, tuple(pb.Link(*link) for link in links))
    assert packed_link.encode_node(encoded, data) == pb.encode(node)


@given(cids, st.binary(max_size=300), st.integers(0, (1 << 64) - 1))
@example(LONG, b"n" * 200, 1)
def test_what_was_packed_can_be_told(cid: Cid, name: bytes, size: int) -> None:
    packed = packed_link.pack(cid, size)
    assert packed_link.tsize(packed) == size
    assert packed_link.cid_length(packed) == len(cid.to_bytes())
    assert packed_link.encoded_length(name, packed) == len(packed_link.encode(name, packed))
