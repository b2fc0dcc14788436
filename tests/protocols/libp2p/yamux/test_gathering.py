"""Who reads something long is woken once there is enough of it, and always in time; under virtual time."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.libp2p.yamux.muxed_stream import GATHER


@pytest.fixture
async def ends(connections):
    async with connections() as (a, b):
        ours = await a.open_stream()
        yield ours, await b.accept_stream()


@pytest.fixture
def read(ends, nursery):
    """`read(least)` begins to read; `await read.result()` returns the bytes, and the seconds that it took."""

    class Reading:
        def __call__(self, least):
            self._done = trio.Event()
            self._since = trio.current_time()
            nursery.start_soon(self._run, least)

        async def _run(self, least):
            self._bytes = b"".join(await ends[1].read_pieces(1 << 30, least))
            self._took = pytest.approx(trio.current_time() - self._since)
            self._done.set()

        async def result(self):
            await self._done.wait()
            return self._bytes, self._took

    return Reading()


async def test_a_reader_sleeps_until_there_is_what_it_asked_for(ends, read, autojump_clock):
    read(100)
    await ends[0].write(bytes(60))
    await trio.sleep(GATHER / 2)
    await ends[0].write(bytes(40))
    assert await read.result() == (bytes(100), GATHER / 2)


async def test_a_peer_that_pauses_is_heard_soon(ends, read, autojump_clock):
    read(100)
    await ends[0].write(bytes(60))
    assert await read.result() == (bytes(60), GATHER)


async def test_after_a_silence_the_first_byte_is_enough(ends, read, autojump_clock):
    read(100)
    await trio.sleep(1)
    await ends[0].write(b"x")
    assert await read.result() == (b"x", 1)


async def test_the_end_is_not_waited_past(ends, read, autojump_clock):
    read(100)
    await ends[0].write(bytes(60))
    await ends[0].close()
    assert await read.result() == (bytes(60), 0)


async def test_half_of_what_the_peer_may_send_is_enough(ends, read, autojump_clock):
    half = ends[1].state.window.allowed // 2
    read(1 << 30)
    await ends[0].write(bytes(half))
    assert await read.result() == (bytes(half), 0)


async def test_a_reader_that_gave_up_has_taken_nothing_and_the_next_one_gets_it(ends, autojump_clock):
    with trio.move_on_after(GATHER / 2):
        await ends[1].read_pieces(1 << 30, 100)
    await ends[0].write(b"kept")
    assert await ends[1].read() == b"kept"
