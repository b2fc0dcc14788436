"""Drives the engine: looks up what peers want, reads blocks, and hands them to the peers' senders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

import structlog
import trio

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound, BlockstoreError
from peershelf.protocols.bitswap.engine import Engine
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, WantEntry
from peershelf.protocols.bitswap.sources import BlockSource
from peershelf.protocols.bitswap.turn import Turn
from peershelf.protocols.bitswap.wakeup import Wakeup
from peershelf.protocols.bitswap.wantlist import Want
from peershelf.protocols.offload import Offload
from peershelf.protocols.pacing.turns import Pace, in_parts
from peershelf.protocols.transport import PeerId

log = structlog.get_logger(__name__)

# A hop to a thread costs as much as reading this many bytes, or looking up this many blocks.
_INLINE_BYTES = 65_536
_INLINE_LOOKUPS = 32
_LOOKUPS_AT_ONCE = 2
"""Each takes a thread and a connection to the index, and while one is in Python the others wait anyway."""
_WANTS_PER_STEP = 128
_BATCH = 2 << 20
"""Bytes read in one hop, about."""


class ServedStore(Protocol):
    """What a server needs of a store. Both are called in any thread."""

    def sizes(self, cids: Iterable[Cid], /) -> dict[Cid, int]:
        """The lengths of those of the blocks that are there for peers."""

    def get_unhashed(self, cid: Cid, /) -> bytes | memoryview:
        """Return a block's bytes; the peer will hash them. Raises BlockNotFound, another BlockstoreError."""


class Server:
    """Serves the blocks of a store to peers."""

    def __init__(
        self, engine: Engine, store: ServedStore, offload: Offload, *, changed: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._changed = changed
        self._store = store
        self._offload = offload
        self._peers: dict[PeerId, BlockSource] = {}
        self._turns_possible = Wakeup()
        self._looking_up = trio.CapacityLimiter(_LOOKUPS_AT_ONCE)

    def add_peer(self, peer: PeerId, source: BlockSource) -> None:
        """A peer may be served; `source` takes the messages for it."""
        self._engine.peer_connected(peer)
        self._peers[peer] = source

    def remove_peer(self, peer: PeerId) -> None:
        """Forget a peer; what was on its way to it is given up."""
        self._engine.peer_disconnected(peer)
        source = self._peers.pop(peer, None)
        if source is not None:
            source.give_up()

    async def receive(self, peer: PeerId, message: Message, pace: Pace) -> None:
        """Take the wantlist of a message; answers follow as blocks are looked up and read."""
        new: dict[Cid, None] = {}
        if message.full:
            await pace.through(self._forgetting(peer, message.wants))
        await pace.through(self._noting(peer, message.wants, new))
        # A thread's time counts too: while it looks things up in Python, nobody else runs.
        look_up = pace.timed(partial(self._sizes, list(new)))
        if len(new) <= _INLINE_LOOKUPS:
            sizes, seconds = look_up()
        else:
            async with self._looking_up:
                sizes, seconds = await self._offload(look_up)
        pace.charge(seconds)
        await pace.through(self._answering(peer, sizes))
        pace.do(self._changed)
        self.look_for_turns()

    def _forgetting(self, peer: PeerId, wants: Sequence[WantEntry]) -> Iterator[None]:
        """Drop what a full wantlist does not name."""
        named: set[Cid] = set()

        def note(some: Sequence[WantEntry]) -> None:
            named.update(entry.cid for entry in some if not entry.cancel)

        yield from in_parts(wants, _WANTS_PER_STEP, note)
        self._engine.forget_all_but(peer, named)

    def _noting(self, peer: PeerId, wants: Sequence[WantEntry], new: dict[Cid, None]) -> Iterator[None]:
        """Write a wantlist down; `new` gets the CIDs that are to be looked up."""
        return in_parts(
            wants, _WANTS_PER_STEP, lambda some: new.update(dict.fromkeys(self._engine.receive(peer, some)))
        )

    def _answering(self, peer: PeerId, sizes: Mapping[Cid, int | None]) -> Iterator[None]:
        return in_parts(
            list(sizes.items()), _WANTS_PER_STEP, lambda some: self._engine.looked_up(peer, dict(some))
        )

    def blocks_added(self, sizes: Mapping[Cid, int]) -> None:
        """Blocks of these lengths are in the store now: serve those who wait for them."""
        self._engine.blocks_added(sizes)
        self._changed()
        self.look_for_turns()

    def look_again(self, cids: Iterable[Cid]) -> None:
        """These blocks may be in the store now."""
        self.blocks_added(self._store.sizes(cids))

    async def look_at_all_again(self) -> None:
        """Any block that a peer waits for may be there now."""
        self.blocks_added(await self._offload(partial(self._store.sizes, self._engine.awaited())))

    def look_for_turns(self) -> None:
        """See whether the engine has a turn for somebody now."""
        if self._engine.has_turns:
            self._turns_possible.set()

    async def run(self) -> None:
        """Read blocks and queue them for peers, for ever."""
        while True:
            turns = self._next_turns()
            if not turns:
                with trio.move_on_at(self._engine.room_at(trio.current_time())):
                    await self._turns_possible.wait()
            else:
                await self._serve(turns)

    def _next_turns(self) -> list[Turn]:
        """What to read next, in one go: there is a hop to a thread, and a wake, for all of it together."""
        turns: list[Turn] = []
        size = 0
        while size < _BATCH and (turn := self._engine.next_turn(trio.current_time())) is not None:
            turns.append(turn)
            size += turn.size
        return turns

    async def _serve(self, turns: Sequence[Turn]) -> None:
        load = partial(self._load, turns)
        is_small = sum(turn.size for turn in turns) <= _INLINE_BYTES
        for turn, loaded in zip(turns, load() if is_small else await self._offload(load), strict=True):
            self._pass_on(turn, loaded)

    def _pass_on(self, turn: Turn, loaded: Sequence[tuple[Want, bytes | memoryview | None]]) -> None:
        unreadable = [want for want, data in loaded if data is None]
        if unreadable:
            self._engine.unreadable(turn, unreadable)
            self._changed()
        source = self._peers.get(turn.peer)
        if source is None or not self._engine.is_current(turn):
            self._engine.given_up(turn)
            return
        read = ((want.cid, data) for want, data in loaded if data is not None)
        source.put(turn, [(cid, Payload(Prefix.of(cid), data)) for cid, data in read])

    def _sizes(self, cids: Sequence[Cid]) -> dict[Cid, int | None]:
        sizes = self._store.sizes(cids)
        return {cid: sizes.get(cid) for cid in cids}

    def _load(self, turns: Sequence[Turn]) -> list[list[tuple[Want, bytes | memoryview | None]]]:
        return [[(want, self._read(want.cid)) for want in turn.wants] for turn in turns]

    def _read(self, cid: Cid) -> bytes | memoryview | None:
        try:
            return self._store.get_unhashed(cid)
        except BlockNotFound:
            return None
        except BlockstoreError as error:
            log.warning("block_unreadable", cid=str(cid), reason=str(error))
            return None
