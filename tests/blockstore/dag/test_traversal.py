from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import budget, guide, pb
from peershelf.blockstore.dag.pb import Link
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.dag.visit import Visit
from peershelf.blockstore.errors import BlockNotFound, MalformedBlock
from peershelf.blockstore.multihash import IDENTITY

BUDGET = 1 << 20


def node(*children: Block, note: bytes = b"") -> Block:
    links = tuple(Link(child.cid) for child in children)
    return Block.create(pb.encode(pb.PbNode(note or None, links)), codec=DAG_PB)


def leaf(number: int, size: int = 8) -> Block:
    return Block.create(number.to_bytes(8, "big") + bytes(size - 8))


class Source:
    """Blocks that come in an order of its own; counts what is on order and what is held."""

    def __init__(self, blocks: Sequence[Block], *, seed: int | None = None, last_first: bool = False) -> None:
        self.blocks = {block.cid: block for block in blocks}
        self.asked: list[Cid] = []
        self.asks = 0
        self.most_asked = 0
        self._random = None if seed is None else random.Random(seed)
        self._next = -1 if last_first else 0

    def walk(self, walk: Traversal[Link], budget: int = BUDGET) -> Iterator[Visit[Link]]:
        while not walk.done:
            yield from (visits := walk.read())
            self.asked += (wanted := walk.wants(budget))
            self.asks += len(wanted)
            self.most_asked = max(self.most_asked, len(self.asked))
            if not visits and walk.is_waiting:
                number = self._random.randrange(len(self.asked)) if self._random else self._next
                cid = self.asked.pop(number)
                if cid in self.blocks:
                    walk.receive(self.blocks[cid])
                else:
                    walk.fail(cid, BlockNotFound(str(cid)))


def walked(root: Block, blocks: Sequence[Block], *, seed: int | None = None, **options: object) -> list[Cid]:
    walk = Traversal([guide.root(root.cid)], guide.AllLinks(), **options)  # type: ignore[arg-type]
    return [visit.cid for visit in Source(blocks, seed=seed).walk(walk)]


def expected(root: Block, blocks: Sequence[Block], *, unique: bool, max_depth: int | None) -> list[Cid]:
    """The same by recursion, where that is affordable."""
    by_cid = {block.cid: block for block in blocks}
    least: dict[Cid, int] = {}
    order: list[Cid] = []

    def visit(cid: Cid, depth: int) -> None:
        if unique and cid in least and (max_depth is None or least[cid] <= depth):
            return
        if not unique or cid not in least:
            order.append(cid)
        least[cid] = depth
        if cid.codec == DAG_PB and (max_depth is None or depth < max_depth):
            for link in pb.decode(by_cid[cid].data).links:
                visit(link.cid, depth + 1)

    visit(root.cid, 0)
    return order


@st.composite
def dags(draw: st.DrawFn) -> list[Block]:
    """Blocks, each of which may link to those before it; the last one is the root."""
    blocks = [leaf(number) for number in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(1, 10))):
        children = draw(st.lists(st.sampled_from(blocks), min_size=0, max_size=4))
        blocks.append(node(*children, note=len(blocks).to_bytes(2, "big")))
    return blocks


@given(dags(), st.booleans(), st.none() | st.integers(0, 4), st.integers(0, 99), st.integers(1, 9))
def test_the_order_is_that_of_a_recursive_walk_however_blocks_arrive_and_however_little_may_be_held(
    blocks: list[Block], unique: bool, max_depth: int | None, seed: int, limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "MAX_ASKED", limit)
        patch.setattr(budget, "MAX_PLACES", 2 * limit)
        patch.setattr(budget, "MAX_LINKS", limit)
        patch.setattr(budget, "_MOST_ON_PATH", limit)
        order = walked(blocks[-1], blocks, seed=seed, unique=unique, max_depth=max_depth)
    assert order == expected(blocks[-1], blocks, unique=unique, max_depth=max_depth)


def test_a_visit_tells_depth_parent_data_and_links() -> None:
    inner = node(leaf(1))
    root = node(inner, leaf(2))
    walk = Traversal([guide.root(root.cid)], guide.AllLinks())
    first, second, third, _ = Source([root, inner, leaf(1), leaf(2)]).walk(walk)
    assert (first.depth, first.parent, first.data) == (0, None, root.data)
    assert first.links == (inner.cid, leaf(2).cid)
    assert third.depth == 2
    assert third.parent == second.step
    assert third.data == leaf(1).data


def test_many_small_subtrees_are_asked_for_together() -> None:
    leaves = [leaf(number) for number in range(2000)]
    inner = [node(*leaves[start : start + 4]) for start in range(0, 2000, 4)]
    source = Source([node(*inner), *inner, *leaves])
    walk = Traversal([guide.root(node(*inner).cid)], guide.AllLinks())
    assert len(list(source.walk(walk))) == 2501
    assert source.most_asked >= 400
    assert source.asks == 2501


