"""Records that are held back until what they tell of is safe."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from peershelf.node.operations.request import Record

_IN_MEMORY = 16 << 20


class HeldRecords:
    """Records in their order, in memory up to 16 MiB and in an unnamed file beyond. Methods may block."""

    def __init__(self) -> None:
        self._lines: IO[bytes] = io.BytesIO()

    def add(self, record: Record) -> None:
        """Append a record. Raises OSError if there is no space for the file."""
        self._lines.write(json.dumps(record).encode() + b"\n")
        if isinstance(self._lines, io.BytesIO) and self._lines.tell() > _IN_MEMORY:
            self._move_to_file(self._lines)

    def __iter__(self) -> Iterator[Record]:
        self._lines.seek(0)
        return map(json.loads, self._lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def _move_to_file(self, lines: io.BytesIO) -> None:
        from tempfile import TemporaryFile  # 4 ms, which few records have a use for

        self._lines = TemporaryFile()  # noqa: SIM115
        with lines:
            self._lines.write(lines.getbuffer())
