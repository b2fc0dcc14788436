"""Whether the world can reach this node, and what follows from it.

Proven addresses are told to others, and with `Routing.Type` auto this node is a server of the world's DHT as
long as there is one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
import trio

from peershelf.protocols.multiaddrs import is_public, texts
from peershelf.protocols.reachability.base import Network
from peershelf.protocols.reachability.case import Outcome, Standing
from peershelf.protocols.reachability.checker import Checker
from peershelf.protocols.transport import PeerId

log = structlog.get_logger(__name__)


class Host(Network, Protocol):
    """What is asked of the libp2p host. Addresses are multiaddrs in their bytes."""

    def own_addresses(self) -> Sequence[bytes]:
        """What is told to others."""

    def announce(self, addresses: Sequence[bytes]) -> None:
        """Tell others of these, too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a server said of an address, and when: seconds since 1970."""

    peer: PeerId
    outcome: Outcome
    when: float


@dataclass(frozen=True, slots=True)
class Checked:
    """One address, and what others say of it, the oldest first; `due`: when they are asked again."""

    address: str
    standing: Standing
    asked: tuple[Asked, ...]
    due: float


class Reachability:
    """The service.

    Args:
        given: addresses that the user says this node has; told to others without proof.
        serve: has this node serve the world's DHT, or not.
    """

    def __init__(self, host: Host, given: Sequence[bytes], serve: Callable[[bool], None]) -> None:
        self._host = host
        self._given = given
        self._serve = serve
        self._checker = Checker(host, given, self._changed)
        self.on_first_address: Callable[[], None] = lambda: None
        """Called when others can be told of a public address, and could not before."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Find out, and act on it, until cancelled."""
        self._host.announce(self._given)
        await self._checker.run(task_status=task_status)

    @property
    def standing(self) -> Standing:
        """Whether the world reaches this node."""
        return self._checker.standing

    def checks(self) -> list[Checked]:
        """What is known of each address that this node may have."""
        ahead = time.time() - trio.current_time()
        return [
            Checked(
                texts((case.address,))[0],
                case.standing,
                tuple(Asked(one.peer, one.outcome, one.when + ahead) for one in case.answers.values()),
                case.due + ahead,
            )
            for case in self._checker.cases
        ]

    def _changed(self, standing: Standing, proven: Sequence[bytes]) -> None:
        had_one = any(map(is_public, self._host.own_addresses()))
        self._host.announce(list(dict.fromkeys((*self._given, *proven))))
        self._serve(standing is Standing.PUBLIC)
        if standing is Standing.PUBLIC:
            log.info("reachable from the world", at=list(texts(tuple(proven))))
        else:
            known = standing is Standing.PRIVATE
            log.info("not reachable from the world" if known else "not known whether the world reaches us")
        if proven and not had_one:
            self.on_first_address()
