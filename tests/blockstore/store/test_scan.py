"""Scanning a segment: every whole record is found, whatever is around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peershelf.blockstore.store.pack.records import Kind, encode_head
from peershelf.blockstore.store.pack.scan import Gap, ScannedRecord, scan

MARK = b"\x5f\x1d\x3c\x0a\x9b\xe2\x77\x46"
Scan = Callable[[bytes], list[ScannedRecord | Gap]]


def record(key: bytes, payload: bytes, kind: Kind = Kind.BLOCK, mark: bytes = MARK) -> bytes:
    return encode_head(mark, kind, key, payload) + payload


@pytest.fixture
def scan_bytes(tmp_path: Path) -> Iterator[Scan]:
    descriptor = os.open(tmp_path / "segment", os.O_RDWR | os.O_CREAT)

    def run(data: bytes) -> list[ScannedRecord | Gap]:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, data, 0)
        return list(scan(descriptor, MARK, 0, len(data)))

    yield run
    os.close(descriptor)


def keys(items: list[ScannedRecord | Gap]) -> list[bytes]:
    return [item.key for item in items if isinstance(item, ScannedRecord)]


def test_records_in_order_with_the_places_of_their_payloads(scan_bytes: Scan) -> None:
    data = record(b"a", b"first") + record(b"b", b"", Kind.TOMBSTONE) + record(b"c", b"third")
    items = scan_bytes(data)
    assert keys(items) == [b"a", b"b", b"c"]
    first, tombstone, third = items
    assert isinstance(first, ScannedRecord)
    assert isinstance(third, ScannedRecord)
    assert isinstance(tombstone, ScannedRecord)
    assert data[first.offset : first.offset + first.length] == b"first"
    assert data[third.offset : third.offset + third.length] == b"third"
    assert tombstone.kind is Kind.TOMBSTONE


def test_an_empty_segment_has_nothing(scan_bytes: Scan) -> None:
    assert scan_bytes(b"") == []


def test_a_damaged_payload_is_passed_over_exactly(scan_bytes: Scan) -> None:
    before, broken, behind = record(b"a", b"x" * 50), bytearray(record(b"b", b"y" * 50)), record(b"c", b"z")
    broken[-1] ^= 1
    items = scan_bytes(before + broken + behind)
    assert keys(items) == [b"a", b"c"]
    assert items[1] == Gap(len(before), len(before) + len(broken))


def test_what_lies_in_a_damaged_payload_is_not_taken_for_a_record(scan_bytes: Scan) -> None:
    broken = bytearray(record(b"b", b"!" + record(b"hidden", b"inside")))
    broken[len(record(b"b", b""))] ^= 1
    assert keys(scan_bytes(record(b"a", b"") + broken + record(b"c", b""))) == [b"a", b"c"]


def test_behind_a_damaged_head_the_next_mark_is_searched(scan_bytes: Scan) -> None:
    broken = bytearray(record(b"b", MARK * 20))
    broken[9] ^= 0xFF
    assert keys(scan_bytes(record(b"a", b"") + broken + record(b"c", b"z"))) == [b"a", b"c"]


def test_strangers_cannot_plant_records_in_their_blocks(scan_bytes: Scan) -> None:
    planted = record(b"victim", b"", Kind.TOMBSTONE, mark=bytes(8))
    broken = bytearray(record(b"b", planted * 10))
    broken[0] ^= 1
    assert keys(scan_bytes(record(b"victim", b"kept") + broken + record(b"c", b"z"))) == [b"victim", b"c"]


def test_a_mark_is_found_across_the_border_of_two_reads(scan_bytes: Scan) -> None:
    border = 4 * 1024 * 1024
    for shift in range(-9, 3):
        rubbish = bytes(border + shift)
        assert scan_bytes(rubbish + record(b"a", b"z"))[0] == Gap(0, len(rubbish))


def test_a_gap_at_the_end_is_one_gap(scan_bytes: Scan) -> None:
    sound = record(b"a", b"payload")
    torn = record(b"b", b"payload")[:-1]
    assert scan_bytes(sound + torn + MARK + b"rubbish")[1:] == [Gap(len(sound), len(sound + torn + MARK) + 7)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.binary(max_size=60), min_size=1, max_size=8),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4),
    st.floats(0, 1),
)
def test_exactly_the_records_without_damage_are_found(
    scan_bytes: Scan, payloads: list[bytes], flips: list[tuple[float, int]], cut: float
) -> None:
    """Bytes are changed and the end is cut: what is whole comes out, and tiles the file with the gaps."""
    records = [record(b"key%d" % number, payload) for number, payload in enumerate(payloads)]
    whole = b"".join(records)
    data = bytearray(whole)
    for place, mask in flips:
        data[int(place * len(data))] ^= mask
    del data[int(cut * len(data)) :]

    items = scan_bytes(bytes(data))

    expected, offset = [], 0
    for number, encoded in enumerate(records):
        if data[offset : offset + len(encoded)] == encoded:
            expected.append(b"key%d" % number)
        offset += len(encoded)
    assert keys(items) == expected
    covered = 0
    for item in items:
        if isinstance(item, Gap):
            assert item.offset == covered
            covered = item.end
        else:
            covered = item.offset + item.length
    assert covered == len(data)
