"""The fields of tar headers: POSIX ustar with pax extensions, both ways.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

from __future__ import annotations

BLOCK = 512
END = bytes(2 * BLOCK)
"""What an archive ends with."""

FILE, OLD_FILE, SYMLINK, DIRECTORY, PAX, GLOBAL_PAX = b"0", b"\0", b"2", b"5", b"x", b"g"

KEPT_MODE = "PEERSHELF.mode"
"""The pax record of permissions that the content itself keeps; headers always have some."""

DEFAULT_MODES = {FILE: 0o644, DIRECTORY: 0o755, SYMLINK: 0o777}
"""Permissions in headers of what keeps none."""

_MOST_OCTAL = 8**11 - 1
_NAME = 100
_CHECKSUM = slice(148, 156)


def header(
    kind: bytes, name: bytes, *, size: int = 0, mode: int = 0o644, mtime: int = 0, target: bytes = b""
) -> bytes:
    """Make one header block. What does not fit is cut off, and has to stand in a pax record."""
    fields = (
        name[:_NAME].ljust(_NAME, b"\0"),
        b"%07o\0" % mode,
        b"0000000\0" * 2,
        b"%011o\0" % min(size, _MOST_OCTAL),
        b"%011o\0" % min(max(mtime, 0), _MOST_OCTAL),
        b" " * 8,
        kind,
        target[:_NAME].ljust(_NAME, b"\0"),
        b"ustar\00000",
    )
    block = bytearray(b"".join(fields).ljust(BLOCK, b"\0"))
    block[_CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)


def padding(size: int) -> bytes:
    """What fills up the last block of so many bytes."""
    return bytes(-size % BLOCK)


def pax_records(name: bytes, target: bytes, size: int) -> dict[str, bytes]:
    """The pax records that a header's fields are too small for."""
    records = {}
    if len(name) > _NAME:
        records["path"] = name
    if len(target) > _NAME:
        records["linkpath"] = target
    if size > _MOST_OCTAL:
        records["size"] = b"%d" % size
    return records


def pax_member(records: dict[str, bytes]) -> bytes:
    """The member that stands before another one and holds its records."""
    body = b"".join(_pax_record(key.encode(), value) for key, value in records.items())
    return header(PAX, b"PaxHeaders.0/x", size=len(body)) + body + padding(len(body))


def parse_pax(body: bytes) -> dict[str, bytes]:
    """Read the records of a pax member. Raises ValueError."""
    records = {}
    while body:
        digits, blank, _ = body.partition(b" ")
        if not blank or not digits.isdigit() or len(digits) > 9:
            raise ValueError("a record without a length")
        length = int(digits)
        record = body[len(digits) + 1 : length]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or length > len(body):
            raise ValueError("a record that is not as long as it says")
        records[key.decode("utf-8", "replace")] = value[:-1]
        body = body[length:]
    return records


def number(field: bytes) -> int:
    """Read a number of a header: octal digits, or binary where the first bit is set. Raises ValueError."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
        if field[0] & 0x40:
            raise ValueError("a negative number")
        return value
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise ValueError("no number")
    return int(digits or b"0", 8)


def text(field: bytes) -> bytes:
    """Read a string of a header."""
    return field.partition(b"\0")[0]


def checksum_is_right(block: bytes) -> bool:
    """Whether a header's bytes add up as it says."""
    try:
        wanted = number(block[_CHECKSUM])
    except ValueError:
        return False
    return sum(block) - sum(block[_CHECKSUM]) + 8 * 32 == wanted


def seconds(nanoseconds: int) -> bytes:
    """A time as pax writes it: decimal seconds."""
    whole, rest = divmod(abs(nanoseconds), 1_000_000_000)
    sign = b"-" if nanoseconds < 0 else b""
    return sign + (b"%d.%09d" % (whole, rest) if rest else b"%d" % whole)


def nanoseconds(value: bytes) -> int:
    """A time of a pax record in nanoseconds. Raises ValueError."""
    digits = value.removeprefix(b"-")
    whole, _, rest = digits.partition(b".")
    if not whole.isdigit() or (rest and not rest.isdigit()) or len(value) > 40:
        raise ValueError("no time")
    amount = int(whole) * 1_000_000_000 + int(rest[:9].ljust(9, b"0") or b"0")
    return -amount if value.startswith(b"-") else amount


def _pax_record(key: bytes, value: bytes) -> bytes:
    """Its own length, in decimal, counts as a part of it."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)
