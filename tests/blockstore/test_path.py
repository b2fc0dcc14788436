from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid, InvalidPath
from peershelf.blockstore.path import name_bytes, parse_reference

HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
HELLO_V0 = "QmRN6wdp1S2A5EtjW9A3M1vKSBuQQGcgvuhoMUoEz4iiT5"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (HELLO, ()),
        (HELLO + "/", ()),
        (HELLO + "/a/b c/ü", ("a", "b c", "ü")),
        ("/ipfs/" + HELLO, ()),
        ("/ipfs/" + HELLO + "//a//", ("a",)),
        ("/ipfs/" + HELLO + "/100%25", ("100%25",)),
        ("ipfs://" + HELLO + "/b%20c/%C3%BC", ("b c", "ü")),
        ("ipfs://" + HELLO + "/a?filename=x#top", ("a",)),
        ("ipfs://" + HELLO + "?filename=x", ()),
    ],
)
def test_every_way_to_write_a_reference(text: str, names: tuple[str, ...]) -> None:
    assert parse_reference(text) == (Cid.parse(HELLO), names)


def test_any_cid_may_begin_a_path() -> None:
    assert parse_reference(f"/ipfs/{HELLO_V0}/x") == (Cid.parse(HELLO_V0), ("x",))


def test_bytes_that_are_not_utf8_come_through_from_arguments_and_urls() -> None:
    argument = HELLO + b"/\xff".decode("utf-8", "surrogateescape")
    for text in (argument, f"ipfs://{HELLO}/%FF"):
        assert [name_bytes(name) for name in parse_reference(text)[1]] == [b"\xff"]


@pytest.mark.parametrize(
    "text", ["", "/", "/ipfs/", "ipfs://", HELLO + "/..", HELLO + "/./a", HELLO + "/\ud800"]
)
def test_what_is_no_path_says_what_is(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_reference(text)


@pytest.mark.parametrize("text", ["hello", "/ipns/" + HELLO, "ipfs://hello/x", "hello/" + HELLO])
def test_a_path_must_begin_with_a_cid(text: str) -> None:
    with pytest.raises((InvalidCid, InvalidPath)):
        parse_reference(text)


@given(
    st.text(max_size=60), st.sampled_from(["", HELLO, "/ipfs/", "/ipfs/" + HELLO + "/", "ipfs://" + HELLO])
)
def test_arbitrary_text_is_a_reference_or_a_named_error(text: str, prefix: str) -> None:
    try:
        _, names = parse_reference(prefix + text)
    except (InvalidPath, InvalidCid):
        return
    assert all(names)
    assert all(isinstance(name_bytes(name), bytes) for name in names)
