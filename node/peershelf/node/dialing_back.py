"""Dialing a peer that asks whether it is reached, from an identity of our own for just that.

A peer has one connection with each of our identities, so with the node's own the one that it asks on would be
in the way.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress

import trio

from peershelf.protocols.errors import NetworkError, PeerNotConnected
from peershelf.protocols.filters import Mask
from peershelf.protocols.libp2p import HostLimits, Libp2pNetwork
from peershelf.protocols.multiaddrs import texts
from peershelf.protocols.reachability.messages import DIAL_BACK, Dialed, encode_dial_back
from peershelf.protocols.transport import PeerId
from peershelf.protocols.wire import encode_frame

_LIMITS = HostLimits(low_water=0, high_water=16, headroom=16, dial_timeout=10.0, negotiate_timeout=5.0)
_THANKS = 5.0
"""Seconds for the peer to take the nonce; that it answers shows that it has arrived."""


class BackDialer:
    """A host that listens nowhere and lasts as long as the node.

    Args:
        filters: tells which addresses the node has nothing to do with now.
    """

    def __init__(self, agent: str, filters: Callable[[], Sequence[Mask]]) -> None:
        self._filters = filters
        self._host = Libp2pNetwork(
            private_key=secrets.token_bytes(32), listen=[], agent=agent, limits=_LIMITS
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled."""
        await self._host.run(task_status=task_status)

    async def dial_back(self, peer: PeerId, address: bytes, nonce: int) -> Dialed:
        """Say `nonce` to `peer` at `address`, a multiaddr in its bytes. One peer is dialed once at a time."""
        self._filter_as_the_node()
        try:
            await self._host.connect(f"{texts((address,))[0]}/p2p/{peer}")
        except NetworkError:
            return Dialed.DIAL_ERROR
        try:
            with trio.fail_after(_THANKS):
                await self._say(peer, nonce)
        except (NetworkError, trio.TooSlowError):
            return Dialed.DIAL_BACK_ERROR
        finally:
            with suppress(PeerNotConnected), trio.CancelScope(shield=True):
                await self._host.disconnect(peer)
        return Dialed.OK

    def _filter_as_the_node(self) -> None:
        before, now = set(self._host.filters()), set(self._filters())
        self._host.remove_filters([*(before - now)])
        self._host.add_filters([*(now - before)])

    async def _say(self, peer: PeerId, nonce: int) -> None:
        stream = await self._host.open_stream(peer, [DIAL_BACK])
        try:
            await stream.send_all(encode_frame(encode_dial_back(nonce)))
            await stream.receive_some(1)
        finally:
            await stream.reset()
