"""Records that are held back come out as they went in, from memory or from a file."""

from __future__ import annotations

import pytest

from peershelf.node.operations import held
from peershelf.node.operations.held import HeldRecords

RECORDS = [{"Name": f"file-{number}", "Size": str(number)} for number in range(100)]


@pytest.mark.parametrize("in_memory", [held._IN_MEMORY, 1000, 0])
def test_they_come_out_in_their_order(monkeypatch: pytest.MonkeyPatch, in_memory: int) -> None:
    monkeypatch.setattr(held, "_IN_MEMORY", in_memory)
    with HeldRecords() as records:
        for record in RECORDS:
            records.add(record)
        assert list(records) == RECORDS


def test_no_space_for_a_file_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "_IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "wb", buffering=0))  # noqa: PTH123, SIM115
    with HeldRecords() as records, pytest.raises(OSError, match="No space left"):
        for record in RECORDS:
            records.add(record)
