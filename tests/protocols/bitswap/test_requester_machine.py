"""Whatever peers have, say and do, in whatever order: what is asked for comes as soon as somebody honest has
it, once to each session that wants it, and nothing else comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Presence, WantEntry
from peershelf.protocols.bitswap.requester import Requester, Verdict
from peershelf.protocols.transport import PeerId

CIDS = [Block.create(bytes([number])).cid for number in range(12)]
PEERS = [PeerId(name) for name in "ABCD"]
RESCUER = PeerId("rescuer")
SIZE = 1_000
LIMITS = BitswapLimits(
    session_wants=6, wants_per_peer=8, window_peer=2, window_all=4, window_most=4, session_undelivered=8_000
)
ENOUGH = 60.0
"""Seconds after which everything that an honest peer has must have come."""
STEP = 0.05
"""Seconds after which the quickest of them answers."""


@dataclass
class Peer:
    """A peer that keeps our wants as an honest server does; the rules decide when it acts on them."""

    blocks: set[Cid]
    wants: dict[Cid, WantEntry] = field(default_factory=dict)
    ever_told: set[Cid] = field(default_factory=set)
    denied: set[Cid] = field(default_factory=set)
    """Wants that it keeps until it has the block, and has answered."""
    disowned: set[Cid] = field(default_factory=set)
    """Blocks that it has, and said that it has not."""

    def take(self, entries: tuple[WantEntry, ...], full: bool) -> None:
        if full:
            self.wants.clear()
        for entry in entries:
            self.denied.discard(entry.cid)
            if entry.cancel:
                self.wants.pop(entry.cid, None)
            else:
                self.wants[entry.cid] = entry
                self.ever_told.add(entry.cid)


@dataclass
class Wanting:
    """A session as its user sees it."""

    missing: set[Cid] = field(default_factory=set)
    untaken: int = 0
    stops: bool = False
    """Whether its consumer takes nothing any more in the end."""


class RequesterMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 3), rivals=st.sets(st.sampled_from(CIDS), max_size=6))
    def start(self, seed, rivals):
        self.requester = Requester(LIMITS, random=Random(seed), in_demand=rivals.__contains__)
        self.now = 0.0
        self.peers: dict[PeerId, Peer] = {}
        self.sessions: dict[int, Wanting] = {}
        self.barred: set[PeerId] = set()
        """Peers that sent wrong bytes: they need not be asked for anything again."""

    def sync(self) -> None:
        """What the driver does after every event."""
        self.requester.decide(self.now)
        for name in self.requester.peers_to_tell():
            entries, full = self.requester.take_wants(name, 100)
            self.peers[name].take(entries, full)
        assert self.requester.peers_to_tell() == []

    def deliver(self, name: PeerId, cid: Cid) -> None:
        """A peer sends a block that is what it says."""
        told = cid in self.peers[name].ever_told
        self.requester.heard(name, self.now, SIZE)
        verdict, deliveries = self.requester.block_received(name, cid.multihash, SIZE, self.now)
        assert told == (verdict is not Verdict.UNREQUESTED)
        waiting = {number for number, session in self.sessions.items() if cid in session.missing}
        got = {delivery.session for delivery in deliveries}
        assert len(got) == len(deliveries)
        assert got <= waiting
        assert all(delivery.cid == cid for delivery in deliveries)
        assert (verdict is Verdict.WANTED) == bool(deliveries)
        for number in got:
            self.sessions[number].missing.discard(cid)
            self.sessions[number].untaken += SIZE
        self.peers[name].wants.pop(cid, None)
        self.sync()

    @rule(name=st.sampled_from(PEERS), blocks=st.sets(st.sampled_from(CIDS)))
    def connect(self, name, blocks):
        if name not in self.peers:
            self.peers[name] = Peer(blocks)
            self.requester.peer_connected(name, self.now)
            self.sync()

    @rule(name=st.sampled_from(PEERS))
    def disconnect(self, name):
        self.peers.pop(name, None)
        self.requester.peer_disconnected(name)
        self.sync()

    @rule(cids=st.lists(st.sampled_from(CIDS), unique=True, max_size=8), stops=st.booleans())
    def open_session(self, cids, stops):
        number = self.requester.open()
        self.sessions[number] = Wanting(set(cids), stops=stops)
        self.requester.want(number, cids)
        self.sync()

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), cids=st.lists(st.sampled_from(CIDS), max_size=4))
    def want_more(self, data, cids):
        number = data.draw(st.sampled_from(sorted(self.sessions)))
        self.sessions[number].missing.update(cids)
        self.requester.want(number, cids)
        self.sync()

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def close_session(self, data):
        number = data.draw(st.sampled_from(sorted(self.sessions)))
        del self.sessions[number]
        self.requester.close(number, self.now)
        self.sync()

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def consume(self, data):
        number = data.draw(st.sampled_from(sorted(self.sessions)))
        self.take_all(number)
        self.sync()

    def take_all(self, number) -> None:
        self.requester.consumed(number, self.sessions[number].untaken)
        self.sessions[number].untaken = 0

    @precondition(lambda self: self.peers)
    @rule(data=st.data(), most=st.integers(1, 5))
    def answer(self, data, most):
        """A peer answers some of what it was told, as an honest server does."""
        self.serve(data.draw(st.sampled_from(sorted(self.peers))), most)

    def serve(self, name: PeerId, most: int) -> None:
        peer = self.peers[name]
        for cid, entry in list(peer.wants.items())[:most]:
            if cid not in peer.wants or name not in self.peers or cid in peer.denied:
                continue
            if cid not in peer.blocks:
                peer.denied.add(cid)
                self.say(name, cid, have=False)
            elif entry.have_only:
                del peer.wants[cid]
                self.say(name, cid, have=True)
            else:
                self.deliver(name, cid)

    def say(self, name: PeerId, cid: Cid, *, have: bool) -> None:
        self.requester.presences(name, [Presence(cid, have)])
        self.sync()

    @precondition(lambda self: self.peers)
    @rule(data=st.data(), cid=st.sampled_from(CIDS), have=st.booleans())
    def lie(self, data, cid, have):
        name = data.draw(st.sampled_from(sorted(self.peers)))
        entry = self.peers[name].wants.get(cid)
        if have and entry is not None and entry.have_only:
            del self.peers[name].wants[cid]
        if not have:
            self.peers[name].disowned.add(cid)
        self.say(name, cid, have=have)

    @precondition(lambda self: self.peers)
    @rule(data=st.data(), cid=st.sampled_from(CIDS))
    def send_whatever(self, data, cid):
        """A block out of the blue, or late, or twice."""
        self.deliver(data.draw(st.sampled_from(sorted(self.peers))), cid)

    @precondition(lambda self: self.peers)
    @rule(data=st.data())
    def send_wrong_bytes(self, data):
        name = data.draw(st.sampled_from(sorted(self.peers)))
        self.barred.add(name)
        self.requester.bad_block(name, self.now)
        self.sync()

    @precondition(lambda self: self.peers)
    @rule(data=st.data())
    def lose_stream(self, data):
        """Nothing that the peer was told is sure to have arrived."""
        name = data.draw(st.sampled_from(sorted(self.peers)))
        self.peers[name].wants.clear()
        self.requester.stream_lost(name)
        self.sync()

    @rule(cid=st.sampled_from(CIDS))
    def find_locally(self, cid):
        deliveries = self.requester.block_found(cid.multihash, SIZE, self.now)
        waiting = {number for number, session in self.sessions.items() if cid in session.missing}
        got = {delivery.session for delivery in deliveries}
        assert got <= waiting
        for number in got:
            self.sessions[number].missing.discard(cid)
            self.sessions[number].untaken += SIZE
        self.sync()

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 5.0, 40.0]))
    def wait(self, seconds):
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self.requester.next_deadline <= end:
            self.now = max(self.now, self.requester.next_deadline)
            self.requester.tick(self.now)
            self.sync()
        self.now = end

    @invariant()
    def peers_are_not_overrun(self):
        for peer in getattr(self, "peers", {}).values():
            assert len(peer.wants) <= LIMITS.wants_per_peer

    @invariant()
    def only_what_sessions_miss_is_wanted(self):
        if hasattr(self, "sessions"):
            missing = set().union(*(session.missing for session in self.sessions.values()))
            assert set(self.requester.wanted()) <= missing
            for peer in self.peers.values():
                assert set(peer.wants) <= missing

    @invariant()
    def undelivered_bytes_are_bounded(self):
        for session in getattr(self, "sessions", {}).values():
            # What is found locally or sent unasked in answer to a want-have comes on top, once for each want.
            assert session.untaken <= LIMITS.session_undelivered + len(CIDS) * SIZE

    def teardown(self):
        """Once peers answer and consumers consume, what is there comes; all, when somebody has all."""
        if not hasattr(self, "requester"):
            return
        consuming = {number: session for number, session in self.sessions.items() if not session.stops}
        honest = (self.peers[name] for name in self.peers.keys() - self.barred)
        there = set().union(*(peer.blocks - peer.disowned for peer in honest))
        self.settle(consuming, there)
        self.peers[RESCUER] = Peer(set(CIDS))
        self.requester.peer_connected(RESCUER, self.now)
        self.settle(self.sessions, set(CIDS))

    def settle(self, sessions: Mapping[int, Wanting], there: set[Cid]) -> None:
        """Peers answer, each at its own speed, until those sessions have what they ask for and is there."""
        end = self.now + ENOUGH
        for step in count():
            if not any(there.intersection(self.requester.active(number)) for number in sessions):
                return
            assert self.now < end
            for number in sessions:
                self.take_all(number)
            self.sync()
            for every, name in enumerate([RESCUER, *PEERS], start=1):
                if name in self.peers and step % every == 0:
                    self.serve(name, len(CIDS))
            self.pass_time(STEP)


RequesterMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestRequester = RequesterMachine.TestCase
