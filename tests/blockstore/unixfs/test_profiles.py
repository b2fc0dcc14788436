from __future__ import annotations

from typing import Any

import pytest

from peershelf.blockstore.errors import InvalidImportOption
from peershelf.blockstore.multihash import BLAKE3, SHA2_256
from peershelf.blockstore.unixfs.profiles import (
    DEFAULT_PROFILE,
    MAX_CHUNK_SIZE,
    PROFILES,
    UNIXFS_V0_2015,
    UNIXFS_V1_2025,
    profile_named,
    with_options,
)


def test_the_default_is_the_profile_of_2025() -> None:
    assert DEFAULT_PROFILE is profile_named("unixfs-v1-2025")
    assert (DEFAULT_PROFILE.cid_version, DEFAULT_PROFILE.raw_leaves) == (1, True)


def test_an_unknown_profile_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidImportOption, match="unixfs-v0-2015, unixfs-v1-2025"):
        profile_named("badger")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_no_options_change_nothing(profile: Any) -> None:
    assert with_options(profile) == profile


@pytest.mark.parametrize(
    ("profile", "options", "version", "raw"),
    [
        (UNIXFS_V0_2015, {"cid_version": 1}, 1, True),
        (UNIXFS_V0_2015, {"cid_version": 1, "raw_leaves": False}, 1, False),
        (UNIXFS_V0_2015, {"raw_leaves": True}, 0, True),
        (UNIXFS_V0_2015, {"hash_code": BLAKE3}, 1, True),
        (UNIXFS_V0_2015, {"hash_code": BLAKE3, "raw_leaves": False}, 1, False),
        (UNIXFS_V0_2015, {"hash_code": SHA2_256}, 0, False),
        (UNIXFS_V1_2025, {"cid_version": 0}, 0, False),
        (UNIXFS_V1_2025, {"raw_leaves": False}, 1, False),
        (UNIXFS_V1_2025, {"hash_code": BLAKE3}, 1, True),
    ],
)
def test_options_imply_others_as_in_kubo(profile: Any, options: Any, version: int, raw: bool) -> None:
    changed = with_options(profile, **options)
    assert (changed.cid_version, changed.raw_leaves) == (version, raw)


@pytest.mark.parametrize(
    "options",
    [
        {"cid_version": 2},
        {"cid_version": 0, "hash_code": BLAKE3},
        {"chunk_size": 0},
        {"chunk_size": MAX_CHUNK_SIZE + 1},
        {"max_links": 1},
        {"max_links": 100_000},
        {"max_directory_links": -1},
        {"hamt_fanout": 0},
        {"hamt_fanout": 4},
        {"hamt_fanout": 100},
        {"hamt_fanout": 2048},
    ],
)
def test_options_that_make_no_valid_dag_are_refused(options: Any) -> None:
    with pytest.raises(InvalidImportOption):
        with_options(UNIXFS_V0_2015, **options)
