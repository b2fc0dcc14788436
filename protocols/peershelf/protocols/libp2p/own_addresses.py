"""Where a host can be dialed."""

from __future__ import annotations

from collections.abc import Sequence

from libp2p.network.swarm import Swarm

from peershelf.protocols.libp2p.addresses import Multiaddr, expand


class OwnAddresses:
    """The addresses that a host listens on, and those that it was told to announce besides."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._announced: list[Multiaddr] = []

    def listening(self) -> list[Multiaddr]:
        """Return where the host listens; wildcards stand for each interface."""
        bound = [one for listener in self._swarm.listeners.values() for one in listener.get_addrs()]
        return [concrete for address in bound for concrete in expand(address)]

    def known(self) -> list[Multiaddr]:
        """Return the same, and what is announced besides, each once."""
        return list(dict.fromkeys((*self.listening(), *self._announced)))

    def announce(self, addresses: Sequence[Multiaddr]) -> bool:
        """Announce these from now on, and those of earlier calls no longer. Returns whether they differ."""
        before, self._announced = self._announced, list(addresses)
        return before != self._announced
