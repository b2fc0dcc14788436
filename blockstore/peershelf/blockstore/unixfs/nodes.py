"""Nodes as a profile wants them: hashed into blocks, under its version of CID."""

from __future__ import annotations

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB
from peershelf.blockstore.dag import pb
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.message import DataType
from peershelf.blockstore.unixfs.metadata import NONE, Metadata, with_metadata
from peershelf.blockstore.unixfs.profiles import Profile


def node_block(profile: Profile, encoded: bytes) -> Block:
    """Make the block of an encoded dag-pb node. Raises BlockTooLarge."""
    return Block.create(encoded, codec=DAG_PB, hash_code=profile.hash_code, version=profile.cid_version)


def symlink_block(profile: Profile, target: bytes, metadata: Metadata = NONE) -> Block:
    """Make a symbolic link, of which UnixFS keeps the target as it is, and no mode. Raises BlockTooLarge."""
    content = with_metadata(message.Data(DataType.SYMLINK, target), metadata)
    return node_block(profile, pb.encode(pb.PbNode(message.encode(content))))
