"""Makes inputs: good ones that were damaged, and noise. A seed and a number always give the same one."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

INTERESTING = (0, 1, 2, 0x7F, 0x80, 0x81, 0xFE, 0xFF)
_NUMBERS = (0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1)
MAX_NOISE = 200


def make(samples: Sequence[bytes], seed: int, number: int) -> bytes:
    """Return input `number` of a campaign."""
    random = Random(seed << 40 | number)
    if random.random() < 0.1:
        return random.randbytes(random.randrange(MAX_NOISE))
    data = bytearray(random.choice(samples))
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 5, 8))):
        _CHANGES[random.randrange(len(_CHANGES))](random, data, samples)
    return bytes(data)


def _flip(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.choice(INTERESTING)


def _number(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if len(data) >= 4:
        start = random.randrange(len(data) - 3)
        data[start : start + 4] = random.choice(_NUMBERS).to_bytes(4, random.choice(("big", "little")))


def _cut(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        del data[random.randrange(len(data)) :]


def _remove(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        start = random.randrange(len(data))
        del data[start : start + random.randrange(1, 9)]


def _insert(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = random.randrange(len(data) + 1)
    data[start:start] = random.randbytes(random.randrange(1, 9))


def _repeat(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        start = random.randrange(len(data))
        piece = data[start : start + random.randrange(1, 33)]
        data[start:start] = piece * random.choice((1, 2, 20))


def _splice(random: Random, data: bytearray, samples: Sequence[bytes]) -> None:
    other = random.choice(samples)
    start = random.randrange(len(data) + 1)
    data[start:] = other[random.randrange(len(other) + 1) :]


_CHANGES = (_flip, _set, _number, _cut, _remove, _insert, _repeat, _splice)
