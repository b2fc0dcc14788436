"""Which keys are certainly in no row of the index, known without asking it.

A put must find out whether its blocks are there. Most are not, and in a large index each such search ends
at a page that has to be fetched first. So a bit is set for each key that has a row, at a place that the key's
CRC-32 names: where it is not set there is no row, where it is, the index is asked. That takes 1 to 4 bytes
for each row, 128 KiB at least and 16 MiB at most; up to 16 million rows, one new key in eight is asked for in
vain, or fewer.

The bits are kept in a file beside a closed index that is not small. It is believed only if it fits the
index's seal; else they are set again by reading the index's keys, some with each put, and until then every
key is a candidate. Only puts ask: a block that is wrongly said not to be there would just be stored twice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from zlib_ng.zlib_ng import crc32

_SAVED_FROM = 16_384
"""Keys. Reading those of a smaller index takes less than having another file."""

_LEARNT_FOR_ONE = 16
_SMALLEST_BITS = 1 << 20
_LARGEST_BITS = 1 << 27
_BITS_A_KEY = 16
_LEAST_BITS_A_KEY = 8

# The seal that the file belongs to, the places' CRC-32, how many keys they have, and up to which key the rows
# have been read, empty if they all have.
_HEADER = struct.Struct("<9sIQ256p")


class KeyFilter:
    """The places, and how many keys have been entered. Their number is a power of two."""

    def __init__(self, places: bytearray, entered: int = 0) -> None:
        self.places = places
        self.entered = entered
        self._mask = len(places) * 8 - 1

    @classmethod
    def sized(cls, rows: int) -> Self:
        """Make one without keys that takes `rows` of them, and as many again, before it is full."""
        bits = 1 << (rows * _BITS_A_KEY).bit_length()
        return cls(bytearray(min(max(bits, _SMALLEST_BITS), _LARGEST_BITS) // 8))

    @property
    def is_full(self) -> bool:
        """Whether a larger one would be of more use."""
        bits = len(self.places) * 8
        return self.entered * _LEAST_BITS_A_KEY > bits and bits < _LARGEST_BITS

    def enter(self, keys: Sequence[bytes]) -> None:
        """Set the bits of keys."""
        places, mask = self.places, self._mask
        for key in keys:
            bit = crc32(key) & mask
            places[bit >> 3] |= 1 << (bit & 7)
        self.entered += len(keys)

    def candidates(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that may have been entered."""
        places, mask = self.places, self._mask
        return [key for key in keys if places[(bit := crc32(key) & mask) >> 3] >> (bit & 7) & 1]


class KnownKeys:
    """The filter of one open index; for one thread at a time, which is the one that writes.

    `seal` is that of the index as it was opened, empty if it has none. `page` returns the next keys that have
    rows behind a key, in order, at most so many; `count` how many there are. Both raise StoreError.
    """

    def __init__(
        self, path: Path, seal: bytes, page: Callable[[bytes, int], list[bytes]], count: Callable[[], int]
    ) -> None:
        self._path = path
        self._seal = seal
        self._page = page
        self._count = count
        self._filter: KeyFilter | None = None
        self._next: KeyFilter | None = None
        self._learnt = b""
        """Where in the order of keys the learning of `_next` has come to."""
        self._saved: tuple[KeyFilter, bytes] | None = None
        self._is_loaded = False

    def enter(self, keys: Iterable[bytes]) -> None:
        """Note keys that get rows. Raises StoreError."""
        self._load()
        entered = list(keys)
        for one in (self._filter, self._next):
            if one is not None:
                one.enter(entered)

    def candidates(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that may have rows; the others have none. Raises StoreError."""
        asked = list(keys)
        if not asked:
            return []
        self._load()
        if self._next is not None:
            self._learn(self._next, len(asked) * _LEARNT_FOR_ONE)
        elif self._filter is not None and self._filter.is_full:
            self._next, self._learnt = KeyFilter.sized(self._count()), b""
        return asked if self._filter is None else self._filter.candidates(asked)

    def save(self, seal: bytes) -> None:
        """Keep what is known for when the index, which is closed now, is opened with this seal again."""
        known, learnt = (self._filter, b"") if self._filter is not None else (self._next, self._learnt)
        is_saved = seal == self._seal and self._saved == (known, learnt)
        if not seal or known is None or is_saved or not self._is_worth_a_file(known):
            return
        try:
            self._path.touch(0o600)
            with self._path.open("wb") as file:
                file.write(_HEADER.pack(seal, crc32(known.places), known.entered, learnt))
                file.write(known.places)
        except OSError:
            # Without it the next puts only take longer, so a full disk is no reason to fail.
            with suppress(OSError):
                self._path.unlink()

    def _is_worth_a_file(self, known: KeyFilter) -> bool:
        """Whether learning it again would take longer than the file does."""
        if known is self._filter:
            return known.entered >= _SAVED_FROM
        # Half-learnt ones of a large index only; and what was never begun must not look like done.
        return bool(self._learnt) and len(known.places) * 8 > _SMALLEST_BITS

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._saved = _read(self._path, self._seal) if self._seal else None
        if self._saved is None:
            self._next = KeyFilter.sized(self._count())
        elif self._saved[1]:
            self._next, self._learnt = self._saved
        else:
            self._filter = self._saved[0]
        self._is_loaded = True

    def _learn(self, learning: KeyFilter, limit: int) -> None:
        """Enter more of the keys that have rows; after the last of them there is a filter to go by."""
        keys = self._page(self._learnt, limit)
        learning.enter(keys)
        if len(keys) < limit:
            self._filter, self._next = learning, None
        else:
            self._learnt = keys[-1]


def _read(path: Path, seal: bytes) -> tuple[KeyFilter, bytes] | None:
    """Read a filter that was saved with this seal and how far rows were read; None if it is not sound."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
            if not header.startswith(seal) or len(header) < _HEADER.size:
                return None
            _, checksum, entered, learnt = _HEADER.unpack(header)
            size = path.stat().st_size - _HEADER.size
            if size * 8 > _LARGEST_BITS or size & (size - 1) or not size:
                return None
            places = bytearray(size)
            is_whole = file.readinto(places) == size and crc32(places) == checksum
    except OSError:
        return None
    return (KeyFilter(places, entered), learnt) if is_whole else None
