"""The permissions and the time of last change that UnixFS can keep of a file, directory or symbolic link.

What is written is what Kubo 0.43 writes: a link has no mode, and a mode of 0 is left out of files, but not of
directories. https://specs.ipfs.tech/unixfs/#mode-field
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from peershelf.blockstore.errors import InvalidImportOption
from peershelf.blockstore.unixfs.message import Data, DataType, Mtime

_MAX_MODE = 0o7777
_SECONDS = range(-(1 << 63), 1 << 63)
_NANOSECONDS = range(1_000_000_000)

_NO_TIME = -62_135_596_800
"""The first second of the year 1, which Kubo takes for no time at all."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is to be kept; None for what is not. False if that is nothing.

    Raises InvalidImportOption for a mode beyond the 12 bits of permissions, and for impossible times.
    """

    mode: int | None = None
    """Permissions with setuid, setgid and sticky, 0 to 0o7777; without the kind of file."""
    mtime: Mtime | None = None

    def __post_init__(self) -> None:
        if self.mode is not None and not 0 <= self.mode <= _MAX_MODE:
            raise InvalidImportOption("a mode is 0 to 7777 in octal")
        if self.mtime is not None and self.mtime.seconds not in _SECONDS:
            raise InvalidImportOption("a time of last change is at most 2^63 - 1 seconds")
        if self.mtime is not None and (self.mtime.nanoseconds or 0) not in _NANOSECONDS:
            raise InvalidImportOption("the nanoseconds of a time of last change are 0 to 999999999")

    def __bool__(self) -> bool:
        return self != NONE


NONE = Metadata()


def with_metadata(content: Data, metadata: Metadata) -> Data:
    """Return the message of a file, directory or symbolic link with as much of `metadata` as it can hold."""
    if not metadata:
        return content
    return replace(content, mode=_written_mode(content.type, metadata.mode), mtime=_written(metadata.mtime))


def _written_mode(kind: DataType, mode: int | None) -> int | None:
    if kind == DataType.SYMLINK:
        return None
    return mode or None if kind == DataType.FILE else mode


def _written(mtime: Mtime | None) -> Mtime | None:
    if mtime is None or (mtime.seconds == _NO_TIME and not mtime.nanoseconds):
        return None
    return Mtime(mtime.seconds, mtime.nanoseconds or None)
