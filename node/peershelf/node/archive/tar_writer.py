"""Members of a tree as the bytes of a tar archive."""

from __future__ import annotations

import time

from peershelf.node.archive import member, tar_format
from peershelf.node.archive.member import Member

_KINDS = {
    member.FILE: tar_format.FILE,
    member.DIRECTORY: tar_format.DIRECTORY,
    member.SYMLINK: tar_format.SYMLINK,
}


class TarWriter:
    """Makes the archive of one tree, whose root is called `root`."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._now = int(time.time())

    def begin(self, one: Member) -> bytes:
        """The header of a member. For a file, its bytes are to follow, and then tar_format.padding()."""
        kind = _KINDS[one.kind]
        name = b"/".join((self._root, *one.path))
        records = tar_format.pax_records(name, one.target, one.size)
        if one.mtime is not None:
            records["mtime"] = tar_format.seconds(one.mtime)
        if one.mode is not None:
            records[tar_format.KEPT_MODE] = b"%o" % one.mode
        main = tar_format.header(
            kind,
            name,
            size=one.size,
            mode=tar_format.DEFAULT_MODES[kind] if one.mode is None else one.mode,
            mtime=self._now if one.mtime is None else one.mtime // member.NANOSECONDS,
            target=one.target,
        )
        return tar_format.pax_member(records) + main if records else main
