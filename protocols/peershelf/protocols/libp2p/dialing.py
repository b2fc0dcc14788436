"""Dialing one peer: every address behind the name, one deadline, and a reason that a user can act upon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import trio
from libp2p.io.exceptions import IOException
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.transport.exceptions import MuxerUpgradeFailure

from peershelf.protocols.errors import DialFailed, ProtocolNotSupported
from peershelf.protocols.libp2p.addresses import Multiaddr, Target
from peershelf.protocols.libp2p.resolve import resolve
from peershelf.protocols.libp2p.security.errors import SecureHandshakeFailed
from peershelf.protocols.transport import PeerId


class Dialer:
    """Dials peers, each of them once at a time: who asks meanwhile waits for the outcome."""

    def __init__(self, swarm: Swarm, timeout: float) -> None:
        self._swarm = swarm
        self._timeout = timeout
        self._locks: dict[PeerId, trio.Lock] = {}

    async def dial(self, target: Target, is_connected: Callable[[], bool]) -> None:
        """Connect to `target`, unless `is_connected` says that it is no longer needed. Raises DialFailed."""
        lock = self._locks.setdefault(target.peer, trio.Lock())
        async with lock:
            try:
                if not is_connected():
                    await dial(self._swarm, target, self._timeout)
            finally:
                if not lock.statistics().tasks_waiting:
                    self._locks.pop(target.peer, None)
        if not is_connected():
            raise DialFailed(f"{target.peer} closed the connection at once")


async def dial(swarm: Swarm, target: Target, timeout: float) -> None:
    """Connect to `target`, trying each of its addresses in turn, within `timeout` seconds in all.

    The swarm's own `dial_peer` is not used: it refuses for 60 s a peer that could not be reached once, tries
    at most two addresses, drops 127.x beside others, and takes 0.25 s at least. Raises DialFailed.
    """
    deadline = trio.current_time() + timeout
    reasons: dict[str, str] = {}
    with trio.move_on_at(deadline):
        addresses = await resolve(target)
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = (deadline - trio.current_time()) / left
            reason = await _attempt(swarm, address, ID.from_base58(target.peer), share)
            if reason is None:
                return
            reasons[str(address)] = reason
    raise DialFailed(f"cannot connect to {target.peer} at {_summary(target, reasons, timeout)}")


async def _attempt(swarm: Swarm, address: Multiaddr, peer: ID, timeout: float) -> str | None:
    """Dial one address; return None for success, else the reason."""
    with trio.move_on_after(timeout):
        try:
            await swarm.dial_addr(address, peer)
        except Exception as error:
            return reason_of(error, list(swarm.upgrader.security_multistream.transports))
        return None
    return f"timed out after {timeout:.3g} s"


def _summary(target: Target, reasons: dict[str, str], timeout: float) -> str:
    if not reasons:
        return f"{target.where}: timed out after {timeout:.3g} s"
    return "; ".join(f"{address}: {reason}" for address, reason in reasons.items())


def reason_of(error: BaseException, offered: Sequence[str]) -> str:
    """Return in a few words why a dial failed. Nothing that the other side sent is part of it."""
    chain = list(_chain(error))
    errno = next((one.errno for one in chain if isinstance(one, OSError) and one.errno), None)
    if errno is not None:
        return os.strerror(errno).lower()
    if any(isinstance(one, PeerIDMismatchesPubkey) or "Peer ID mismatch" in str(one) for one in chain):
        return "another peer answers there, not the one with this peer ID"
    if any("Maximum connections limit" in str(one) for one in chain):
        return "this node has as many connections as it allows itself"
    if any(isinstance(one, trio.TooSlowError) for one in chain):
        return "the handshake timed out"
    if any(isinstance(one, IOException | MultiselectCommunicatorError) for one in chain):
        return "the connection was closed during the handshake"
    return _refusal(chain, offered)


def _refusal(chain: list[BaseException], offered: Sequence[str]) -> str:
    if any(isinstance(one, MuxerUpgradeFailure) for one in chain):
        return "no common stream multiplexer, we speak /yamux/1.0.0"
    if any(isinstance(one, ProtocolNotSupported) for one in chain):
        return f"no common security protocol, we offer {', '.join(offered)}"
    if any(isinstance(one, SecureHandshakeFailed) for one in chain):
        return "the secure handshake failed"
    return "what answers there does not speak libp2p"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
