"""MurmurHash3, the x64 variant's first 64 bits: what HAMT directories place their entries by.

https://github.com/aappleby/smhasher/wiki/MurmurHash3
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_C1 = 0x87C37B91114253D5
_C2 = 0x4CF5AD432745937F


def murmur3_64(data: bytes) -> int:
    """Return the first 64 bits of the 128-bit hash of `data`, with seed 0."""
    h1 = h2 = 0
    whole = len(data) & ~15
    for offset in range(0, whole, 16):
        h1 ^= _mix1(int.from_bytes(data[offset : offset + 8], "little"))
        h1 = (_rotate(h1, 27) + h2) * 5 + 0x52DCE729 & _MASK
        h2 ^= _mix2(int.from_bytes(data[offset + 8 : offset + 16], "little"))
        h2 = (_rotate(h2, 31) + h1) * 5 + 0x38495AB5 & _MASK
    h1 ^= _mix1(int.from_bytes(data[whole : whole + 8], "little")) ^ len(data)
    h2 ^= _mix2(int.from_bytes(data[whole + 8 :], "little")) ^ len(data)
    h1 = h1 + h2 & _MASK
    h2 = h2 + h1 & _MASK
    return _finalize(h1) + _finalize(h2) & _MASK


def _mix1(value: int) -> int:
    return _rotate(value * _C1 & _MASK, 31) * _C2 & _MASK


def _mix2(value: int) -> int:
    return _rotate(value * _C2 & _MASK, 33) * _C1 & _MASK


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> 64 - bits) & _MASK


def _finalize(value: int) -> int:
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & _MASK
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ value >> 33