def test_blocks_on_order_and_held_stay_within_the_budget() -> None:
    leaves = [leaf(number, 10_000) for number in range(500)]
    source = Source([node(*leaves), *leaves], seed=1)
    walk = Traversal([guide.root(node(*leaves).cid)], guide.AllLinks())
    assert len(list(source.walk(walk, 200_000))) == 501
    assert 5 <= source.most_asked <= 21


def test_what_came_too_early_and_was_too_large_is_asked_for_again() -> None:
    small, large = leaf(1), [leaf(number, 1 << 20) for number in range(2, 12)]
    root = node(small, *large)
    walk = Traversal([guide.root(root.cid)], guide.AllLinks())
    source = Source([root, small, *large], last_first=True)
    held = list(source.walk(walk, 1 << 20))
    assert [visit.cid for visit in held] == [root.cid, small.cid, *(block.cid for block in large)]
    assert source.asks > 12


def test_an_error_keeps_until_all_before_it_is_given_out() -> None:
    missing = leaf(2)
    root = node(leaf(1), missing, leaf(3))
    walk = Traversal([guide.root(root.cid)], guide.AllLinks())
    visits = []
    with pytest.raises(BlockNotFound, match=str(missing.cid)):
        for visit in Source([root, leaf(1), leaf(3)]).walk(walk):
            visits.append(visit.cid)
    assert visits == [root.cid, leaf(1).cid]


def test_a_block_that_is_not_what_its_codec_says_is_an_error_at_its_turn() -> None:
    broken = Block.create(b"hello", codec=DAG_PB)
    root = node(leaf(1), broken)
    with pytest.raises(MalformedBlock):
        walked(root, [root, leaf(1), broken])


def test_a_leaf_that_is_present_is_visited_without_data() -> None:
    root = node(leaf(1), leaf(2))
    walk = Traversal([guide.root(root.cid)], guide.AllLinks())
    walk.wants(BUDGET)
    walk.read()
    walk.wants(BUDGET)
    walk.receive(root)
    assert [visit.cid for visit in walk.read()] == [root.cid]
    assert walk.wants(BUDGET) == [leaf(1).cid, leaf(2).cid]
    walk.present(leaf(1).cid, 8)
    walk.receive(leaf(2))
    assert [(visit.data, visit.size) for visit in walk.read()] == [(None, 8), (leaf(2).data, 8)]
    assert walk.done


def test_blocks_spelled_out_in_their_cid_are_not_asked_for() -> None:
    inline = Block.create(b"tiny", hash_code=IDENTITY)
    root = Block.create(pb.encode(pb.PbNode(None, (Link(inline.cid),))), codec=DAG_PB, hash_code=IDENTITY)
    source = Source([])
    walk = Traversal([guide.root(root.cid)], guide.AllLinks())
    assert [visit.data for visit in source.walk(walk)] == [root.data, b"tiny"]
    assert source.asks == 0


def test_several_roots_are_one_walk() -> None:
    blocks = [leaf(1), leaf(2), node(leaf(1)), node(leaf(2), leaf(1))]
    walk = Traversal([guide.root(block.cid) for block in blocks[2:]], guide.AllLinks())
    order = [visit.cid for visit in Source(blocks).walk(walk)]
    assert order == [blocks[2].cid, leaf(1).cid, blocks[3].cid, leaf(2).cid]


# Bombs.


def test_links_in_two_to_the_power_of_thirty_ways_end() -> None:
    blocks = [leaf(1)]
    for level in range(30):
        twin = node(blocks[-1], note=b"%d" % level)
        blocks += [twin, node(blocks[-1], twin, blocks[-1])]
    assert sorted(walked(blocks[-1], blocks)) == sorted(block.cid for block in blocks)


def test_twenty_thousand_levels_end() -> None:
    blocks = [leaf(1)]
    for _ in range(20_000):
        blocks.append(node(blocks[-1]))
    assert len(walked(blocks[-1], blocks)) == 20_001


def test_a_node_with_very_many_links_is_walked() -> None:
    leaves = [leaf(number) for number in range(38_000)]
    root = node(*leaves)
    assert walked(root, [root, *leaves]) == [root.cid, *(block.cid for block in leaves)]


def test_links_beside_a_long_path_are_forgotten_and_read_again() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "MAX_LINKS", 100)
        patch.setattr(budget, "_MOST_ON_PATH", 400)
        patch.setattr(budget, "MAX_PLACES", 20)
        blocks = [leaf(1)]
        order = [blocks[0].cid]
        for level in range(50):
            others = [leaf(100 * (level + 1) + number) for number in range(30)]
            blocks += [*others, node(blocks[-1], *others)]
            order = [blocks[-1].cid, *order, *(block.cid for block in others)]
        walk = Traversal([guide.root(blocks[-1].cid)], guide.AllLinks())
        source = Source(blocks)
        found, most = [], 0
        for visit in source.walk(walk):
            found.append(visit.cid)
            most = max(most, walk._frontier.links_on_path + walk._frontier.links_ahead)
    assert found == order
    assert most < 700
    assert source.asks > len(blocks)
