"""Whatever peers want, cancel and say, in whatever order: the engine serves what is wanted, and only that."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.engine import Engine
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import WantEntry
from peershelf.protocols.bitswap.turn import Turn
from peershelf.protocols.transport import PeerId

CIDS = [Block.create(bytes([number])).cid for number in range(8)]
SIZES = {cid: 100 if number % 3 == 0 else 2_000 + number for number, cid in enumerate(CIDS)}
PEERS = [PeerId(name) for name in "ABC"]
LIMITS = BitswapLimits(
    wants_per_peer=5,
    message_out=4_500,
    buffered_per_peer=6_000,
    buffered_total=9_000,
    inline_block=1_024,
    messages_ahead=2,
)
PATIENCE = 100.0

entries = st.builds(
    WantEntry,
    st.sampled_from(CIDS),
    priority=st.integers(0, 2),
    cancel=st.sampled_from([False, False, False, True]),
    have_only=st.booleans(),
    send_dont_have=st.booleans(),
)


@dataclass
class Model:
    """What we know of a peer without the engine."""

    wants: dict[Cid, WantEntry] = field(default_factory=dict)
    sending: dict[Cid, Turn] = field(default_factory=dict)


class EngineMachine(RuleBasedStateMachine):
    turns = Bundle("turns")
    lookups = Bundle("lookups")

    @initialize(stored=st.sets(st.sampled_from(CIDS)))
    def start(self, stored):
        self.engine = Engine(LIMITS)
        self.store = set(stored)
        self.ever_stored = set(stored)
        self.peers: dict[PeerId, Model] = {}
        self.now = 0.0
        self.running: list[Turn] = []
        self.open_lookups: list[tuple] = []

    @rule(peer=st.sampled_from(PEERS))
    def connect(self, peer):
        self.engine.peer_connected(peer)
        self.peers.setdefault(peer, Model())

    @rule(peer=st.sampled_from(PEERS))
    def disconnect(self, peer):
        self.engine.peer_disconnected(peer)
        self.peers.pop(peer, None)

    @precondition(lambda self: self.peers)
    @rule(target=lookups, data=st.data(), entries=st.lists(entries, max_size=8), full=st.booleans())
    def receive(self, data, entries, full):
        peer = data.draw(st.sampled_from(sorted(self.peers)))
        model = self.peers[peer]
        if full:
            self.engine.forget_all_but(peer, {entry.cid for entry in entries if not entry.cancel})
        cids = self.engine.receive(peer, entries)
        self._learn(model, entries, full, set(self.engine.wantlist(peer)))
        lookup = (peer, model, {cid: SIZES[cid] if cid in self.store else None for cid in cids})
        self.open_lookups.append(lookup)
        return lookup

    def _learn(self, model: Model, entries, full, kept) -> None:
        named = {entry.cid for entry in entries if not entry.cancel}
        wants = {cid: want for cid, want in model.wants.items() if not full or cid in named}
        for entry in entries:
            if entry.cancel:
                wants.pop(entry.cid, None)
                model.sending.pop(entry.cid, None)
            elif entry.cid not in model.sending and (
                entry.cid in wants or len(wants) < LIMITS.wants_per_peer
            ):
                earlier = wants.get(entry.cid)
                block = earlier is not None and not earlier.have_only
                told = earlier is not None and earlier.send_dont_have
                wants[entry.cid] = WantEntry(
                    entry.cid,
                    entry.priority,
                    have_only=entry.have_only and not block,
                    # The answer to an earlier want may be on its way still.
                    send_dont_have=entry.send_dont_have or told,
                )
        assert kept == set(wants)
        model.wants = wants

    @rule(lookup=consumes(lookups))
    def look_up(self, lookup):
        self._look_up(lookup)

    def _look_up(self, lookup) -> None:
        self.open_lookups.remove(lookup)
        peer, model, sizes = lookup
        if self.peers.get(peer) is model:
            self.engine.looked_up(peer, sizes)

    @rule(cid=st.sampled_from(CIDS))
    def add_block(self, cid):
        self.store.add(cid)
        self.ever_stored.add(cid)
        self.engine.blocks_added({cid: SIZES[cid]})

    @rule(target=turns, seconds=st.sampled_from([0.0, 0.1, PATIENCE]))
    def next_turn(self, seconds):
        self.now += seconds
        turn = self._next_turn()
        return multiple() if turn is None else turn

    def _next_turn(self) -> Turn | None:
        turn = self.engine.next_turn(self.now)
        if turn is None:
            return None
        model = self.peers[turn.peer]
        assert turn.wants
        for want in turn.wants:
            asked = model.wants.pop(want.cid)
            assert want.cid in self.ever_stored
            assert not asked.have_only or SIZES[want.cid] <= LIMITS.inline_block
            model.sending[want.cid] = turn
        assert turn.size == sum(SIZES[want.cid] for want in turn.wants)
        assert turn.size <= LIMITS.message_out or len(turn.wants) == 1
        self.running.append(turn)
        return turn

    def _end(self, turn: Turn) -> list[Cid]:
        """Forget a turn; the CIDs of it that are still wanted."""
        self.running.remove(turn)
        model = self.peers.get(turn.peer)
        if model is None:
            return []
        cids = [want.cid for want in turn.wants if model.sending.get(want.cid) is turn]
        for cid in cids:
            del model.sending[cid]
        return cids

    @rule(turn=consumes(turns), seconds=st.sampled_from([0.0, 0.1]))
    def sent(self, turn, seconds):
        self.now += seconds
        self.engine.sent(turn, self.now)
        self._end(turn)

    @rule(turn=consumes(turns))
    def not_sent(self, turn):
        self.engine.not_sent(turn)
        self._want_again(turn)

    @rule(turn=consumes(turns))
    def unreadable(self, turn):
        self.store -= {want.cid for want in turn.wants}
        self.engine.unreadable(turn, turn.wants)
        self.engine.given_up(turn)
        self._want_again(turn)

    def _want_again(self, turn: Turn) -> None:
        cids = self._end(turn)
        for want in turn.wants:
            wants = self.peers[turn.peer].wants if want.cid in cids else {}
            if want.cid in cids and len(wants) < LIMITS.wants_per_peer:
                wants[want.cid] = WantEntry(
                    want.cid, want.priority, have_only=want.have_only, send_dont_have=want.send_dont_have
                )

    @precondition(lambda self: self.peers)
    @rule(data=st.data())
    def take_presences(self, data):
        self._take_presences(data.draw(st.sampled_from(sorted(self.peers))))

    def _take_presences(self, peer: PeerId) -> None:
        model = self.peers[peer]
        for presence in self.engine.take_presences(peer, 100):
            want = model.wants[presence.cid]
            if presence.have:
                assert want.have_only
                assert SIZES[presence.cid] > LIMITS.inline_block
                del model.wants[presence.cid]
            else:
                assert want.send_dont_have

    @invariant()
    def wants_are_bounded(self):
        for peer in getattr(self, "peers", ()):
            assert len(self.engine.wantlist(peer)) <= LIMITS.wants_per_peer
            assert set(self.engine.wantlist(peer)) == set(self.peers[peer].wants)

    @invariant()
    def bytes_on_their_way_are_bounded(self):
        running = getattr(self, "running", [])
        assert sum(turn.size for turn in running) <= LIMITS.buffered_total
        for peer in PEERS:
            current = [turn for turn in running if turn.peer == peer and self.engine.is_current(turn)]
            assert sum(turn.size for turn in current) <= LIMITS.buffered_per_peer
            assert len(current) <= LIMITS.messages_ahead

    def teardown(self):
        """In the end, once all look-ups and turns are done, nobody waits for what is here."""
        for lookup in list(getattr(self, "open_lookups", [])):
            self._look_up(lookup)
        for turn in list(getattr(self, "running", [])):
            self.engine.sent(turn, self.now)
            self._end(turn)
        while getattr(self, "engine", None) and (turn := self._next_turn()) is not None:
            self.engine.sent(turn, self.now)
            self._end(turn)
        for peer, model in getattr(self, "peers", {}).items():
            self._take_presences(peer)
            assert not self.store & set(model.wants)


EngineMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestEngine = EngineMachine.TestCase
