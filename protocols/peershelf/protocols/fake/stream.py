"""Streams of the fake network: two channels that deliver bytes when their time has come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import inf

import trio

from peershelf.protocols.errors import StreamClosed, StreamReset, StreamStalled
from peershelf.protocols.fake.link import Link
from peershelf.protocols.fake.pipe import Pipe
from peershelf.protocols.transport import PeerId

_SEGMENT = 16_384
"""Bytes that are sent at a time, so that streams of one node share its line."""


class Channel:
    """One direction of a stream."""

    def __init__(self, link: Link, upload: Pipe, download: Pipe) -> None:
        self._link = link
        self._upload = upload
        self._download = download
        self._segments: deque[tuple[float, bytes]] = deque()
        self._unread = 0
        self._ended = False
        self._broken = False
        self._changed = trio.Event()

    async def send(self, data: memoryview, patience: float) -> None:
        """Put bytes on their way, waiting for the window, `patience` seconds at most, and for the line."""
        for start in range(0, len(data), _SEGMENT):
            with trio.move_on_after(patience) as waiting:
                await self._wait_for_window()
            if waiting.cancelled_caught:
                raise StreamStalled(f"the peer took nothing for {patience:g} s")
            segment = bytes(data[start : start + _SEGMENT])
            self._unread += len(segment)
            departs = self._upload.carry(len(segment), trio.current_time())
            await trio.sleep_until(departs)
            self._check()
            arrives = self._download.carry(len(segment), departs + self._link.latency)
            self._segments.append((arrives, segment))
            self._notify()

    async def receive(self, most: int) -> bytes:
        """Take what has arrived; b"" at the end."""
        while True:
            await self._link.pass_through()
            self._check()
            ready = self._take(most)
            if ready or (self._ended and not self._segments):
                return ready
            await self._wait_for_more()

    def end(self) -> None:
        """Nothing more will be sent."""
        self._ended = True
        self._notify()

    def break_off(self) -> None:
        """Nothing more will be sent or received, not even what is on its way."""
        self._broken = True
        self._segments.clear()
        self._notify()

    async def _wait_for_window(self) -> None:
        self._check()
        while self._unread >= self._link.window:
            await self._changed.wait()
            self._check()
        await self._link.pass_through()
        self._check()

    async def _wait_for_more(self) -> None:
        arrives = self._segments[0][0] if self._segments else None
        if arrives is None:
            await self._changed.wait()
        else:
            with trio.move_on_at(arrives):
                await self._changed.wait()

    def _take(self, most: int) -> bytes:
        now = trio.current_time()
        taken = bytearray()
        while self._segments and self._segments[0][0] <= now and len(taken) < most:
            arrives, segment = self._segments.popleft()
            room = most - len(taken)
            if len(segment) > room:
                self._segments.appendleft((arrives, segment[room:]))
            taken += segment[:room]
        if taken:
            self._unread -= len(taken)
            self._notify()
        return bytes(taken)

    def _check(self) -> None:
        if self._broken:
            raise StreamReset("the stream was reset")

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


class FakeStream:
    """One side of a stream; see transport.Stream."""

    def __init__(
        self, peer: PeerId, protocol: str, outgoing: Channel, incoming: Channel, ended: Callable[[], None]
    ) -> None:
        self._peer = peer
        self._protocol = protocol
        self._outgoing = outgoing
        self._incoming = incoming
        self._ended = ended
        self._closed = False

    @property
    def peer(self) -> PeerId:
        return self._peer

    @property
    def protocol(self) -> str:
        return self._protocol

    async def receive_some(self, max_bytes: int = 262_144) -> bytes:
        await trio.lowlevel.checkpoint_if_cancelled()
        return await self._incoming.receive(max_bytes)

    async def receive_pieces(self, max_bytes: int, *, least: int = 1) -> Sequence[bytes]:
        data = await self.receive_some(max_bytes)
        return (data,) if data else ()

    async def send_all(self, data: bytes | bytearray | memoryview, *, patience: float = inf) -> None:
        if self._closed:
            raise StreamClosed("our side of the stream is closed")
        try:
            await self._outgoing.send(memoryview(data), patience)
        except StreamStalled:
            self.break_off()
            raise

    async def aclose(self) -> None:
        self._closed = True
        self._outgoing.end()
        self._ended()
        await trio.lowlevel.checkpoint()

    async def reset(self) -> None:
        self.break_off()
        await trio.lowlevel.checkpoint()

    def break_off(self) -> None:
        """What reset() does, without waiting."""
        self._closed = True
        self._outgoing.break_off()
        self._incoming.break_off()
        self._ended()
