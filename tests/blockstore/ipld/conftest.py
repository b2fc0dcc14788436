"""Nodes of every kind."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_CBOR, DAG_PB, Cid
from peershelf.blockstore.ipld.model import Node
from peershelf.blockstore.multihash import BLAKE3, IDENTITY, SHA2_512

CIDS = (
    Block.create(b"raw").cid,
    Block.create(b"old", codec=DAG_PB, version=0).cid,
    Block.create(b"blake3", codec=DAG_CBOR, hash_code=BLAKE3).cid,
    Block.create(b"long", codec=0x0129, hash_code=SHA2_512).cid,
    Block.create(b"inline", hash_code=IDENTITY).cid,
)

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.binary(max_size=30)
    | st.sampled_from(CIDS)
)


def _deeper(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5)


NODES = st.recursive(_SCALARS, _deeper, max_leaves=25)


def cids_in(node: Node) -> list[Cid]:
    """The CIDs in a node, by another way than any reader's."""
    if isinstance(node, Cid):
        return [node]
    items = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [cid for item in items for cid in cids_in(item)]


@pytest.fixture(scope="session")
def any_node() -> st.SearchStrategy[Node]:
    return NODES


@pytest.fixture(scope="session")
def find_cids():
    return cids_in


@pytest.fixture(scope="session")
def cids() -> tuple[Cid, ...]:
    return CIDS
