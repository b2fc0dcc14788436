"""Records that are held back until what they tell of is safe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from peershelf.node.operations.base import Record

_IN_MEMORY = 16 << 20


class HeldRecords:
    """Records in their order, in memory up to 16 MiB and in an unnamed file beyond. Methods may block."""

    def __init__(self) -> None:
        self._lines = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115

    def add(self, record: Record) -> None:
        """Append a record. Raises OSError if there is no space for the file."""
        self._lines.write(json.dumps(record).encode() + b"\n")

    def __iter__(self) -> Iterator[Record]:
        self._lines.seek(0)
        return map(json.loads, self._lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
