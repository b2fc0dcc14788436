"""Peers that are remembered when a node ends, so that the next one need not begin with strangers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
import trio

from peershelf.node import durable
from peershelf.node.peer_book import PeerBook
from peershelf.protocols.errors import NetworkError
from peershelf.protocols.transport import PeerId, PeerListener

if TYPE_CHECKING:
    from peershelf.protocols.libp2p import ConnectionInfo

SAVE_INTERVAL = 300.0
"""Seconds after which what is new is written to disk."""

HEAD_START = 10.0
"""Seconds for bootstrap peers and the peering, before any peer of old is dialed."""

FEW = 4
"""Peers that are enough: whoever has as many dials none of old."""

HANDFUL = 8
"""Peers of old that are tried at most."""

BREATH = 1.0
"""Seconds between two of them."""

log = structlog.get_logger(__name__)


class Host(Protocol):
    """What is asked of the libp2p host."""

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None: ...

    def peers(self) -> list[PeerId]: ...

    def connections(self) -> list[ConnectionInfo]: ...

    def listen_to_peers(self, listener: PeerListener) -> None: ...


class Notes:
    """Takes down where this node reached peers; where they came from tells nothing of where they listen."""

    def __init__(self, host: Host) -> None:
        self.book = PeerBook()
        self.complete = trio.Event()
        """Set once the peers of old are in the book, too, if any are kept."""
        self._host = host
        host.listen_to_peers(self)

    def peer_connected(self, peer: PeerId) -> None:
        """Note where `peer` was reached, if it was this node that dialed."""
        self.take_all(peer)

    def peer_disconnected(self, peer: PeerId) -> None:
        """Nothing to note: it may be reached there again."""

    def take_all(self, only: PeerId | None = None) -> None:
        """Note the peers that are connected now, or one of them."""
        for connection in self._host.connections():
            if connection.direction == "outbound" and only in (None, connection.peer):
                self.book.reached(connection.peer, connection.address)


async def remember(host: Host, path: Path, notes: Notes, *, briefly: bool = False) -> None:
    """Dial a few peers of old where there are few others; keep notes of who is reached in the file `path`.

    A node that is there `briefly` has no time to wait whether there are others, and dials them at once. Runs
    until it is cancelled, and writes the file then too.
    """
    book = notes.book
    book.put_below(await trio.to_thread.run_sync(_load, path))
    notes.complete.set()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_greet_at_once if briefly else _greet_again, host, book.newest())
            while True:
                await trio.sleep(SAVE_INTERVAL)
                if book.changed:
                    await trio.to_thread.run_sync(_save, path, book.encode())
    finally:
        notes.take_all()
        if book.changed:
            _save(path, book.encode())


async def _greet_again(host: Host, known: Sequence[tuple[PeerId, Sequence[str]]]) -> None:
    await trio.sleep(HEAD_START)
    here = host.peers()
    candidates = [(peer, addresses) for peer, addresses in known if peer not in here]
    for peer, addresses in candidates[:HANDFUL]:
        if len(host.peers()) >= FEW:
            return
        await _greet(host, peer, addresses)
        await trio.sleep(BREATH)


async def _greet_at_once(host: Host, known: Sequence[tuple[PeerId, Sequence[str]]]) -> None:
    async with trio.open_nursery() as nursery:
        for peer, addresses in known[:HANDFUL]:
            nursery.start_soon(_greet, host, peer, addresses)


async def _greet(host: Host, peer: PeerId, addresses: Sequence[str]) -> None:
    try:
        await host.reach(peer, addresses)
    except NetworkError as error:
        log.debug("peer of old not reached", peer=peer, reason=str(error))


def _load(path: Path) -> PeerBook:
    try:
        return PeerBook.decode(path.read_bytes())
    except OSError:
        return PeerBook()


def _save(path: Path, data: bytes) -> None:
    try:
        durable.write_file(path, data)
    except OSError as error:
        log.info("peers are not remembered", reason=str(error))
