"""Finding peers on the local network, and being found: libp2p's discovery over multicast DNS.

What zeroconf hears on its threads crosses over to trio through a bounded queue.

Spec: https://github.com/libp2p/specs/blob/master/discovery/mdns.md
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
import trio

from peershelf.protocols.routing.base import Found, PeerInfo
from peershelf.protocols.routing.mdns_records import encode_txt, parse_txt
from peershelf.protocols.routing.mdns_service import MdnsImpossible, MdnsService
from peershelf.protocols.transport import PeerId

QUEUE = 64
"""Peers heard of that wait to be told of; what comes while there are that many is dropped."""

LOOK_AGAIN = 30.0
"""Seconds between looks at our own addresses, which change as a machine moves between networks."""

GOODBYE = 2.0
"""Seconds that taking leave may take. It takes 0.3."""

log = structlog.get_logger(__name__)


async def run_mdns(
    peer: PeerId,
    addresses: Callable[[], Sequence[str]],
    found: Found,
    *,
    interfaces: Sequence[str] | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Announce `peer` at its `addresses`, and tell `found` of other peers, until cancelled.

    Counts as started at once, and follows the addresses as they change. Where it is not possible, one line
    is logged, and the next try is when they have changed. Cancelled, it takes leave of the network before
    it ends, within two seconds.

    Args:
        interfaces: IP addresses of the network interfaces to use; all of them by default.
    """
    inbox = Inbox(peer, trio.lowlevel.current_trio_token())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(inbox.tell, found)
        task_status.started()
        while True:
            text = encode_txt(peer, addresses())
            async with _in_a_thread(MdnsService(text, inbox.put, interfaces)):
                while encode_txt(peer, addresses()) == text:  # noqa: ASYNC110 -- nobody tells us
                    await trio.sleep(LOOK_AGAIN)


@asynccontextmanager
async def _in_a_thread(service: MdnsService) -> AsyncIterator[None]:
    """Run `service` while this is open. One that takes too long to end is left behind."""
    stop = threading.Event()
    scope = trio.CancelScope(shield=True)

    async def run() -> None:
        with scope:
            try:
                await trio.to_thread.run_sync(
                    service.run, stop, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
                )
            except MdnsImpossible as error:
                log.info("peers on the local network are not looked for", reason=str(error))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        try:
            yield
        finally:
            stop.set()
            scope.deadline = trio.current_time() + GOODBYE


class Inbox:
    """The queue between zeroconf's threads and trio's."""

    def __init__(self, ours: PeerId, token: trio.lowlevel.TrioToken) -> None:
        self._ours = ours
        self._token = token
        self._waiting: deque[PeerInfo] = deque()
        self._bell = trio.Event()

    def put(self, text: bytes) -> None:
        """Take the data of a TXT record, on any thread. Never blocks; what does not fit is dropped."""
        info = parse_txt(text)
        if info is None or info.peer == self._ours or len(self._waiting) >= QUEUE:
            return
        self._waiting.append(info)
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._ring, idempotent=True)

    def _ring(self) -> None:
        self._bell.set()

    async def tell(self, found: Found) -> None:
        """Tell `found` of each peer heard of, until cancelled."""
        while True:
            await self._bell.wait()
            self._bell = trio.Event()
            while self._waiting:
                found(self._waiting.popleft())
