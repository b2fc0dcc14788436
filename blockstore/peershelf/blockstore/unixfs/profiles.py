"""How files and directories become DAGs. Two nodes that use one profile get the same CID for the same tree.

The named profiles are those of IPIP-499, https://specs.ipfs.tech/ipips/ipip-0499/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from peershelf.blockstore.errors import InvalidImportOption, quoted
from peershelf.blockstore.multihash import SHA2_256
from peershelf.blockstore.unixfs import hamt

MAX_CHUNK_SIZE = 2 * 1024 * 1024 - 256
"""Largest chunk in bytes: a block, less room for what wraps the chunk in a dag-pb leaf."""

MAX_LINKS = 16_384
"""Most links a node, so that the node fits in a block even with the longest digests."""


class Estimation(StrEnum):
    """What is compared with the threshold beyond which a directory is sharded."""

    LINKS = "links"
    """The names and binary CIDs of its links, summed up."""
    BLOCK = "block"
    """The encoded node."""
    DISABLED = "disabled"
    """Nothing: only the number of links counts."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The parameters of an import. Raises InvalidImportOption for those that make no valid DAG."""

    name: str
    cid_version: int
    raw_leaves: bool
    """Whether leaves are bare bytes (always CIDv1) or wrapped in UnixFS nodes."""
    chunk_size: int
    """Bytes of the file in each leaf but the last."""
    max_links: int
    """Most links of a file's inner node."""
    hash_code: int = SHA2_256
    directory_estimation: Estimation = Estimation.BLOCK
    directory_threshold: int = 262_144
    """Bytes, as estimated, up to which a directory is a single node, if a block can hold that."""
    max_directory_links: int = 0
    """Entries up to which a directory is a single node; 0 sets no such limit."""
    hamt_fanout: int = 256
    """Slots of each shard of a larger directory."""

    def __post_init__(self) -> None:
        if self.cid_version not in (0, 1):
            raise InvalidImportOption("the CID version is 0 or 1")
        if self.cid_version == 0 and self.hash_code != SHA2_256:
            raise InvalidImportOption("CIDv0 only supports sha2-256; use --cid-version=1 with another hash")
        if not 1 <= self.chunk_size <= MAX_CHUNK_SIZE:
            raise InvalidImportOption(f"the chunk size is 1 to {MAX_CHUNK_SIZE} bytes")
        if not 2 <= self.max_links <= MAX_LINKS:
            raise InvalidImportOption(f"a node has at most 2 to {MAX_LINKS} links")
        if self.max_directory_links < 0:
            raise InvalidImportOption("the most links of a directory are 0, for no limit, or more")
        if not hamt.is_fanout(self.hamt_fanout):
            raise InvalidImportOption(
                f"the HAMT fan-out is a power of two from {hamt.MIN_FANOUT} to {hamt.MAX_FANOUT}"
            )


UNIXFS_V0_2015 = Profile(
    "unixfs-v0-2015",
    cid_version=0,
    raw_leaves=False,
    chunk_size=262_144,
    max_links=174,
    directory_estimation=Estimation.LINKS,
)
UNIXFS_V1_2025 = Profile(
    "unixfs-v1-2025", cid_version=1, raw_leaves=True, chunk_size=1_048_576, max_links=1024
)

DEFAULT_PROFILE = UNIXFS_V1_2025
PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (UNIXFS_V0_2015, UNIXFS_V1_2025)}
)


def profile_named(name: str) -> Profile:
    """Look a profile up. Raises InvalidImportOption, which names those known."""
    profile = PROFILES.get(name)
    if profile is None:
        raise InvalidImportOption(f"unknown profile {quoted(name)}; known are {', '.join(PROFILES)}")
    return profile


def with_options(
    profile: Profile,
    *,
    cid_version: int | None = None,
    raw_leaves: bool | None = None,
    chunk_size: int | None = None,
    max_links: int | None = None,
    hash_code: int | None = None,
    max_directory_links: int | None = None,
    hamt_fanout: int | None = None,
) -> Profile:
    """Return `profile` with some parameters changed; what is None stays, or follows from the rest.

    As in Kubo without configuration, a hash other than sha2-256 implies CIDv1, and the CID version implies
    whether leaves are raw. Raises InvalidImportOption.
    """
    code = _given(hash_code, profile.hash_code)
    if cid_version is None:
        cid_version = profile.cid_version if code == SHA2_256 else 1
    if raw_leaves is None:
        raw_leaves = profile.raw_leaves if cid_version == profile.cid_version else cid_version == 1
    return replace(
        profile,
        cid_version=cid_version,
        raw_leaves=raw_leaves,
        chunk_size=_given(chunk_size, profile.chunk_size),
        max_links=_given(max_links, profile.max_links),
        hash_code=code,
        max_directory_links=_given(max_directory_links, profile.max_directory_links),
        hamt_fanout=_given(hamt_fanout, profile.hamt_fanout),
    )


def _given(value: int | None, default: int) -> int:
    return default if value is None else value
