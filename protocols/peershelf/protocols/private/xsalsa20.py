"""XSalsa20: Salsa20 with a nonce of 24 bytes, which may be chosen at random.

The stream is a library's, in C. HSalsa20 is not: it makes, of the key and 16 bytes of the nonce, the key that
Salsa20 is given, and none of our libraries gives it out. It runs once for each direction of a connection, and
takes 0.14 ms.

Spec: https://cr.yp.to/snuffle/xsalsa-20110204.pdf
"""

from __future__ import annotations

import struct

from Crypto.Cipher import Salsa20

NONCE_SIZE = 24

_SIGMA = struct.unpack("<4I", b"expand 32-byte k")
_WORD = 0xFFFFFFFF

_COLUMNS = ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11))
_ROWS = ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14))


def hsalsa20(key: bytes, nonce: bytes) -> bytes:
    """Derive a key of 32 bytes from one of 32 bytes and a nonce of 16."""
    k, n = struct.unpack("<8I", key), struct.unpack("<4I", nonce)
    state = [_SIGMA[0], *k[:4], _SIGMA[1], *n, _SIGMA[2], *k[4:], _SIGMA[3]]
    for _ in range(10):
        for quarter in _COLUMNS + _ROWS:
            _quarter_round(state, *quarter)
    return struct.pack("<8I", *(state[place] for place in (0, 5, 10, 15, 6, 7, 8, 9)))


def _quarter_round(state: list[int], a: int, b: int, c: int, d: int) -> None:
    state[b] ^= _rotated(state[a] + state[d], 7)
    state[c] ^= _rotated(state[b] + state[a], 9)
    state[d] ^= _rotated(state[c] + state[b], 13)
    state[a] ^= _rotated(state[d] + state[c], 18)


def _rotated(word: int, bits: int) -> int:
    word &= _WORD
    return (word << bits | word >> (32 - bits)) & _WORD


class XSalsa20:
    """One key stream; what it is applied to twice, from its start, is as it was.

    Args:
        key: 32 bytes.
        nonce: 24 bytes, never used before with this key.
    """

    def __init__(self, key: bytes, nonce: bytes) -> None:
        self._stream = Salsa20.new(key=hsalsa20(key, nonce[:16]), nonce=nonce[16:])

    def apply(self, data: bytes | memoryview) -> bytes:
        """Return `data` under the next bytes of the key stream."""
        return self._stream.encrypt(data)
