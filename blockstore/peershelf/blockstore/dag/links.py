"""Which blocks a block links to."""

from __future__ import annotations

from peershelf.blockstore.cid import DAG_PB, RAW, Cid, codec_name
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import UnsupportedCodec


def links(cid: Cid, data: bytes) -> tuple[Cid, ...]:
    """Return the CIDs that the block links to, in order and with repetitions.

    Raises UnsupportedCodec for codecs other than raw and dag-pb, MalformedBlock for bytes that are no dag-pb.
    """
    if cid.codec == RAW:
        return ()
    if cid.codec == DAG_PB:
        return tuple(link.cid for link in pb.decode(data).links)
    raise UnsupportedCodec(f"links of {codec_name(cid.codec)} blocks cannot be read: {cid}")
