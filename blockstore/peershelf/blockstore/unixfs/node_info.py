"""What a UnixFS node is: a file, a directory or a symbolic link, with its size, permissions and time.

https://specs.ipfs.tech/unixfs/
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from peershelf.blockstore.cid import DAG_PB, RAW, Cid, codec_name
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import NotUnixfs
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.message import Data, DataType, Mtime

_PERMISSIONS = 0o7777


class Kind(IntEnum):
    """What a tree's entry is, by the numbers that Kubo's API gives them."""

    UNKNOWN = 0
    DIRECTORY = 1
    FILE = 2
    SYMLINK = 4


_KINDS = {
    DataType.RAW: Kind.FILE,
    DataType.FILE: Kind.FILE,
    DataType.DIRECTORY: Kind.DIRECTORY,
    DataType.HAMT: Kind.DIRECTORY,
    DataType.SYMLINK: Kind.SYMLINK,
}


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What the root block of a file, directory or symbolic link says about it."""

    kind: Kind
    size: int = 0
    """Bytes of a file, or of a link's target, as its writer claims; 0 for directories."""
    mode: int | None = None
    """Permissions with setuid, setgid and sticky; None where they were not kept."""
    mtime: Mtime | None = None
    target: bytes | None = None
    """Where a symbolic link leads."""


UNKNOWN = NodeInfo(Kind.UNKNOWN)


def node_info(cid: Cid, data: bytes) -> NodeInfo:
    """Read the root block of something. Raises NotUnixfs, MalformedBlock."""
    if cid.codec == RAW:
        return NodeInfo(Kind.FILE, len(data))
    return info_of(cid, unixfs_message(cid, data))


def info_of(cid: Cid, content: Data) -> NodeInfo:
    """As node_info(), of a dag-pb node whose message has been read. Raises NotUnixfs."""
    kind = _KINDS.get(content.type)
    if kind is None:
        raise NotUnixfs(f"{cid} is a metadata node, not a file or directory")
    mode = None if content.mode is None else content.mode & _PERMISSIONS
    target = (content.data or b"") if kind is Kind.SYMLINK else None
    return NodeInfo(kind, _size(kind, content), mode, content.mtime, target)


def unixfs_message(cid: Cid, data: bytes) -> Data:
    """Return the message in a dag-pb node. Raises NotUnixfs, MalformedBlock."""
    if cid.codec != DAG_PB:
        raise NotUnixfs(f"{cid} is {codec_name(cid.codec)}, not a file or directory")
    encoded = pb.decode_data(data)
    if encoded is None:
        raise NotUnixfs(f"{cid} is a dag-pb node, not a file or directory")
    return message.decode(encoded)


def _size(kind: Kind, content: Data) -> int:
    if kind is Kind.DIRECTORY:
        return 0
    if content.filesize is not None and kind is Kind.FILE:
        return content.filesize
    return len(content.data or b"") + sum(content.blocksizes)
