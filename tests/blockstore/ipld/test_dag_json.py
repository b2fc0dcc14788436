"""dag-json: any JSON is read, one form is written."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.ipld import dag_cbor, dag_json
from peershelf.blockstore.ipld.model import MAX_DEPTH, Node

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(max_size=4).filter(lambda key: key != "/"), inner)
    ),
    max_leaves=20,
)
INLINE = Cid.parse("bafkqaaa")


def is_kept(node: Node) -> bool:
    """Whether dag-json can hold it, and give it back: -0.0 is written as an integer, which has no sign."""
    try:
        dag_json.encode(node)
    except MalformedBlock:
        return False
    return b"\xfb\x80\0\0\0\0\0\0\0" not in dag_cbor.encode(node)


def whole_floats_as_ints(node: Node) -> Node:
    """As they come back, since Kubo writes both alike."""
    if isinstance(node, float) and node.is_integer() and abs(node) < 1e21:
        return int(Decimal(repr(node)))
    if isinstance(node, dict):
        return {key: whole_floats_as_ints(item) for key, item in node.items()}
    return [whole_floats_as_ints(item) for item in node] if isinstance(node, list) else node


@given(data=st.data())
def test_what_is_written_is_json_and_reads_the_same(any_node, find_cids, data) -> None:
    node = data.draw(any_node.filter(is_kept))
    written = dag_json.encode(node)
    json.loads(written)
    try:
        read = dag_json.decode(written)
    except MalformedBlock as error:
        assert "64 bits" in str(error)  # noqa: PT017 - a whole float of more digits
        return
    assert read == whole_floats_as_ints(node)
    assert dag_json.encode(read) == written
    assert list(dag_json.links(written)) == find_cids(read)


@given(value=JSON, indent=st.none() | st.integers(0, 3), ascii_only=st.booleans())
def test_it_reads_what_pythons_json_writes(value: Node, indent: int | None, ascii_only: bool) -> None:
    assert dag_json.decode(json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()) == value


@given(st.text(alphabet='[]{},:" /\\-+.eE019tfnrulasbyk\n\x00é', max_size=40))
def test_nothing_but_malformed_is_raised_and_json_agrees(text: str) -> None:
    try:
        node = dag_json.decode(text.encode())
    except MalformedBlock:
        return
    json.loads(text)
    assert dag_json.links(text.encode()) is not None
    assert not isinstance(node, tuple)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ('{"/": "bafkqaaa"}', INLINE),
        ('{"/": {"bytes": "AQ"}}', b"\x01"),
        ('{"/": {"bytes": "AQ=="}}', b"\x01"),
        ('{"/": {"bytes": ""}}', b""),
        ('{"/": 1}', {"/": 1}),
        ('{"/": "bafkqaaa", "x": 1}', {"/": "bafkqaaa", "x": 1}),
        ('{"/": {"bytes": "AQ", "x": 1}}', {"/": {"bytes": "AQ", "x": 1}}),
        ('{"/": {"bytes": 1}}', {"/": {"bytes": 1}}),
        ('{"/": {"/": "bafkqaaa"}}', {"/": INLINE}),
        (' [ 1 , 2.0 , -0 , 1E2 , "\\u00fc\\ud83d\\ude00" ] ', [1, 2.0, 0, 100.0, "ü😀"]),
        ("[[], {}]", [[], {}]),
    ],
)
def test_links_and_bytes_are_maps_of_a_slash(text: str, node: Node) -> None:
    read = dag_json.decode(text.encode())
    assert read == node
    assert type(read) is type(node)


@pytest.mark.parametrize(
    ("node", "written"),
    [
        ({"b": 1, "aa": 2, "é": 3, "": 4}, '{"":4,"aa":2,"b":1,"é":3}'),
        (
            [1.5, 2.0, -0.0, 1e21, 1e-7, 0.000001, 5e-324, 1e100],
            "[1.5,2,-0,1e+21,1e-7,0.000001,5e-324,1e+100]",
        ),
        ('<>&\x7f\u2028\u2029\x08\n"\\', '"<>&\x7f\\u2028\\u2029\\u0008\\n\\"\\\\"'),
        ({"/": {"x": b"\x01\x02\x03"}}, '{"/":{"x":{"/":{"bytes":"AQID"}}}}'),
    ],
)
def test_it_is_written_as_kubo_writes_it(node: Node, written: str) -> None:
    assert dag_json.encode(node).decode() == written


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "ends early"),
        ("  ", "ends early"),
        ("[1", "ends early"),
        ("[1,]", "unexpected"),
        ("{,}", "unexpected"),
        ('{"a"}', "unexpected"),
        ('{"a":1,}', "unexpected"),
        ("{1:2}", "unexpected"),
        ("[1}", "unexpected"),
        ("01", "behind"),
        ("1 2", "behind"),
        ("nul", "unexpected"),
        ("NaN", "unexpected"),
        ("-Infinity", "unexpected"),
        ("1e999", "finite"),
        ("18446744073709551616", "64 bits"),
        ("9" * 100_000, "64 bits"),
        ('{"a":1,"b":2,"a":3}', "twice"),
        ('{"/": "bafkqaa"}', "CID"),
        ('{"/": {"bytes": "A"}}', "base64"),
        ('{"/": {"bytes": "-_"}}', "base64"),
        ('"\\ud800"', "surrogate"),
        ('{"\\udfff": 1}', "surrogate"),
        ('"a\nb"', "control"),
        ('"open', "Unterminated"),
        ("\ufeff1", "unexpected"),
    ],
)
def test_what_is_no_node_is_refused(text: str, reason: str) -> None:
    for read in (dag_json.decode, dag_json.links):
        with pytest.raises(MalformedBlock, match=reason):
            read(text.encode())


def test_bytes_that_are_no_utf8_are_refused() -> None:
    with pytest.raises(MalformedBlock, match="UTF-8"):
        dag_json.decode(b'"\xff"')


@pytest.mark.parametrize(
    "node", [{"/": "text"}, {"/": {"bytes": "AQ"}}, math.nan, 1 << 64, "\ud800", {"\ud800": 1}, {1: 1}, (1,)]
)
def test_what_would_read_as_something_else_is_not_written(node: object) -> None:
    with pytest.raises(MalformedBlock):
        dag_json.encode(node)  # type: ignore[arg-type]


def test_depth_is_bounded_and_not_by_the_interpreter() -> None:
    deepest = dag_cbor.decode(b"\x81" * (MAX_DEPTH - 1) + b"\x81\x41\x01")
    assert dag_json.decode(dag_json.encode(deepest)) is not None
    for opener in ("[", '{"a":', '{"/":'):
        with pytest.raises(MalformedBlock, match="deep"):
            dag_json.decode((opener * 100_000).encode())
    too_deep: Node = []
    for _ in range(MAX_DEPTH):
        too_deep = [too_deep]
    with pytest.raises(MalformedBlock, match="deep"):
        dag_json.encode(too_deep)
