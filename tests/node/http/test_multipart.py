"""The multipart parser: whatever pieces a body arrives in, it says the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from peershelf.node.errors import UsageError
from peershelf.node.http.multipart import (
    End,
    MultipartParser,
    NeedData,
    PartBegin,
    PartData,
    PartEnd,
)

BOUNDARY = b"edge"

HEADER = b'Content-Disposition: form-data; name="file"; filename="x"\r\n'

Parts = list[tuple[str, bytes]]


def parse(pieces: Iterable[bytes]) -> Parts | str:
    """Names and contents; or the complaint."""
    parser = MultipartParser(BOUNDARY)
    found: list[tuple[str, bytearray]] = []
    ended: list[str] = []
    try:
        for piece in pieces:
            parser.receive(piece)
            while not isinstance(event := parser.next_event(), NeedData | End):
                match event:
                    case PartBegin(header):
                        found.append((header.name, bytearray()))
                    case PartData(data):
                        assert data
                        found[-1][1].extend(data)
                    case PartEnd():
                        ended.append(found[-1][0])
        parser.finish()
    except UsageError as error:
        return str(error)
    assert ended == [name for name, _ in found]
    return [(name, bytes(content)) for name, content in found]


def body(*contents: bytes) -> bytes:
    parts = b"".join(b"--edge\r\n" + HEADER + b"\r\n" + content + b"\r\n" for content in contents)
    return parts + b"--edge--\r\n"


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


TRICKY = [b"\r", b"\n", b"\r\n", b"-", b"--", b"--edge", b"\r\n--edge", b"edge--", b" ", b"x", b"\r\n--edgy"]
CONTENTS = st.lists(st.sampled_from(TRICKY) | st.binary(max_size=8), max_size=12).map(b"".join)
CUTS = st.lists(st.integers(0, 400), max_size=12)


@given(st.lists(CONTENTS, max_size=4), CUTS)
def test_contents_come_out_as_they_went_in_however_the_body_is_split(
    contents: list[bytes], cuts: list[int]
) -> None:
    assume(not any(re.search(rb"\r\n--edge(--|[ \t\r])", content + b"\r\n") for content in contents))
    assert parse(split(body(*contents), cuts)) == [("x", content) for content in contents]


FRAGMENTS = [
    *TRICKY,
    HEADER,
    b"--edge\r\n" + HEADER + b"\r\n",
    b"--edge--\r\n",
    b"a: b\r\n",
    b"\r\n\r\n",
    b"\0",
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=6), max_size=14).map(b"".join), CUTS)
def test_any_bytes_mean_the_same_however_they_are_split(data: bytes, cuts: list[int]) -> None:
    whole = parse([data])
    assert parse(split(data, cuts)) == whole
    assert parse(data[i : i + 1] for i in range(len(data))) == whole


def test_a_chunk_inside_a_part_is_passed_on_without_a_copy() -> None:
    parser = MultipartParser(BOUNDARY)
    parser.receive(b"--edge\r\n" + HEADER + b"\r\n")
    assert isinstance(parser.next_event(), PartBegin)
    for _ in range(3):
        chunk = bytes(1 << 20)
        parser.receive(chunk)
        event = parser.next_event()
        assert isinstance(event, PartData)
        assert event.data is chunk
        assert isinstance(parser.next_event(), NeedData)


def test_only_what_may_begin_a_delimiter_is_held_back() -> None:
    parser = MultipartParser(BOUNDARY)
    parser.receive(b"--edge\r\n" + HEADER + b"\r\n" + b"abc\r\n--ed")
    parser.next_event()
    assert parser.next_event() == PartData(b"abc")
    assert parser.next_event() == NeedData()
    parser.receive(b"it")
    assert parser.next_event() == PartData(b"\r\n--edit")


def test_a_preamble_an_epilogue_and_padding_are_passed_over() -> None:
    data = (
        b"for old mail readers\r\n--edge \t \r\n" + HEADER + b"\r\nhello\r\n--edge--and so on\r\n--edge\r\n"
    )
    assert parse([data]) == [("x", b"hello")]


def test_a_body_of_no_parts_is_no_parts() -> None:
    assert parse([b"--edge--"]) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"--edge\r\n",
        b"--edge\r\n" + HEADER,
        b"--edge\r\n" + HEADER + b"\r\nhello",
        b"--edge\r\n" + HEADER + b"\r\nhello\r\n--edge",
        b"--edge\r\n" + HEADER + b"\r\nhello\r\n--edge-",
        b"--other--\r\n",
    ],
)
def test_a_body_that_ends_early_is_an_error(data: bytes) -> None:
    assert parse([data]) == "the upload ended in the middle; send it again"


@pytest.mark.parametrize("padding", [b" x\r\n", b"\rx", b" " * 100 + b"\r\n", b"\t" * 1000])
def test_a_delimiter_followed_by_something_else_is_an_error(padding: bytes) -> None:
    assert parse([b"--edge" + padding + HEADER]) == "the upload has a malformed multipart delimiter"


@pytest.mark.parametrize("step", [1 << 10, 1 << 20])
def test_header_lines_without_end_are_an_error_as_soon_as_they_exceed_the_limit(step: int) -> None:
    parser = MultipartParser(BOUNDARY, max_header_size=1 << 14)
    parser.receive(b"--edge\r\n")
    with pytest.raises(UsageError, match="a part header of more than 16384 bytes"):
        for _ in range((1 << 14) // step + 2):
            parser.receive(b"x" * step)
            assert parser.next_event() == NeedData()


def test_a_header_of_the_greatest_size_is_read() -> None:
    filler = b"X: " + b"x" * ((1 << 14) - len(HEADER) - 5)
    data = b"--edge\r\n" + HEADER + filler + b"\r\n\r\nhello\r\n--edge--"
    assert parse([data]) == [("x", b"hello")]
