"""dag-cbor: one encoding for each node, judged by libipld, and nothing else is read."""

from __future__ import annotations

import math
import tracemalloc

import libipld
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.ipld import dag_cbor
from peershelf.blockstore.ipld.model import MAX_DEPTH, Node

MINUS_ZERO = bytes.fromhex("fb8000000000000000")
"""A float that libipld alone refuses: Kubo writes it."""


def plain(node: Node) -> object:
    """The node as libipld has it, where a CID is its bytes."""
    if isinstance(node, Cid):
        return node.to_bytes()
    if isinstance(node, dict):
        return {key: plain(item) for key, item in node.items()}
    return [plain(item) for item in node] if isinstance(node, list) else node


def nested(depth: int) -> bytes:
    return b"\x81" * depth + b"\x01"


@given(data=st.data())
def test_what_is_written_reads_the_same_and_as_libipld_reads_it(any_node, find_cids, data) -> None:
    node = data.draw(any_node)
    written = dag_cbor.encode(node)
    read = dag_cbor.decode(written)
    assert dag_cbor.encode(read) == written
    assert plain(read) == plain(node)
    assert MINUS_ZERO in written or plain(read) == libipld.decode_dag_cbor(written)
    assert list(dag_cbor.links(written)) == find_cids(read)


@given(data=st.data())
def test_damaged_nodes_are_refused_or_are_what_libipld_reads(any_node, find_cids, data) -> None:
    damaged = bytearray(dag_cbor.encode(data.draw(any_node)))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    block = bytes(damaged)
    try:
        node = dag_cbor.decode(block)
    except MalformedBlock:
        with pytest.raises(MalformedBlock):
            dag_cbor.links(block)
        assert b"\xd8\x2a" in block or not _is_canonical(block), "libipld takes it for canonical"
        return
    assert dag_cbor.encode(node) == block
    assert MINUS_ZERO in block or plain(node) == libipld.decode_dag_cbor(block)
    assert list(dag_cbor.links(block)) == find_cids(node)


def _is_canonical(block: bytes) -> bool:
    try:
        return libipld.encode_dag_cbor(libipld.decode_dag_cbor(block)) == block
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("node", "written"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (256, "190100"),
        ((1 << 64) - 1, "1bffffffffffffffff"),
        (-1, "20"),
        (-25, "3818"),
        (-(1 << 64), "3bffffffffffffffff"),
        (1.0, "fb3ff0000000000000"),
        (-0.0, "fb8000000000000000"),
        (None, "f6"),
        ([], "80"),
        ({}, "a0"),
        ("ü", "62c3bc"),
        (b"\x01", "4101"),
        ({"bb": 1, "c": 2, "a": 3}, "a3616103616302626262" + "01"),
        (Cid.parse("bafkqaaa"), "d82a450001550000"),
    ],
)
def test_encodings_of_the_specification(node: Node, written: str) -> None:
    assert dag_cbor.encode(node).hex() == written
    assert dag_cbor.decode(bytes.fromhex(written)) == node


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "ends early"),
        ("1801", "shortest"),
        ("1b00000000ffffffff", "shortest"),
        ("580100", "shortest"),
        ("d9002a450001550000", "shortest"),
        ("f90000", "no kind"),
        ("fa00000000", "no kind"),
        ("fb7ff8000000000000", "finite"),
        ("fbfff0000000000000", "finite"),
        ("f7", "no kind"),
        ("e0", "no kind"),
        ("ff", "no kind"),
        ("1c", "not told"),
        ("9fff", "not told"),
        ("5f4100ff", "not told"),
        ("a2616201616101", "not in order"),
        ("a26261610161620" + "1", "not in order"),
        ("a2616101616101", "come twice"),
        ("a10101", "no text"),
        ("6180", "UTF-8"),
        ("63eda080", "UTF-8"),
        ("c101", "no link"),
        ("d82a00", "no link"),
        ("d82a4101", "no CID"),
        ("d82a40", "no CID"),
        ("d82a4400015500", "not a CID|malformed"),
        ("8080", "behind"),
        ("8101" + "00", "behind"),
        ("6261", "ends early"),
        ("82" + "01", "ends early"),
    ],
)
def test_other_encodings_are_refused(data: str, reason: str) -> None:
    for read in (dag_cbor.decode, dag_cbor.links):
        with pytest.raises(MalformedBlock, match=reason):
            read(bytes.fromhex(data))


@pytest.mark.parametrize(
    "node",
    [
        1 << 64,
        -(1 << 64) - 1,
        math.nan,
        math.inf,
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        (1, 2),
        {1, 2},
        [[object()]],
    ],
)
def test_what_no_node_can_be_is_refused(node: object) -> None:
    with pytest.raises(MalformedBlock):
        dag_cbor.encode(node)  # type: ignore[arg-type]


def test_depth_is_bounded_and_not_by_the_interpreter() -> None:
    deepest = nested(MAX_DEPTH)
    assert dag_cbor.encode(dag_cbor.decode(deepest)) == deepest
    for depth in (MAX_DEPTH + 1, 100_000):
        for read in (dag_cbor.decode, dag_cbor.links):
            with pytest.raises(MalformedBlock, match="deep"):
                read(nested(depth))
    endless: list[Node] = []
    endless.append(endless)
    with pytest.raises(MalformedBlock, match="deep"):
        dag_cbor.encode(endless)


@pytest.mark.parametrize("head", ["9b", "bb", "5b", "7b"])
@pytest.mark.parametrize("length", [1 << 63, (1 << 64) - 1, 1 << 32])
def test_lengths_that_lie_allocate_nothing(head: str, length: int) -> None:
    data = bytes.fromhex(head) + length.to_bytes(8, "big") + bytes(100)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedBlock, match="ends early"):
            dag_cbor.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_as_many_links_as_a_block_holds_are_found() -> None:
    link = Cid.parse("bafkqaaa")
    count = (2 << 20) // 8 - 1
    data = b"\x9a" + count.to_bytes(4, "big") + dag_cbor.encode(link) * count
    assert dag_cbor.links(data) == (link,) * count
