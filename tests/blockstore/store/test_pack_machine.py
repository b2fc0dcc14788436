"""The pack store against a dictionary, through restarts, lost indexes, torn ends and collections."""

from __future__ import annotations

import shutil
import tempfile
from itertools import islice
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.base import Hold
from peershelf.blockstore.store.live import LiveKeys
from peershelf.blockstore.store.pack import PackStore

SEGMENT_SIZE = 2000
BLOCKS = [Block.create(bytes([number]) * (number * 37 % 500)) for number in range(24)]
some_blocks = st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=12)


class PackStoreMachine(RuleBasedStateMachine):
    """`held` is what reads must find; `durable` what they must find after a crash that loses all it may.

    `ghosts` were garbage: they may be back once the index is another than the one that they went from.
    `shielded` is what went through a hold that stays open over several steps.
    """

    @initialize()
    def open_empty(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.saved_index: bytes | None = None
        self.held: set[Block] = set()
        self.durable: set[Block] = set()
        self.ghosts: set[Block] = set()
        self.shielded: set[Block] = set()
        self.hold: Hold | None = None
        self.store = PackStore.open(self.directory, segment_size=SEGMENT_SIZE)

    @rule(blocks=some_blocks)
    def put(self, blocks: list[Block]) -> None:
        self.store.put_many(blocks)
        self.held.update(blocks)
        self.durable = set(self.held)

    @rule(blocks=some_blocks)
    def put_unsynced(self, blocks: list[Block]) -> None:
        self.store.put_many(blocks, durable=False)
        self.held.update(blocks)

    @rule(blocks=some_blocks, durable=st.booleans())
    def put_within_a_hold(self, blocks: list[Block], durable: bool) -> None:
        self.hold = self.hold or self.store.hold()
        self.hold.put_many(blocks, durable=durable)
        self.held.update(blocks)
        self.shielded.update(blocks)
        if durable:
            self.durable = set(self.held)

    @precondition(lambda self: self.hold is not None)
    @rule()
    def end_the_hold(self) -> None:
        self.hold.close()
        self.hold = None
        self.shielded.clear()

    @rule(blocks=some_blocks)
    def delete(self, blocks: list[Block]) -> None:
        expected = len(self.held.intersection(blocks))
        assert self.store.delete_many([block.cid for block in blocks]) == expected
        self.ghosts -= self.held.intersection(blocks)
        self.held.difference_update(blocks)
        self.durable.difference_update(blocks)
        self.shielded.difference_update(blocks)
        if expected:
            self.durable = set(self.held)

    @rule(live=some_blocks, held=st.lists(st.sampled_from(BLOCKS), max_size=3), steps=st.integers(1, 30))
    def collect(self, live: list[Block], held: list[Block], steps: int) -> None:
        with self.store.hold() as hold:
            kept = hold.keep([block.cid for block in held])
            assert kept == {block.cid: len(block.data) for block in held if block in self.held}
            with self.store.collecting() as collection:
                sweep = collection.sweep(LiveKeys(block.cid.multihash for block in live))
                removed = {key for step in islice(sweep, steps) for key in step.keys}
        gone = {block for block in self.held if block.cid.multihash in removed}
        assert len(gone) == len(removed)
        assert not gone & {*live, *held, *self.shielded}
        if steps == 30 and self.hold is None:
            assert self.held - gone <= {*live, *held}
        self.held -= gone
        self.ghosts |= gone
        self.durable = set(self.held)

    @rule()
    def sync(self) -> None:
        self.store.sync()
        self.durable = set(self.held)

    @rule()
    def restart(self) -> None:
        self._close()
        self._open()
        assert not self.store.recovery.index_rebuilt
        assert self.store.recovery.replayed == 0

    @rule()
    def restart_without_index(self) -> None:
        self._close()
        (self.directory / "index.db").unlink()
        self._open()
        self._meet_ghosts()

    @rule()
    def keep_a_copy_of_the_index(self) -> None:
        self._close()
        self.saved_index = (self.directory / "index.db").read_bytes()
        self._open()

    @precondition(lambda self: self.saved_index is not None)
    @rule(sealed=st.booleans())
    def restart_with_the_old_index(self, sealed: bool) -> None:
        self._close()
        (self.directory / "index.db").write_bytes(self.saved_index)
        if not sealed:
            (self.directory / "index.sum").unlink()
        self._open()
        self._meet_ghosts()

    @rule(tail=st.binary(max_size=100))
    def restart_with_rubbish_behind_the_last_record(self, tail: bytes) -> None:
        self._close()
        segments = sorted((self.directory / "segments").glob("*.seg"))
        if not segments:
            tail = b""
        else:
            with segments[-1].open("ab") as file:
                file.write(tail)
        self._open()
        assert self.store.recovery.truncated == len(tail)

    @rule(kept=st.floats(0, 1))
    def crash(self, kept: float) -> None:
        """Everything that is not durable is lost, except for a part of the last segment's end."""
        crashed = Path(tempfile.mkdtemp())
        shutil.copytree(self.directory, crashed, dirs_exist_ok=True)
        self._lose_unsynced_end(crashed, kept)
        self.store.close()
        shutil.rmtree(self.directory)
        self.directory = crashed
        self._open()
        survivors = {block for block in BLOCKS if self.store.has(block.cid)}
        assert self.durable <= survivors <= self.held | self.ghosts
        self.held, self.durable = set(survivors), set(survivors)

    def _lose_unsynced_end(self, directory: Path, kept: float) -> None:
        segments = sorted((directory / "segments").glob("*.seg"))
        unsynced = self.store._pack.log.unsynced
        if segments and unsynced:
            with segments[-1].open("r+b") as file:
                file.truncate(segments[-1].stat().st_size - unsynced + int(kept * unsynced))

    def _meet_ghosts(self) -> None:
        found = {block for block in BLOCKS if self.store.has(block.cid)}
        assert self.held <= found <= self.held | self.ghosts
        if self.store.recovery.index_rebuilt:
            # An index from before would not know the ghosts that are back; no crash brings one here.
            self.saved_index = None
        self.held, self.durable = set(found), set(found)

    def _close(self) -> None:
        self.store.close()
        self.durable = set(self.held)

    def _open(self) -> None:
        self.hold = None
        self.shielded.clear()
        self.store = PackStore.open(self.directory, segment_size=SEGMENT_SIZE)
        assert self.store.recovery.damage == ()

    @invariant()
    def reads_find_exactly_what_is_held(self) -> None:
        for block in self.held:
            assert self.store.get(block.cid) == block.data
        assert sorted(self.store.multihashes()) == sorted(block.cid.multihash for block in self.held)

    @invariant()
    def statistics_agree(self) -> None:
        stats = self.store.stats()
        assert (stats.blocks, stats.payload_size) == (
            len(self.held),
            sum(len(block.data) for block in self.held),
        )

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.directory)


TestPackStoreMachine = PackStoreMachine.TestCase
TestPackStoreMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
