"""The dag-pb codec: nodes of named, sized links and bytes, in a strict subset of protobuf.

Theory of operation. A node is the protobuf message {Data = 1: bytes, Links = 2: repeated PBLink}, a link is
{Hash = 1: bytes, Name = 2: string, Tsize = 3: uint64}. A block's hash covers its bytes, so each node should
have one encoding: links come before data (although Data has the lower number), the fields of a link in the
order of their numbers, and nothing appears twice or under an unknown number. Reading also accepts Data before
Links, which history has left behind, but not Data between links. Whether a field is absent or empty is kept,
so that decoding and encoding a canonical node gives the same bytes.
https://ipld.io/specs/codecs/dag-pb/spec/
"""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.blockstore import protobuf
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid, MalformedBlock


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another block."""

    cid: Cid
    name: bytes | None = b""
    """Bytes, usually UTF-8. Kubo writes the empty name of a file's links; None leaves the field out."""
    size: int | None = None
    """Tsize: the bytes of all blocks below the link, as its writer claims."""


@dataclass(frozen=True, slots=True)
class PbNode:
    """A dag-pb node. Links stay in their order; whoever makes a directory sorts them by name."""

    data: bytes | None = None
    links: tuple[Link, ...] = ()


def encode(node: PbNode) -> bytes:
    """Return the canonical bytes of a node."""
    parts = [protobuf.bytes_field(2, _encode_link(link)) for link in node.links]
    if node.data is not None:
        parts += (protobuf.bytes_header(1, len(node.data)), node.data)
    return b"".join(parts)


def decode(data: bytes) -> PbNode:
    """Read a node. Raises MalformedBlock for anything that the specification does not allow."""
    content: bytes | None = None
    links: list[Link] = []
    links_ended = False
    for number, wire_type, value in protobuf.fields(data, MalformedBlock):
        match number, wire_type, value:
            case 1, protobuf.BYTES, memoryview() if content is None:
                content = bytes(value)
                links_ended = bool(links)
            case 2, protobuf.BYTES, memoryview() if not links_ended:
                links.append(_decode_link(value))
            case 2, protobuf.BYTES, memoryview():
                raise MalformedBlock("malformed dag-pb node: data between links")
            case _:
                raise MalformedBlock("malformed dag-pb node: unknown or repeated field, or wrong wire type")
    return PbNode(content, tuple(links))


def decode_data(data: bytes) -> bytes | None:
    """Read only the Data field of a node that decode() accepts, which takes no time for its links."""
    for number, _, value in protobuf.fields(data, MalformedBlock):
        if number == 1 and isinstance(value, memoryview):
            return bytes(value)
    return None


def _encode_link(link: Link) -> bytes:
    parts = [protobuf.bytes_field(1, link.cid.to_bytes())]
    if link.name is not None:
        parts.append(protobuf.bytes_field(2, link.name))
    if link.size is not None:
        parts.append(protobuf.varint_field(3, link.size))
    return b"".join(parts)


def _decode_link(data: memoryview) -> Link:
    cid: Cid | None = None
    name: bytes | None = None
    size: int | None = None
    previous = 0
    for number, wire_type, value in protobuf.fields(data, MalformedBlock):
        if number <= previous:
            raise MalformedBlock("malformed dag-pb link: fields repeated or out of order")
        previous = number
        match number, wire_type, value:
            case 1, protobuf.BYTES, memoryview():
                cid = _decode_cid(value)
            case 2, protobuf.BYTES, memoryview():
                name = bytes(value)
            case 3, protobuf.VARINT, int():
                size = value
            case _:
                raise MalformedBlock("malformed dag-pb link: unknown field or wrong wire type")
    if cid is None:
        raise MalformedBlock("malformed dag-pb link: no CID")
    return Link(cid, name, size)


def _decode_cid(data: memoryview) -> Cid:
    try:
        return Cid.from_bytes(bytes(data))
    except InvalidCid as error:
        raise MalformedBlock(f"malformed dag-pb link: {error}") from None
