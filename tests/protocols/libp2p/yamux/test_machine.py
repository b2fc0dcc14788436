"""Two sessions joined by a connection that cuts bytes anywhere, whatever their users do."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.session import Session
from peershelf.protocols.libp2p.yamux.stream import Side, Stream

LIMITS = YamuxLimits(
    accept_backlog=4, unacknowledged=6, unread=3 << 20, grown_windows=2 << 20, window=1 << 20
)
MOST = 1 << 20
PATTERN = bytes(range(251)) * (MOST // 251 + 2)
"""What is sent: each byte tells where in its stream it belongs."""

sides = st.integers(0, 1)
picks = st.integers(0, 1000)
sizes = st.integers(1, 2_000) | st.integers(1, MOST)


@dataclass(eq=False)
class End:
    """One end of a stream, and how much went through it."""

    session: Session
    state: Stream
    sent: int = 0
    received: int = 0

    def expected(self, offset: int, size: int) -> bytes:
        start = (offset + self.state.id) % 251
        return PATTERN[start : start + size]


@dataclass(eq=False)
class Node:
    """One session, the bytes on their way to it, and its streams."""

    session: Session
    incoming: bytearray = field(default_factory=bytearray)
    ends: dict[int, End] = field(default_factory=dict)

    def add(self, state: Stream) -> None:
        self.ends[state.id] = End(self.session, state)

    def next_piece(self, size: int) -> bytes:
        """Remove and return what comes next."""
        piece = bytes(self.incoming[:size])
        del self.incoming[:size]
        return piece


class TwoSessions(RuleBasedStateMachine):
    """Opens, writes, reads, ends and resets streams, and moves bytes in pieces, in any order."""

    @initialize()
    def connect(self) -> None:
        self.now = 0.0
        self.nodes = [Node(Session(initiator=dialed, now=0.0, limits=LIMITS)) for dialed in (True, False)]

    @property
    def all_ends(self) -> list[End]:
        return [end for node in self.nodes for end in node.ends.values()]

    def pick(self, number: int) -> End:
        return self.all_ends[number % len(self.all_ends)]

    @rule(side=sides)
    def open(self, side: int) -> None:
        node = self.nodes[side]
        if node.session.may_open:
            node.add(node.session.open(self.now))

    @rule(side=sides)
    def accept(self, side: int) -> None:
        node = self.nodes[side]
        if (state := node.session.accept()) is not None:
            node.add(state)

    @precondition(lambda self: self.all_ends)
    @rule(number=picks, size=sizes)
    def write(self, number: int, size: int) -> None:
        end = self.pick(number)
        if end.state.sending is Side.OPEN:
            end.sent += end.session.send(end.state, memoryview(end.expected(end.sent, size)))

    @precondition(lambda self: self.all_ends)
    @rule(number=picks, size=sizes)
    def read(self, number: int, size: int) -> None:
        self.read_some(self.pick(number), size)

    def read_some(self, end: End, size: int) -> int:
        data = b"".join(end.session.read_pieces(end.state, size, self.now))
        assert data == end.expected(end.received, len(data))
        end.received += len(data)
        return len(data)

    @precondition(lambda self: self.all_ends)
    @rule(number=picks)
    def finish(self, number: int) -> None:
        end = self.pick(number)
        end.session.finish(end.state)

    @precondition(lambda self: self.all_ends)
    @rule(number=picks, sure=st.integers(0, 3))
    def reset(self, number: int, sure: int) -> None:
        if not sure:
            end = self.pick(number)
            end.session.reset(end.state)

    @rule(side=sides)
    def send(self, side: int) -> None:
        self.nodes[1 - side].incoming += b"".join(
            chain.from_iterable(self.nodes[side].session.data_to_send())
        )

    @rule(side=sides, cuts=st.lists(sizes, min_size=1, max_size=5))
    def deliver(self, side: int, cuts: list[int]) -> None:
        node = self.nodes[side]
        node.session.receive(self.now, *(node.next_piece(size) for size in cuts))

    @rule(seconds=st.floats(0.0, 5.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for node in self.nodes:
            node.session.receive(self.now)
            node.session.tick(self.now)

    @invariant()
    def neither_finds_fault_with_the_other(self) -> None:
        assert [node.session.ended for node in self.nodes] == [None, None]

    @invariant()
    def windows_keep_their_bounds(self) -> None:
        for node in self.nodes:
            assert sum(len(end.state.buffer) for end in node.ends.values()) <= LIMITS.unread
            for stream in node.session.streams:
                assert stream.window.credit + stream.window.unread <= stream.window.size <= LIMITS.window

    def settle(self) -> None:
        """Let everything arrive and be read, until nothing moves any more."""
        moved = True
        while moved:
            moved = False
            for side in (0, 1):
                self.send(side)
                moved |= bool(self.nodes[1 - side].incoming)
                self.deliver(1 - side, [1 << 30])
                self.accept(1 - side)
            for end in self.all_ends:
                moved |= self.read_some(end, MOST) > 0

    def teardown(self) -> None:
        if not hasattr(self, "nodes"):
            return
        self.settle()
        ours, theirs = ({stream.id for stream in node.session.streams} for node in self.nodes)
        assert ours == theirs
        for node, other in (self.nodes, self.nodes[::-1]):
            assert node.session.streams.budget.unread == 0
            for number, end in node.ends.items():
                self.check_direction(end, other.ends.get(number))

    def check_direction(self, sender: End, receiver: End | None) -> None:
        """What was sent has arrived, unless one of both reset the stream."""
        if receiver is None:
            assert sender.state.sending is not Side.OPEN, "nobody ever saw this stream"
        elif sender.state.sending is not Side.RESET and receiver.state.receiving is not Side.RESET:
            assert receiver.received == sender.sent
            assert receiver.state.receiving is sender.state.sending


TestTwoSessions = TwoSessions.TestCase
TestTwoSessions.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
