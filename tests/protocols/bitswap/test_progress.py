"""Which bytes of a peer are a sign that it is at work for us."""

from __future__ import annotations

import pytest

from peershelf.protocols.bitswap.progress import Progress

MIB = 1024 * 1024
COPY = b"copy"


@pytest.fixture
def progress() -> Progress:
    """Of a peer from which something is on order."""
    progress = Progress(0.0)
    progress.speed.start(0.0)
    return progress


def comes(progress: Progress, size: int, at: float) -> None:
    """A message with a block comes."""
    progress.heard(size, at)
    progress.took_in()


def test_bytes_count_as_they_come(progress):
    progress.heard(MIB, 1.0)
    assert progress.heard_at == 1.0
    assert progress.speed.rate(1.0) == pytest.approx(MIB)


def test_words_are_taken_back(progress):
    comes(progress, MIB, 1.0)
    progress.heard(MIB + 4, 1.5)
    progress.talked(MIB)
    assert progress.heard_at == 1.0
    assert progress.spoke_at == 1.5
    assert progress.arriving == 0
    assert progress.speed.rate(1.5) < MIB


def test_words_do_not_hide_a_block_that_is_on_its_way(progress):
    progress.heard(100_000, 1.0)
    progress.heard(5_000, 1.5)
    progress.talked(5_000)
    assert progress.heard_at == 1.5
    assert progress.arriving == 100_000


def test_a_useless_block_is_taken_back(progress):
    comes(progress, MIB, 1.0)
    progress.useless(COPY, MIB, 1.0)
    assert progress.speed.rate(1.0) == 0


def test_after_a_useless_block_bytes_count_once_they_are_known_to_be_of_use(progress):
    comes(progress, MIB, 1.0)
    progress.useless(COPY, MIB, 1.0)
    comes(progress, MIB, 2.0)
    assert progress.heard_at == 1.0
    assert progress.speed.rate(2.0) == 0
    progress.useful(MIB, 2.0)
    assert progress.heard_at == 2.0
    assert progress.speed.rate(2.0) > MIB / 2
    progress.heard(10, 3.0)
    assert progress.heard_at == 3.0


def test_small_copies_do_no_harm_while_something_useful_comes(progress):
    """Who has a small block may send it for the question whether it has it, and again when asked for it."""
    for number in range(100):
        comes(progress, 1_000, number / 10)
        progress.useful(1_000, number / 10)
        comes(progress, 1_000, number / 10)
        progress.useless(COPY, 1_000, number / 10)
    assert not progress.is_useless
    progress.heard(10, 99.0)
    assert progress.heard_at == 99.0


def test_many_small_copies_are_useless_as_well(progress):
    for number in range(20):
        comes(progress, 1_000, number)
        progress.useless(COPY, 1_000, number)
    assert progress.is_useless


def test_what_crosses_our_cancel_counts_once(progress):
    progress.recalled(COPY, 0.5)
    comes(progress, MIB, 1.0)
    progress.useless(COPY, MIB, 1.0)
    assert progress.speed.rate(1.0) == pytest.approx(MIB)
    assert not progress.is_useless
    comes(progress, MIB, 1.1)
    progress.useless(COPY, MIB, 1.1)
    assert progress.is_useless


@pytest.mark.parametrize(("seconds", "is_useless"), [(3, True), (2, False)])
def test_what_comes_long_after_our_cancel_does_not(progress, seconds, is_useless):
    progress.recalled(COPY, 0.0)
    for second in range(1, seconds + 1):
        comes(progress, MIB, second)
    progress.useless(COPY, 20_000, seconds)
    assert progress.is_useless is is_useless


def test_from_a_slow_peer_it_may_come_later(progress):
    """A block that takes longer than that has begun before it was withdrawn."""
    progress.recalled(COPY, 0.0)
    for second in range(1, 11):
        progress.heard(MIB // 10, second)
    progress.took_in()
    progress.useless(COPY, MIB, 10.0)
    assert not progress.is_useless
