"""The links of one directory node: entries, and in a HAMT also the shards that hold more of them.

Checked against what the node says of itself, so that no entry comes twice and every entry is found under its
name by whoever follows a path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock, quoted
from peershelf.blockstore.unixfs import hamt
from peershelf.blockstore.unixfs.message import Data
from peershelf.blockstore.unixfs.murmur3 import murmur3_64


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a directory."""

    name: bytes
    """Usually UTF-8, but whatever its writer chose."""
    cid: Cid
    size: int | None = None
    """Tsize: bytes of all blocks below, as its writer claims."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A node of a HAMT below its root."""

    cid: Cid
    fanout: int
    depth: int
    """Shards above it."""
    slots: int
    """The bits of the hashes that lead to it: those of all entries below it begin so."""


def basic_entries(links: Sequence[pb.Link]) -> list[Entry]:
    """Return the entries of a basic directory. Raises MalformedBlock if two have one name."""
    entries = {link.name or b"": Entry(link.name or b"", link.cid, link.size) for link in links}
    if len(entries) < len(links):
        counts = Counter(link.name or b"" for link in links)
        twice = next(name for name, count in counts.items() if count > 1)
        raise MalformedBlock(f"malformed directory: two entries are named {shown(twice)}")
    return list(entries.values())


def shard_entries(
    content: Data, links: Sequence[pb.Link], parent: Shard | None = None
) -> list[Entry | Shard]:
    """Return what is in the slots of a HAMT node; `parent` is the way to it, None for the root.

    Raises MalformedBlock if its slots are not as it says, or its entries belong elsewhere.
    """
    fanout = hamt.fanout_of(content)
    depth = parent.depth if parent else 0
    if parent is not None and fanout != parent.fanout:
        raise MalformedBlock("malformed directory: its shards differ in their number of slots")
    if depth >= hamt.levels(fanout):
        raise MalformedBlock("malformed directory: its shards are too deep")
    if parent is not None and not links:
        # Else a few blocks could be a tree of more empty shards than anybody has time to visit.
        raise MalformedBlock("malformed directory: one of its shards is empty")
    filled = 0
    found: list[Entry | Shard] = []
    for link in links:
        name = link.name or b""
        slot = _slot(name, fanout)
        if filled >> slot:
            raise MalformedBlock("malformed directory: a shard's slots are out of order")
        filled |= 1 << slot
        slots = (parent.slots if parent else 0) * fanout + slot
        found.append(_content(link, name[hamt.width(fanout) :], Shard(link.cid, fanout, depth + 1, slots)))
    if filled != int.from_bytes(content.data or b"", "big"):
        raise MalformedBlock("malformed directory: a shard's links are not those that it announces")
    return found


def _slot(name: bytes, fanout: int) -> int:
    prefix = name[: hamt.width(fanout)]
    try:
        slot = int(prefix, 16)
    except ValueError:
        slot = fanout
    if slot >= fanout or hamt.slot_name(slot, fanout) != prefix:
        raise MalformedBlock("malformed directory: a shard's link is in no slot")
    return slot


def _content(link: pb.Link, name: bytes, below: Shard) -> Entry | Shard:
    if not name:
        return below
    if murmur3_64(name) >> hamt.shift(below.fanout, below.depth - 1) != below.slots:
        raise MalformedBlock(f"malformed directory: the entry {shown(name)} is in the wrong shard")
    return Entry(name, link.cid, link.size)


def shown(name: bytes) -> str:
    """Return an entry's name as messages show it."""
    return quoted(name.decode("utf-8", "surrogateescape"))
