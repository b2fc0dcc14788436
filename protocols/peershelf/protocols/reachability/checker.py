"""Keeps asking others whether they reach this node, and tells when what is held of it changes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import trio

from peershelf.protocols.multiaddrs import ip_of, network_of
from peershelf.protocols.reachability import candidates
from peershelf.protocols.reachability.asking import ask
from peershelf.protocols.reachability.base import Network
from peershelf.protocols.reachability.case import ENOUGH, Answer, Case, Round, Standing
from peershelf.protocols.reachability.dial_backs import DialBacks
from peershelf.protocols.reachability.messages import DIAL_REQUEST
from peershelf.protocols.reachability.servers import Servers
from peershelf.protocols.transport import PeerId

LOOK = 60.0
"""Seconds between two looks at which addresses there are, at most."""
SETTLE = 10.0
"""Seconds that few servers are waited with for more."""
MOST_ASKED = 12
"""Servers that are asked in one round."""
_UNTIL_IDENTIFIED = 1.0

Changed = Callable[[Standing, Sequence[bytes]], None]
"""Is told of this node's standing and of its proven addresses; must not block."""


class Checker:
    """The AutoNAT v2 client.

    Args:
        given: addresses that the user says this node has, as multiaddrs in their bytes.
        changed: told whenever the standing or the proven addresses are others than before.
    """

    def __init__(
        self,
        network: Network,
        given: Sequence[bytes],
        changed: Changed,
        *,
        rng: random.Random | None = None,
    ) -> None:
        self._network = network
        self._given = given
        self._changed = changed
        self._random = rng or random.Random()
        self._dial_backs = DialBacks(network)
        self._servers = Servers()
        self._cases: dict[bytes, Case] = {}
        self._told: tuple[Standing, tuple[bytes, ...]] = (Standing.UNKNOWN, ())
        self._met = trio.Event()
        self._settled: float | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Find out, and keep finding out, until cancelled."""
        self._dial_backs.start()
        self._network.listen_to_peers(self)
        task_status.started()
        while True:
            self._met = trio.Event()
            self._take_up(trio.current_time())
            for case in self.cases:
                if case.due <= trio.current_time() and self._is_settled(case):
                    await self._examine(case)
                    self._tell()
            self._tell()
            await self._rest()

    @property
    def cases(self) -> list[Case]:
        """What is known of each address."""
        return list(self._cases.values())

    @property
    def standing(self) -> Standing:
        """Public if any address is; private if all that is known is that some are."""
        held = {case.standing for case in self._cases.values()}
        for standing in (Standing.PUBLIC, Standing.PRIVATE):
            if standing in held:
                return standing
        return Standing.UNKNOWN

    @property
    def proven(self) -> tuple[bytes, ...]:
        """The addresses at which others have reached this node."""
        return tuple(case.address for case in self._cases.values() if case.standing is Standing.PUBLIC)

    def peer_connected(self, peer: PeerId) -> None:
        """For the network: somebody to ask, maybe."""
        self._met.set()

    def peer_disconnected(self, peer: PeerId) -> None:
        """For the network: nothing to do."""

    def _take_up(self, now: float) -> None:
        """Open cases for new addresses, and close those of addresses that nobody sees any more."""
        wanted = candidates.candidates(self._network.listen_addresses(), self._given, self._observed())
        for case in self.cases:
            case.expire(now)
            if case.address not in wanted and case.standing is not Standing.PUBLIC:
                del self._cases[case.address]
        for address in wanted:
            if address not in self._cases and len(self._cases) < 2 * candidates.MOST:
                self._cases[address] = Case(address, now)

    def _observed(self) -> list[tuple[bytes, bytes]]:
        pairs = [
            (self._network.seen_at(one), self._network.observed_by(one)) for one in self._network.peers()
        ]
        return [(seen, said) for seen, said in pairs if seen is not None and said is not None]

    def _is_settled(self, case: Case) -> bool:
        """Whether there are servers enough, or few were waited with for long enough."""
        networks = set(self._askable(case).values())
        if not networks:
            return False
        if self._settled is None:
            self._settled = trio.current_time() + SETTLE
        return len(networks) >= ENOUGH or trio.current_time() >= self._settled

    async def _rest(self) -> None:
        now = trio.current_time()
        soonest = min((case.due for case in self._cases.values()), default=now)
        with trio.move_on_after(min(LOOK, max(soonest - now, SETTLE))):
            await self._met.wait()
        # Who has just come says next what it serves; and many come at once.
        await trio.sleep(_UNTIL_IDENTIFIED)

    def _askable(self, case: Case) -> dict[PeerId, str]:
        """The servers that may be asked about an address, each with the network that it is in."""
        now = trio.current_time()
        own = {ip_of(one) for one in (*self._network.listen_addresses(), *self._cases)}
        found: dict[PeerId, str] = {}
        for peer in self._network.peers():
            seen = self._network.seen_at(peer)
            network = network_of(seen) if seen is not None else None
            # From behind our own NAT, or from this machine, one reaches what the world does not.
            if seen is None or network is None or ip_of(seen) in own:
                continue
            serves = DIAL_REQUEST in self._network.protocols_of(peer)
            if serves and self._servers.usable(peer, now) and case.may_ask(peer, now):
                found[peer] = network
        return found

    async def _examine(self, case: Case) -> None:
        round_ = Round()
        while len(round_.asked) < MOST_ASKED and round_.verdict(over=False) is None:
            servers = self._next(case, round_)
            if not servers:
                break
            async with trio.open_nursery() as nursery:
                for peer, network in servers.items():
                    nursery.start_soon(self._ask, case, round_, peer, network)
        case.conclude(round_, trio.current_time())

    def _next(self, case: Case, round_: Round) -> dict[PeerId, str]:
        """Servers by chance, each in another network of which nobody has voted."""
        askable = list(self._askable(case).items())
        self._random.shuffle(askable)
        chosen = {
            network: peer
            for peer, network in askable
            if peer not in round_.asked and network not in round_.voted
        }
        return {peer: network for network, peer in list(chosen.items())[:ENOUGH]}

    async def _ask(self, case: Case, round_: Round, peer: PeerId, network: str) -> None:
        round_.asked.add(peer)
        await trio.sleep_until(self._servers.turn(peer, trio.current_time()))

        def gives_data(size: int) -> bool:
            return self._servers.gives_data(peer, size, trio.current_time())

        outcome = await ask(self._network, self._dial_backs, peer, case.address, gives_data)
        now = trio.current_time()
        self._servers.answered(peer, outcome, now)
        answer = Answer(peer, network, outcome, now)
        round_.take(answer)
        case.take(answer)

    def _tell(self) -> None:
        told = (self.standing, self.proven)
        if told != self._told:
            self._told = told
            self._changed(*told)
