"""Directories of a single block that are as wide as a block allows."""

from __future__ import annotations

import time

import pytest

from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.unixfs.entries import basic_entries

EMPTY = Cid.v1(RAW, b"\x00\x00")


def test_a_name_that_comes_again_at_the_end_is_found_in_no_time() -> None:
    links = [pb.Link(EMPTY, b"%x" % number) for number in range(20_000)]
    began = time.process_time()
    with pytest.raises(MalformedBlock, match=r"two entries are named '?4e1f"):
        basic_entries([*links, links[-1]])
    assert time.process_time() - began < 1  # comparing each with all before it takes several times that
