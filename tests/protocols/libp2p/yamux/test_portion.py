"""How much is handed over at a time follows how fast the connection takes it."""

from peershelf.protocols.libp2p.yamux.frames import MAX_FRAME, MAX_PAYLOAD
from peershelf.protocols.libp2p.yamux.portion import LEAST, MOST, Portion
from peershelf.protocols.libp2p.yamux.session import Session


def test_it_begins_small_and_grows_on_a_fast_line() -> None:
    portion = Portion()
    assert portion.size == LEAST * MAX_FRAME
    sizes = []
    for _ in range(5):
        portion.took(0.001)
        sizes.append(portion.size)
    assert sizes == sorted(sizes)
    assert sizes[-1] == MOST * MAX_FRAME


def test_it_shrinks_on_a_slow_line_and_stays_on_one_between() -> None:
    portion = Portion()
    for _ in range(5):
        portion.took(0.001)
    portion.took(0.02)
    assert portion.size == MOST * MAX_FRAME
    for _ in range(5):
        portion.took(1.0)
    assert portion.size == LEAST * MAX_FRAME


def test_a_stream_puts_no_more_than_a_portion_in_front_of_the_others() -> None:
    session = Session(initiator=True, now=0.0)
    stream = session.open(0.0)
    stream.add_credit(10_000_000)
    data = memoryview(bytes(10_000_000))
    assert session.send(stream, data) == LEAST * MAX_PAYLOAD
    for _ in range(5):
        session.data_to_send()
        session.handed_over(0.001)
    assert session.send(stream, data) == MOST * MAX_PAYLOAD
