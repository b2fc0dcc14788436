"""Reading a tar archive as it comes, without I/O: bytes in, members and the bytes of files out.

Nothing that the archive says is believed further than it is checked: sizes are counted down and never
allocated by, and of the kinds of members only files, directories and symbolic links are known.
"""

from __future__ import annotations

from peershelf.node.archive import member, tar_format
from peershelf.node.archive.member import Member, shown
from peershelf.node.errors import CannotWrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_PAX = 64 << 10
_KINDS = {
    tar_format.FILE: member.FILE,
    tar_format.OLD_FILE: member.FILE,
    tar_format.DIRECTORY: member.DIRECTORY,
    tar_format.SYMLINK: member.SYMLINK,
}


class TarReader:
    """The state of one archive. Its members' paths are below the one name that all of them begin with."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._needed = tar_format.BLOCK
        self._state: Callable[[bytes], Member | None] = self._take_header
        self._left = 0
        self._padding = 0
        self._pax: dict[str, bytes] = {}
        self.root = b""
        """What the archive calls the tree; empty before the first member."""
        self._ended = False

    def receive(self, data: memoryview) -> Iterator[Member | memoryview]:
        """Take in bytes; yields members, and after a file its bytes, which are valid until the next step.

        Raises CannotWrite for what is no tar archive, or one of a kind that is not known here.
        """
        while len(data) and not self._ended:
            if self._left:
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                yield piece
                continue
            missing = self._padding + self._needed - len(self._pending)
            self._pending += data[:missing]
            data = data[missing:]
            if len(self._pending) == self._padding + self._needed:
                block = bytes(self._pending[self._padding :])
                self._pending.clear()
                self._padding = 0
                found = self._state(block)
                if found is not None:
                    yield found

    def end(self) -> None:
        """There are no more bytes. Raises CannotWrite if some are missing."""
        inside = self._left or self._pax or self._needed != tar_format.BLOCK or any(self._pending)
        if inside and not self._ended:
            raise CannotWrite("the archive ends in the middle of a file; try again")

    def _take_header(self, block: bytes) -> Member | None:
        if not any(block):
            self._ended = True
            return None
        if not tar_format.checksum_is_right(block):
            raise _malformed("a header is damaged")
        kind = block[156:157]
        try:
            size = tar_format.number(block[124:136])
            if kind in (tar_format.PAX, tar_format.GLOBAL_PAX):
                self._expect_pax(kind, size)
                return None
            return self._member(block, kind, size)
        except ValueError as error:
            raise _malformed(str(error)) from None

    def _expect_pax(self, kind: bytes, size: int) -> None:
        if not 0 < size <= _MOST_PAX:
            raise ValueError("an extended header of that size")
        self._needed = size
        self._state = self._take_pax if kind == tar_format.PAX else self._pass_over

    def _take_pax(self, body: bytes) -> None:
        try:
            self._pax = tar_format.parse_pax(body)
        except ValueError as error:
            raise _malformed(str(error)) from None
        self._pass_over(body)

    def _pass_over(self, body: bytes) -> None:
        self._padding = -len(body) % tar_format.BLOCK
        self._needed = tar_format.BLOCK
        self._state = self._take_header

    def _member(self, block: bytes, type_flag: bytes, size: int) -> Member:
        pax, self._pax = self._pax, {}
        name = pax.get("path") or _joined(block)
        kind = _KINDS.get(type_flag)
        if kind is None:
            raise CannotWrite(f"refused: {shown(name)} is neither a file nor a directory nor a symbolic link")
        size = _decimal(pax["size"]) if "size" in pax else size
        if kind == member.FILE:
            self._left = size
            self._padding = -size % tar_format.BLOCK
        return Member(
            self._path(name),
            kind,
            size=size,
            mode=_mode(pax, block, type_flag),
            mtime=tar_format.nanoseconds(pax["mtime"]) if "mtime" in pax else None,
            target=pax.get("linkpath") or tar_format.text(block[157:257]),
        )

    def _path(self, name: bytes) -> tuple[bytes, ...]:
        root, *path = name.removesuffix(b"/").split(b"/")
        self.root = self.root or root
        if root != self.root:
            raise CannotWrite(f"refused: {shown(name)} is outside of {shown(self.root)}")
        return tuple(path)


def _joined(block: bytes) -> bytes:
    prefix = tar_format.text(block[345:500]) if block[257:263] == b"ustar\0" else b""
    name = tar_format.text(block[:100])
    return prefix + b"/" + name if prefix else name


def _mode(pax: dict[str, bytes], block: bytes, type_flag: bytes) -> int | None:
    """Permissions that the content keeps, as far as that can be told."""
    kept = pax.get(tar_format.KEPT_MODE)
    if kept is not None:
        return tar_format.number(kept[:8].rjust(8, b"0")) & 0o7777
    mode = tar_format.number(block[100:108]) & 0o7777
    return None if mode == tar_format.DEFAULT_MODES.get(type_flag) else mode


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > 20:
        raise ValueError("no size")
    return int(value)


def _malformed(reason: str) -> CannotWrite:
    return CannotWrite(f"the archive is malformed: {reason}")
