"""The three text encodings that CIDs really come in, by integer arithmetic.

Python's own int() and to_bytes() do the work in C, about a hundred times as fast as a general multibase
library. Only canonical text is accepted: the lower-case alphabet, no padding, no spare bits.
"""

from __future__ import annotations

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

# int() would also take spaces, signs, underscores and capitals, so whatever is not a digit becomes a "!".
_INT32 = bytes(
    b"0123456789abcdefghijklmnopqrstuv"[_BASE32.index(chr(byte))] if chr(byte) in _BASE32 else 0x21
    for byte in range(256)
)
_INT36 = bytes(byte if chr(byte) in _BASE36 else 0x21 for byte in range(256))
_PAIRS32 = [high + low for high in _BASE32 for low in _BASE32]
_VALUES58 = {character: value for value, character in enumerate(_BASE58)}


def decode_base32(text: str) -> bytes:
    """Decode RFC 4648 base32 in lower case without padding. Raises ValueError."""
    size, spare_bits = divmod(len(text) * 5, 8)
    value = int(text.encode("ascii").translate(_INT32), 32)
    if spare_bits >= 5 or value & (1 << spare_bits) - 1:
        raise ValueError("base32 text with spare bits")
    return (value >> spare_bits).to_bytes(size)


def encode_base32(data: bytes) -> str:
    """Encode as lower-case base32 without padding."""
    length = -(-len(data) * 8 // 5)
    pairs = -(-length // 2)
    value = int.from_bytes(data) << pairs * 10 - len(data) * 8
    digits = [_PAIRS32[value >> shift & 0x3FF] for shift in range(pairs * 10 - 10, -1, -10)]
    return "".join(digits)[:length]


def decode_base36(text: str) -> bytes:
    """Decode lower-case base36 that does not start with a zero. Raises ValueError."""
    return _minimal_bytes(text, "0", int(text.encode("ascii").translate(_INT36), 36))


def decode_base58(text: str) -> bytes:
    """Decode base58btc that does not start with a zero. Raises ValueError."""
    value = 0
    try:
        for character in text:
            value = value * 58 + _VALUES58[character]
    except KeyError:
        raise ValueError("not base58 text") from None
    return _minimal_bytes(text, "1", value)


def encode_base58(data: bytes) -> str:
    """Encode bytes that do not start with a zero as base58btc."""
    value = int.from_bytes(data)
    digits = []
    while value:
        value, digit = divmod(value, 58)
        digits.append(_BASE58[digit])
    return "".join(reversed(digits))


def decode_base58_with_zeros(text: str) -> bytes:
    """Decode base58btc, in which each leading "1" is a zero byte, as peer IDs have. Raises ValueError."""
    digits = text.lstrip("1")
    return bytes(len(text) - len(digits)) + decode_base58(digits)


def encode_base58_with_zeros(data: bytes) -> str:
    """Encode any bytes as base58btc, each leading zero byte as a "1"."""
    digits = data.lstrip(b"\0")
    return "1" * (len(data) - len(digits)) + encode_base58(digits)


def _minimal_bytes(text: str, zero: str, value: int) -> bytes:
    # A leading zero would be a zero byte, with which no CID begins.
    if text.startswith(zero):
        raise ValueError("text with leading zeros")
    return value.to_bytes((value.bit_length() + 7) // 8)
