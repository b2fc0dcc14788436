"""The IPLD data model in Python's terms. https://ipld.io/docs/data-model/"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

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


def write(
    node: Node,
    scalar: Callable[[Node], object],
    contents: Callable[[list[Node] | dict[str, Node]], Iterator[Node]],
) -> None:
    """Go through a node in its order, without recursion, for a codec that writes it.

    `scalar` is given what is no list or map. Of those `contents` writes the beginning, yields what is inside,
    each item of which is written before the next one is asked for, and then writes the end.
    Raises MalformedBlock for what is nested too deeply, and what these raise.
    """
    stack: list[Iterator[Node]] = [iter((node,))]
    while stack:
        item = next(stack[-1], _END)
        if item is _END:
            stack.pop()
        elif not isinstance(item, list | dict):
            scalar(item)
        elif len(stack) > MAX_DEPTH:
            raise too_deep()
        else:
            stack.append(contents(item))


_END: Any = object()
