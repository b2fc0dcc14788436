"""Taking the nonces that others dial this node to say."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import trio

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.pacing.crowd import neighbourhood_of
from peershelf.protocols.reachability import candidates
from peershelf.protocols.reachability.base import Network
from peershelf.protocols.reachability.messages import DIAL_BACK, MAX_DIAL_BACK, decode_dial_back
from peershelf.protocols.reachability.streams import receive_frame
from peershelf.protocols.streams import ending
from peershelf.protocols.transport import Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

PATIENCE = 5.0
"""Seconds for a nonce to arrive, and for our thanks to be taken."""
MOST_STREAMS = 4
"""Streams of one address at a time: nobody has much to say here, or is to keep others from saying it."""


@dataclass(slots=True)
class Expected:
    """A nonce that nobody knows but the server that is asked to say it at `address`."""

    address: bytes
    asked: float
    nonce: int = field(default_factory=lambda: secrets.randbits(64))
    proven: trio.Event = field(default_factory=trio.Event)


class DialBacks:
    """The nonces that are expected, and the streams that they come on."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._expected: dict[int, Expected] = {}
        self._streams: Counter[Hashable] = Counter()

    def start(self) -> None:
        """Take dial-backs from now on."""
        self._network.handle([DIAL_BACK], self.handle)

    @contextmanager
    def expect(self, address: bytes) -> Iterator[Expected]:
        """Expect a nonce at an address as long as this is entered."""
        expected = Expected(address, trio.current_time())
        self._expected[expected.nonce] = expected
        try:
            yield expected
        finally:
            del self._expected[expected.nonce]

    async def handle(self, stream: Stream) -> None:
        """Take one nonce, and thank for it if it is right."""
        address = neighbourhood_of(stream.peer, self._network.seen_at(stream.peer))
        if self._streams[address] >= MOST_STREAMS:
            await stream.reset()
            return
        self._streams[address] += 1
        try:
            with trio.fail_after(PATIENCE):
                async with ending(stream):
                    await self._take(stream)
        except (NetworkError, trio.TooSlowError):
            pass
        finally:
            self._streams -= Counter([address])

    async def _take(self, stream: Stream) -> None:
        nonce = decode_dial_back(await receive_frame(stream, FrameDecoder(MAX_DIAL_BACK)))
        expected, arrival = self._expected.get(nonce), self._network.arrival_of(stream)
        if expected is None or arrival is None:
            return
        listening = self._network.listen_addresses()
        if not candidates.proves(arrival, expected.address, listening, asked=expected.asked):
            return
        expected.proven.set()
        # The answer has one field, a status, and is empty where all is well.
        await stream.send_all(encode_frame(b""))
