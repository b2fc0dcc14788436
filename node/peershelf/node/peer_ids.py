"""Reading peer IDs that users write, without py-libp2p.

Spec: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
"""

from __future__ import annotations

import base64

from peershelf.blockstore import bases, multihash
from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.blockstore.errors import InvalidCid
from peershelf.node.errors import UsageError
from peershelf.protocols.transport import PeerId


def parse_peer_id(text: str) -> PeerId:
    """Read a peer ID: 12D3Koo…, Qm…, its CID form, /p2p/ID, or an address that ends in it.

    Raises UsageError.
    """
    name = text.rpartition("/p2p/")[2] if text.startswith("/") else text
    try:
        if name.startswith(("1", "Qm")):
            multihash.split(bases.decode_base58_with_zeros(name))
            return PeerId(name)
        cid = Cid.parse(name)
    except (InvalidCid, ValueError):
        raise UsageError(f"{text[:120]!a} is no peer ID; write one as 12D3Koo… or /p2p/12D3Koo…") from None
    if cid.codec != LIBP2P_KEY:
        raise UsageError(f"{text[:120]!a} is the CID of content, not a peer ID")
    return format_peer_id(cid.multihash)


def is_peer_id(text: str) -> bool:
    """Whether a text is a peer's ID, with /p2p/ before it or without, and no address."""
    if "/" in text.removeprefix("/p2p/"):
        return False
    try:
        parse_peer_id(text)
    except UsageError:
        return False
    return True


def parse_value_key(text: str) -> bytes:
    """Read what a value is kept under, /ipns/NAME or /pk/PEER, as the bytes of it. Raises UsageError."""
    match text.split("/"):
        case ["", "ipns" | "pk" as namespace, name] if name:
            return f"/{namespace}/".encode() + bases.decode_base58_with_zeros(parse_peer_id(name))
    raise UsageError(f"{text[:120]!a} is no key of a value; write one as /ipns/NAME")


def format_peer_id(key_hash: bytes) -> PeerId:
    """The base58btc form of a peer's multihash."""
    return PeerId(bases.encode_base58_with_zeros(key_hash))


def public_key_text(peer: PeerId) -> str:
    """The public key's protobuf in base64, where the peer ID spells it out; else empty."""
    code, digest = multihash.split(bases.decode_base58_with_zeros(peer))
    return base64.b64encode(digest).decode() if code == multihash.IDENTITY else ""
