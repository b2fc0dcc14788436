"""The IPLD data model in Python's terms. https://ipld.io/docs/data-model/"""

from __future__ import annotations

import math

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import MalformedBlock

Node = None | bool | int | float | str | bytes | Cid | list["Node"] | dict[str, "Node"]
"""What a block says. Maps have text keys; ints have 64 bits and a sign; floats are finite."""

MAX_DEPTH = 1024
"""Lists and maps inside one another that are read and written: as many as Kubo takes."""

MIN_INT, MAX_INT = -(1 << 64), (1 << 64) - 1


def checked_number(value: float) -> float:
    """Return an int or a float that a node may hold. Raises MalformedBlock."""
    if isinstance(value, int):
        if not MIN_INT <= value <= MAX_INT:
            raise MalformedBlock("integers have 64 bits at most")
    elif not math.isfinite(value):
        raise MalformedBlock("floats are finite numbers")
    return value


def too_deep() -> MalformedBlock:
    """What to raise for lists and maps that are more than MAX_DEPTH inside one another."""
    return MalformedBlock(f"lists and maps are nested more than {MAX_DEPTH} deep")
