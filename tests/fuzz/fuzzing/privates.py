"""What comes over a connection of a private network, from those who have the key and those who have not."""

from __future__ import annotations

from contextlib import suppress

from peershelf.protocols.private import GREETING, MalformedKey, NotInThisNetwork, Opening, Sealing, SwarmKey

_KEY, _OTHER = SwarmKey(bytes(32)), SwarmKey(bytes(range(32)))
_SAID = GREETING + b"\x07/noise\n" + bytes(100)

CONNECTIONS = [b"\x05" + Sealing(_KEY).seal(_SAID), b"\xff" + Sealing(_OTHER).seal(_SAID), b"\x01" + _SAID]
FILES = [
    _KEY.encode(),
    b"/key/swarm/psk/1.0.0/\r\n/base64/\r\n" + b"A" * 43 + b"=",
    b"/key/swarm/psk/1.0.0/\n/bin/\n" + bytes(32),
]


def check_opening(data: bytes) -> None:
    """However the bytes are cut, the same is opened, and it begins with the greeting or is refused."""
    step = data[0] + 1 if data else 1
    assert _opened([data[start : start + step] for start in range(1, len(data), step)]) == _opened([data[1:]])


def _opened(pieces: list[bytes]) -> bytes | None:
    opening, opened = Opening(_KEY), b""
    try:
        for piece in pieces:
            opened += opening.open(piece)
    except NotInThisNetwork:
        return None
    assert GREETING.startswith(opened[: len(GREETING)])
    return opened


def check_file(data: bytes) -> None:
    """A file holds a key of 32 bytes, which is written and read alike, or is refused."""
    with suppress(MalformedKey):
        key = SwarmKey.decode(data)
        assert SwarmKey.decode(key.encode()) == key
