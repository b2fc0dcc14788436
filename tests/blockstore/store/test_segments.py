"""Segment files: names, and reading from many of them with few open."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from peershelf.blockstore.errors import StoreError
from peershelf.blockstore.store.pack.segments import Segment, SegmentFiles, list_segments

MARK = bytes.fromhex("5f1d3c0a9be27746")


def test_a_name_holds_number_and_mark() -> None:
    assert Segment(7, MARK).file_name == "00000007-5f1d3c0a9be27746.seg"


def test_every_new_segment_draws_its_own_mark() -> None:
    assert len({Segment.new(1).mark for _ in range(100)}) == 100


def test_segments_are_listed_in_order_and_other_files_left_alone(tmp_path: Path) -> None:
    for number in (10, 2, 100_000_000):
        (tmp_path / Segment(number, MARK).file_name).write_bytes(bytes(number % 97))
    for name in (
        "lock",
        "notes.txt",
        "1-5f1d3c0a9be27746.seg",
        "00000003-5F1D3C0A9BE27746.seg",
        "00000004.seg",
    ):
        (tmp_path / name).touch()
    found = list_segments(tmp_path)
    assert [(segment.number, size) for segment, size in found] == [
        (2, 2),
        (10, 10),
        (100_000_000, 100_000_000 % 97),
    ]


def test_two_segments_of_one_number_are_named(tmp_path: Path) -> None:
    for mark in (MARK, bytes(8)):
        (tmp_path / Segment(1, mark).file_name).touch()
    with pytest.raises(StoreError, match=r"00000001-[0-9a-f]{16}\.seg and 00000001-[0-9a-f]{16}\.seg"):
        list_segments(tmp_path)


def test_reading_from_more_segments_than_may_be_open(tmp_path: Path) -> None:
    segments = [Segment(number, MARK) for number in range(1, 301)]
    for segment in segments:
        (tmp_path / segment.file_name).write_bytes(segment.number.to_bytes(4))
    files = SegmentFiles(tmp_path, segments)
    process = psutil.Process()
    open_before = process.num_fds()
    for _ in range(2):
        for segment in segments:
            assert files.read(segment.number, 0, 4) == segment.number.to_bytes(4)
    assert process.num_fds() - open_before < 150
    files.close()
    assert process.num_fds() == open_before


def test_an_unknown_segment_is_a_missing_file(tmp_path: Path) -> None:
    files = SegmentFiles(tmp_path)
    with pytest.raises(FileNotFoundError):
        files.read(1, 0, 4)
    files.close()
