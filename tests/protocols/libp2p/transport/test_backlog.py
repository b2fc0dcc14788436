"""What the kernel may hold back of a connection follows how quickly it takes large writes."""

from __future__ import annotations

import socket

import pytest
import trio

from peershelf.protocols.libp2p.transport.backlog import LEAST, MOST, Backlog

MIB = 1 << 20


@pytest.fixture
def tcp():
    with trio.socket.from_stdlib_socket(socket.socket()) as sock:
        yield sock


def bound(tcp):
    return tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)


def test_a_fast_connection_may_have_much_waiting_until_one_write_takes_long(tcp):
    backlog = Backlog(tcp)
    backlog.took(MIB, 0.001)
    assert (backlog.size, bound(tcp)) == (MOST, MOST)
    backlog.took(MIB, 0.1)
    assert (backlog.size, bound(tcp)) == (LEAST, LEAST)


@pytest.mark.parametrize(("size", "seconds"), [(100, 0.0), (MIB, 0.03)])
def test_small_and_slow_writes_say_nothing_good(tcp, size, seconds):
    backlog = Backlog(tcp)
    backlog.took(size, seconds)
    assert backlog.size == LEAST
