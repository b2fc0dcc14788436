"""What one block of a file says: bytes of its own, and children with the file bytes below each."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, RAW, Cid, codec_name
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock, NotAFile
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.message import DataType


@dataclass(frozen=True, slots=True)
class FileNode:
    """A node of a file's tree; its bytes come before those of its children."""

    data: bytes
    children: tuple[tuple[Cid, int], ...]
    size: int
    """File bytes of the node and all below it."""


def decode(block: Block) -> FileNode:
    """Read a raw or UnixFS file block.

    Raises NotAFile if it is something else, MalformedBlock if it contradicts itself.
    """
    check_codec(block.cid)
    if block.cid.codec == RAW:
        return FileNode(block.data, (), len(block.data))
    node = pb.decode(block.data)
    if node.data is None:
        raise NotAFile(f"{block.cid} is a dag-pb node, not a file")
    content = message.decode(node.data)
    if content.type not in (DataType.FILE, DataType.RAW):
        raise NotAFile(f"{block.cid} is a {_KINDS[content.type]}, not a file")
    return _file_node(block.cid, node.links, content)


def check_codec(cid: Cid) -> None:
    """Raise NotAFile if no block with this CID can be part of a file."""
    if cid.codec not in (RAW, DAG_PB):
        raise NotAFile(f"{cid} is {codec_name(cid.codec)}, not a file")


_KINDS = {
    DataType.DIRECTORY: "directory",
    DataType.HAMT: "directory",
    DataType.METADATA: "metadata node",
    DataType.SYMLINK: "symbolic link",
}


def _file_node(cid: Cid, links: tuple[pb.Link, ...], content: message.Data) -> FileNode:
    if len(links) != len(content.blocksizes):
        raise MalformedBlock(f"malformed file node {cid}: as many links as sizes of them are needed")
    data = content.data or b""
    size = len(data) + sum(content.blocksizes)
    if content.filesize not in (None, size):
        raise MalformedBlock(f"malformed file node {cid}: its sizes do not add up")
    children = zip((link.cid for link in links), content.blocksizes, strict=True)
    return FileNode(data, tuple(children), size)
