"""Blocks on their way to a sink, in batches of some MiB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from peershelf.blockstore.block import Block

BATCH_SIZE = 6 * 1024 * 1024 - 64 * 1024
"""Most bytes of a batch, unless one block has more: what the store writes at once, less room for its own."""

Sink = Callable[[Sequence[Block]], None]
"""Stores a batch of blocks, children before parents. Called from one thread at a time; may block."""


class Batch:
    """Gathers blocks and hands them to the sink when they are almost 6 MiB, and at flush()."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._blocks: list[Block] = []
        self._size = 0
        self.blocks = 0
        """Blocks added so far, repeated ones counted each time."""

    def add(self, block: Block) -> None:
        """Append a block. Raises what the sink raises."""
        if self._size + len(block.data) > BATCH_SIZE:
            self.flush()
        self._blocks.append(block)
        self._size += len(block.data)
        self.blocks += 1

    def add_all(self, blocks: Iterable[Block]) -> None:
        """Append blocks. Raises what the sink raises."""
        for block in blocks:
            self.add(block)

    def flush(self) -> None:
        """Hand over what is left. Raises what the sink raises."""
        if self._blocks:
            blocks, self._blocks, self._size = self._blocks, [], 0
            self._sink(blocks)
