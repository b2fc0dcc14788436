"""Blocks that are asked for before they are needed: how many, and who shares the memory."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing

import pytest
import trio
import trio.testing
from contents import SMALL_CHUNKS, content, read

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.unixfs.sequence import FileSequence
from peershelf.node import Node
from peershelf.node.read_ahead import READ_AHEAD, READ_AHEAD_OF_ALL, in_steps


async def test_a_file_of_several_read_aheads_comes_back(node: Node) -> None:
    data = content(3 * READ_AHEAD + 1)
    assert await read(node, await node.add(data)) == data


async def test_files_read_at_the_same_time_share_the_memory_for_reading_ahead(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: list[int] = []
    wants = FileSequence.wants

    def noted(reader: FileSequence, budget_bytes: int) -> list[Cid]:
        budgets.append(budget_bytes)
        return wants(reader, budget_bytes)

    monkeypatch.setattr(FileSequence, "wants", noted)
    cid = await node.add(content(300_000), profile=SMALL_CHUNKS)
    async with AsyncExitStack() as stack:
        for _ in range(8):
            stalled = await stack.enter_async_context(aclosing(node.cat(cid)))
            await anext(aiter(stalled))
        assert budgets[0] == READ_AHEAD
        share = READ_AHEAD_OF_ALL // 8
        assert share * 7 // 8 < budgets[-1] <= share
    await trio.testing.wait_all_tasks_blocked()
    budgets.clear()
    await read(node, cid)
    assert budgets[0] == READ_AHEAD


def test_the_read_ahead_moves_on_in_steps():
    ahead = [in_steps(64, read, 4) + read for read in range(40)]
    assert ahead == [64] * 16 + [80] * 16 + [96] * 8
    assert [in_steps(3, read, 4) + read for read in range(4)] == [3, 4, 5, 6]
