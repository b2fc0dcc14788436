"""Which blocks a block links to."""

from __future__ import annotations

from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, RAW, Cid, codec_name
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import UnsupportedCodec
from peershelf.blockstore.ipld import dag_cbor, dag_json


def links(cid: Cid, data: bytes) -> tuple[Cid, ...]:
    """Return the CIDs that the block links to, in order and with repetitions.

    Raises UnsupportedCodec for codecs other than raw, dag-pb, dag-cbor and dag-json, MalformedBlock for bytes
    that are not what their codec says.
    """
    if cid.codec == RAW:
        return ()
    if cid.codec == DAG_PB:
        return tuple(link.cid for link in pb.decode(data).links)
    if cid.codec == DAG_CBOR:
        return dag_cbor.links(data)
    if cid.codec == DAG_JSON:
        return dag_json.links(data)
    raise UnsupportedCodec(f"links of {codec_name(cid.codec)} blocks cannot be read: {cid}")
