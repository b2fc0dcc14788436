"""Which line of a file named a key last: 39 bytes for each SHA2-256, where a dict would take 150.

Keys lie in sorted tables, one for each last byte that they have: so no step of sorting half a million of them
keeps the interpreter from other threads for long.
"""

from __future__ import annotations

from bisect import bisect_right

_MARK_SIZE = 5


class LineIndex:
    """Fill it with add(), then seal() it, then ask last(). Marks are numbers, larger for later lines."""

    def __init__(self) -> None:
        self._added: dict[tuple[int, int], bytearray] = {}
        self._tables: dict[tuple[int, int], bytes] = {}

    def add(self, key: bytes, mark: int) -> None:
        """Note that a line names a key, which is not empty."""
        rows = self._added.setdefault((len(key), key[-1]), bytearray())
        rows.extend(key + mark.to_bytes(_MARK_SIZE))

    def seal(self) -> None:
        """Sort what was added."""
        while self._added:
            (size, last_byte), table = self._added.popitem()
            width = size + _MARK_SIZE
            rows = sorted(bytes(table[at : at + width]) for at in range(0, len(table), width))
            self._tables[size, last_byte] = b"".join(rows)

    def last(self, key: bytes) -> int:
        """Return the largest mark of a key, 0 if it has none."""
        table = self._tables.get((len(key), key[-1]))
        if table is None:
            return 0
        width = len(key) + _MARK_SIZE
        # One more than the last row that begins with the key.
        row = bisect_right(
            range(len(table) // width),
            key + b"\xff" * _MARK_SIZE,
            key=lambda row: table[row * width : row * width + width],
        )
        found = table[(row - 1) * width : row * width] if row else b""
        return int.from_bytes(found[-_MARK_SIZE:]) if found.startswith(key) else 0
