"""What a peer sent before its connection ended is still received."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.errors import StreamReset

TALK = "/test/talk/1.0.0"


async def test_what_arrived_before_the_connection_ended_is_received_and_then_a_reset(host, eventually):
    a, b = await host(), await host()
    asked = trio.Event()

    async def talk(stream):
        await asked.wait()
        await stream.send_all(b"last words")
        await trio.sleep_forever()

    b.handle([TALK], talk)
    await a.connect(b.addresses()[0])
    stream = await a.open_stream(b.local_peer, [TALK])
    asked.set()
    await eventually(lambda: stream._muxed.state.buffer)
    await b.disconnect(a.local_peer)
    await eventually(lambda: not a.peers())
    assert await stream.receive_some() == b"last words"
    with pytest.raises(StreamReset):
        await stream.receive_some()
    await stream.reset()
