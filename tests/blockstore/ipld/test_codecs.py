"""From one codec to another."""

from __future__ import annotations

import pytest

from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock, UnsupportedCodec
from peershelf.blockstore.ipld import codecs

CID = Cid.parse("bafkqaaa")


def test_a_dag_pb_node_is_a_map_with_null_for_what_it_leaves_out() -> None:
    node = pb.PbNode(None, (pb.Link(CID, None), pb.Link(CID, b"b", 7)))
    read = codecs.decode(DAG_PB, pb.encode(node))
    assert read == {
        "Data": None,
        "Links": [{"Hash": CID, "Name": None, "Tsize": None}, {"Hash": CID, "Name": "b", "Tsize": 7}],
    }
    assert codecs.encode(DAG_PB, read) == pb.encode(node)


def test_links_of_dag_pb_are_written_in_the_order_of_their_names() -> None:
    links = [{"Hash": CID, "Name": name} for name in ("b", "ab", "é", "a")]
    written = pb.decode(codecs.encode(DAG_PB, {"Links": links}))
    assert [link.name for link in written.links] == [b"a", b"ab", b"b", "é".encode()]


def test_names_that_are_no_text_survive_where_the_codec_stays() -> None:
    data = pb.encode(pb.PbNode(b"x", (pb.Link(CID, b"\xff"), pb.Link(CID, b"\xfe"))))
    assert [link.name for link in pb.decode(codecs.transcode(data, DAG_PB, DAG_PB)).links] == [
        b"\xfe",
        b"\xff",
    ]


@pytest.mark.parametrize(
    "node",
    [
        None,
        [],
        {},
        {"Data": b""},
        {"Links": None},
        {"Links": [], "x": 1},
        {"Links": [1]},
        {"Links": [{}]},
        {"Links": [{"Hash": "bafkqaaa"}]},
        {"Links": [{"Hash": CID, "Tsize": -1}]},
        {"Links": [{"Hash": CID, "Tsize": 1 << 64}]},
        {"Links": [{"Hash": CID, "Tsize": True}]},
        {"Links": [{"Hash": CID, "Name": b"x"}]},
        {"Links": [{"Hash": CID, "Name": "\ud800"}]},
        {"Links": [{"Hash": CID, "x": 1}]},
        {"Links": [], "Data": "text"},
    ],
)
def test_what_is_no_dag_pb_node_is_refused(node: object) -> None:
    with pytest.raises(MalformedBlock, match="dag-pb"):
        codecs.encode(DAG_PB, node)  # type: ignore[arg-type]


def test_raw_blocks_are_bytes_and_nothing_else() -> None:
    assert codecs.transcode(b"abc", RAW, DAG_JSON) == b'{"/":{"bytes":"YWJj"}}'
    assert codecs.transcode(b'{"/":{"bytes":"YWJj"}}', DAG_JSON, RAW) == b"abc"
    with pytest.raises(MalformedBlock):
        codecs.encode(RAW, "abc")


def test_what_goes_into_dag_cbor_as_dag_cbor_must_be_canonical() -> None:
    with pytest.raises(MalformedBlock, match="shortest"):
        codecs.transcode(b"\x18\x01", DAG_CBOR, DAG_CBOR)


def test_other_codecs_are_named() -> None:
    for work in (lambda: codecs.decode(0x78, b""), lambda: codecs.encode(0x78, None)):
        with pytest.raises(UnsupportedCodec, match="git-raw"):
            work()
