from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import multihash
from peershelf.blockstore.block import MAX_BLOCK_SIZE, Block, inline_bytes
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.errors import BlockTooLarge, HashMismatch, InvalidCid, UnsupportedHash


@given(st.binary(max_size=128), st.sampled_from(sorted(multihash.HASHES_BY_NAME.values())))
def test_a_created_block_verifies(data: bytes, code: int) -> None:
    block = Block.create(data, hash_code=code)
    assert Block.verify(block.cid, data) == block


def test_other_bytes_do_not_verify() -> None:
    block = Block.create(b"hello")
    with pytest.raises(HashMismatch, match=str(block.cid)):
        Block.verify(block.cid, b"hallo")


def test_a_version_0_block_is_dag_pb() -> None:
    assert Block.create(b"hello", version=0).cid == Cid.v0(multihash.multihash(multihash.SHA2_256, b"hello"))
    with pytest.raises(InvalidCid):
        Block.create(b"hello", version=0, hash_code=multihash.BLAKE3)


def test_blocks_end_at_2_mib() -> None:
    largest = Block.create(bytes(MAX_BLOCK_SIZE))
    with pytest.raises(BlockTooLarge):
        Block.create(bytes(MAX_BLOCK_SIZE + 1))
    with pytest.raises(BlockTooLarge):
        Block.verify(largest.cid, bytes(MAX_BLOCK_SIZE + 1))


def test_a_hash_off_the_list_verifies_nothing() -> None:
    md5 = Cid.from_bytes(bytes.fromhex("0155d50114") + bytes(20))
    with pytest.raises(UnsupportedHash):
        Block.verify(md5, b"")


@pytest.mark.parametrize("name", sorted(multihash.HASHES_BY_NAME))
def test_the_empty_block_is_known_from_its_cid(name: str) -> None:
    for codec in (RAW, DAG_PB):
        assert inline_bytes(Block.create(b"", codec=codec, hash_code=multihash.hash_code(name)).cid) == b""


def test_identity_cids_carry_their_bytes_and_others_do_not() -> None:
    assert inline_bytes(Block.create(b"hello", hash_code=multihash.IDENTITY).cid) == b"hello"
    assert inline_bytes(Block.create(b"hello").cid) is None
