from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.node.peer_book import MOST_ADDRESSES, MOST_PEERS, PeerBook
from peershelf.node.peer_ids import format_peer_id
from peershelf.protocols.transport import PeerId


def peer(number: int) -> PeerId:
    return format_peer_id(b"\x12\x20" + number.to_bytes(32, "big"))


def way(number: int) -> str:
    return f"/ip4/192.0.2.{number}/tcp/4001"


def test_the_newest_peers_and_addresses_come_first_and_the_oldest_are_forgotten() -> None:
    book = PeerBook()
    for number in range(MOST_PEERS + 1):
        book.reached(peer(number), way(1))
    book.reached(peer(1), way(2))
    assert len(book) == MOST_PEERS
    assert book.newest()[0] == (peer(1), [way(2), way(1)])
    assert book.newest()[1] == (peer(MOST_PEERS), [way(1)])
    assert peer(0) not in dict(book.newest())
    for number in range(3, 10):
        book.reached(peer(1), way(number))
    assert book.newest()[0][1] == [way(number) for number in range(9, 9 - MOST_ADDRESSES, -1)]


def test_a_book_of_old_comes_below_what_is_noted_already() -> None:
    book, older = PeerBook(), PeerBook()
    for number in range(MOST_PEERS):
        older.reached(peer(number), way(1))
    book.reached(peer(7), way(2))
    book.reached(peer(MOST_PEERS), way(3))
    book.put_below(older)
    assert len(book) == MOST_PEERS
    assert book.newest()[:2] == [(peer(MOST_PEERS), [way(3)]), (peer(7), [way(2)])]
    assert book.newest()[2] == (peer(MOST_PEERS - 1), [way(1)])
    assert (book.addresses_of(peer(0)), book.addresses_of(peer(1))) == ((), (way(1),))


def test_an_address_on_this_machine_is_kept_only_where_there_is_no_other() -> None:
    book = PeerBook()
    book.reached(peer(1), "/ip4/127.0.0.1/tcp/1")
    book.reached(peer(1), "/ip6/::1/tcp/2")
    assert dict(book.newest())[peer(1)] == ["/ip6/::1/tcp/2", "/ip4/127.0.0.1/tcp/1"]
    book.reached(peer(1), way(1))
    book.reached(peer(1), "/ip4/127.0.0.1/tcp/1")
    assert dict(book.newest())[peer(1)] == [way(1)]


def test_a_book_is_read_as_it_was_written() -> None:
    book = PeerBook()
    for number, other in pairwise(range(10)):
        book.reached(peer(number), way(number))
        book.reached(peer(number), way(other) + "/ws")
    assert book.changed
    again = PeerBook.decode(book.encode())
    assert again.newest() == book.newest()
    assert not book.changed
    assert not again.changed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"Peers": 1}',
        b'{"Peers": [1]}',
        b'{"Peers": [{"ID": 1, "Addrs": ["/"]}]}',
        b'{"Peers": [{"ID": "x", "Addrs": 1}]}',
    ],
)
def test_a_damaged_book_is_an_empty_one(data: bytes) -> None:
    assert len(PeerBook.decode(data)) == 0


@given(st.binary(max_size=100))
def test_no_bytes_make_reading_fail(data: bytes) -> None:
    PeerBook.decode(data)
