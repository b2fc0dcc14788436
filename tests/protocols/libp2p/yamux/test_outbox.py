"""The order and the portions in which frames go out."""

from __future__ import annotations

from itertools import chain

from peershelf.protocols.libp2p.yamux.frames import HEADER_SIZE, MAX_FRAME, MAX_PAYLOAD, Flag, Kind
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.outbox import Outbox

PORTION = 4 * MAX_FRAME


def test_frames_of_a_stream_keep_their_order(frames_in):
    outbox = Outbox(YamuxLimits())
    outbox.control(Kind.WINDOW_UPDATE, Flag.SYN, 1, 0, urgent=False)
    outbox.data(1, memoryview(b"abc"))
    outbox.control(Kind.WINDOW_UPDATE, Flag.FIN, 1, 0, urgent=False)
    flags = [(header.flags, payload) for header, payload in frames_in(outbox.take(PORTION))]
    assert flags == [(Flag.SYN, b""), (0, b"abc"), (Flag.FIN, b"")]


def test_an_urgent_frame_does_not_wait_for_more_than_a_portion(frames_in):
    outbox = Outbox(YamuxLimits())
    for _ in range(12):
        outbox.data(1, memoryview(bytes(MAX_PAYLOAD)))
    outbox.control(Kind.PING, Flag.ACK, 0, 7, urgent=True)
    assert [header.kind for header, _ in frames_in(outbox.take(PORTION))][-1] == Kind.PING


def test_a_portion_is_whole_frames_within_its_size(frames_in):
    outbox = Outbox(YamuxLimits())
    sizes = [MAX_PAYLOAD, 1, 70, MAX_PAYLOAD, MAX_PAYLOAD, 50_000, MAX_PAYLOAD]
    for size in sizes:
        outbox.data(1, memoryview(bytes(size)))
    seen = []
    while portion := outbox.take(PORTION):
        assert sum(map(len, chain.from_iterable(portion))) <= PORTION
        seen += [len(payload) for _, payload in frames_in(portion)]
    assert seen == sizes
    assert len(outbox) == 0


def test_frames_keep_to_a_message_each_and_small_ones_share(frames_in):
    outbox = Outbox(YamuxLimits())
    sizes = [50, MAX_PAYLOAD, MAX_PAYLOAD, 60_000, 400]
    for size in sizes:
        outbox.data(1, memoryview(bytes(size)))
    outbox.control(Kind.PING, Flag.ACK, 0, 7, urgent=True)
    messages = outbox.take(PORTION)
    found = [[header.length for header, _ in frames_in([message])] for message in messages]
    assert found == [[50], [MAX_PAYLOAD], [MAX_PAYLOAD], [60_000, 400, 7]]


def test_many_urgent_frames_leave_room_for_data(frames_in):
    outbox = Outbox(YamuxLimits())
    for number in range(20_000):
        outbox.control(Kind.PING, Flag.ACK, 0, number, urgent=True)
    outbox.data(1, memoryview(bytes(MAX_PAYLOAD)))
    kinds = {header.kind for header, _ in frames_in(outbox.take(PORTION))}
    assert kinds == {Kind.DATA, Kind.PING}


def test_frames_without_data_that_pile_up_are_noticed():
    outbox = Outbox(YamuxLimits(control_queue=10 * HEADER_SIZE))
    outbox.data(1, memoryview(bytes(1000)))
    for _ in range(10):
        outbox.control(Kind.WINDOW_UPDATE, Flag.RST, 2, 0, urgent=True)
    assert not outbox.is_overfull
    outbox.control(Kind.WINDOW_UPDATE, Flag.RST, 2, 0, urgent=False)
    assert outbox.is_overfull
    outbox.take(PORTION)
    assert not outbox.is_overfull
