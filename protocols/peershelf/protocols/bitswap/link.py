"""Our side of the exchange with one connected peer: two senders, each on a stream of its own."""

from __future__ import annotations

import trio

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.sender import Sender
from peershelf.protocols.bitswap.sources import BlockSource, TalkSource
from peershelf.protocols.transport import Network, PeerId


class PeerLink:
    """Lives from a peer's connection to its disconnection."""

    def __init__(
        self, network: Network, peer: PeerId, limits: BitswapLimits, talk: TalkSource, blocks: BlockSource
    ) -> None:
        self.talk = talk
        self.blocks = blocks
        self._senders = [Sender(network, peer, source, limits) for source in (talk, blocks)]
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Send what there is to send, until close()."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                for sender in self._senders:
                    nursery.start_soon(sender.run)

    def close(self) -> None:
        """The peer is gone."""
        self._scope.cancel()
