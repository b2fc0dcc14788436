"""The exchange of blocks with connected peers: both halves of bitswap, put together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import asdict
from random import Random

import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.store.base import Blockstore
from peershelf.protocols.bitswap.budget import Ticket
from peershelf.protocols.bitswap.client import Client
from peershelf.protocols.bitswap.engine import Engine
from peershelf.protocols.bitswap.fetching import Session
from peershelf.protocols.bitswap.inbound import InboundStreams
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.link import PeerLink
from peershelf.protocols.bitswap.messages import PROTOCOLS, Message
from peershelf.protocols.bitswap.report import Answer
from peershelf.protocols.bitswap.requester import Requester
from peershelf.protocols.bitswap.server import ServedStore, Server
from peershelf.protocols.bitswap.sources import BlockSource, TalkSource
from peershelf.protocols.bitswap.stat import BitswapStat, Counters
from peershelf.protocols.offload import Offload, in_thread
from peershelf.protocols.pacing.crowd import neighbourhood_of
from peershelf.protocols.pacing.turns import Pace, Pacing
from peershelf.protocols.resources import Resource, Unit
from peershelf.protocols.transport import Network, PeerId


class Bitswap:
    """Fetches blocks from connected peers into a store, and serves them from it.

    Everything runs inside run(). Fetched blocks are stored, not synced: they are a cache until pinned.
    """

    def __init__(
        self,
        network: Network,
        store: Blockstore,
        *,
        served: ServedStore | None = None,
        limits: BitswapLimits | None = None,
        offload: Offload = in_thread,
        cpu: Callable[[], float] = time.thread_time,
        seen_at: Callable[[PeerId], bytes | None] = lambda peer: None,
    ) -> None:
        """Make both halves.

        Args:
            served: what peers are shown of the store; by default all of it.
            cpu: returns the seconds of CPU that the thread has used, which peers are charged with.
            seen_at: returns the other end of a peer's connection, as a multiaddr in its bytes: peers at one
                address count as one where many want more time than there is.
        """
        self._network = network
        self._limits = limits or BitswapLimits()
        self._counters = Counters()
        self._seen_at = seen_at
        self._places: dict[PeerId, Hashable] = {}
        self._engine = Engine(self._limits, self._place)
        # What is drawn by lot here only has to differ from peer to peer.
        random = Random(network.local_peer)
        self._requester = Requester(self._limits, random=random, in_demand=self._engine.is_wanted)
        pacing = Pacing(self._limits.time, cpu, self._place)
        self._server = Server(self._engine, served or store, offload, changed=self._wake_talkers)
        self._client = Client(
            self._requester,
            store,
            offload,
            self._counters,
            changed=self._wake_talkers,
            stored=self._server.blocks_added,
            charge=pacing.charge,
            reading=self._limits.reading,
            cpu=cpu,
        )
        self._inbound = InboundStreams(
            self._limits,
            self._counters,
            pacing,
            heard=self._client.heard,
            received=self._receive,
        )
        self._links: dict[PeerId, PeerLink] = {}
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Exchange blocks until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._server.run)
            nursery.start_soon(self._client.run)
            self._network.handle(PROTOCOLS, self._inbound.handle)
            self._network.listen_to_peers(self)
            task_status.started()

    def session(self) -> Session:
        """Return a session to fetch blocks with; enter it with `async with`."""
        return Session(self._client)

    async def get_block(self, cid: Cid) -> Block:
        """Fetch one block, for as long as it takes. Raises UnsupportedHash, StoreError."""
        async with self.session() as session:
            session.want([cid])
            return await session.receive()

    async def get_blocks(self, cids: Iterable[Cid]) -> AsyncIterator[Block]:
        """Fetch blocks and yield them as they come, each once. Raises UnsupportedHash, StoreError."""
        async with self.session() as session:
            session.want(cids)
            async for block in session:
                yield block

    def blocks_added(self, cids: Iterable[Cid]) -> None:
        """Tell of blocks that are in the store since just now: peers and sessions may be waiting for them."""
        added = list(cids)
        self._server.look_again(cid for cid in added if self._engine.is_wanted(cid))
        self._client.blocks_found(added)

    async def look_again(self) -> None:
        """What peers are shown has changed: those who wait may be served now."""
        await self._server.look_at_all_again()

    def asked_peers(self, cids: Iterable[Cid]) -> dict[Cid, Mapping[PeerId, Answer]]:
        """Who was asked for CIDs that are wanted, or were lately wanted in vain, and what they said."""
        return {cid: self._client.answers(cid) for cid in cids}

    def wantlist(self, peer: PeerId | None = None) -> list[Cid]:
        """What we want; or, given a peer, what it wants of us."""
        return self._requester.wanted() if peer is None else self._engine.wantlist(peer)

    def resources(self) -> list[Resource]:
        """Return how much is buffered, in either direction, for all peers and for the one with most."""
        return [
            *self._buffered("arriving", self._inbound.budget.used, *self._inbound.budget.most()),
            *self._buffered("being sent", self._engine.bytes_sending, *self._engine.most_sending()),
        ]

    def _buffered(self, name: str, used: int, peer: str, of_peer: int) -> Iterator[Resource]:
        limits = self._limits
        yield Resource("bitswap", name, used, limits.buffered_total, Unit.BYTES)
        yield Resource("bitswap", f"{name}, one peer", of_peer, limits.buffered_per_peer, Unit.BYTES, peer)

    def stat(self) -> BitswapStat:
        """Take a snapshot of the counters."""
        return BitswapStat(
            **asdict(self._counters), wantlist=tuple(self.wantlist()), peers=tuple(self._links)
        )

    # The network's side.

    def peer_connected(self, peer: PeerId) -> None:
        """For the network: a peer is there."""
        if self._nursery is None or peer in self._links:
            return
        talk = TalkSource(peer, self._requester, self._engine, self._counters, decide=self._client.decide)
        blocks = BlockSource(peer, self._engine, self._counters, self._server.look_for_turns)
        link = self._links[peer] = PeerLink(self._network, peer, self._limits, talk, blocks)
        self._places[peer] = neighbourhood_of(peer, self._seen_at(peer))
        self._server.add_peer(peer, blocks)
        self._nursery.start_soon(link.run)
        self._client.peer_connected(peer)

    def peer_disconnected(self, peer: PeerId) -> None:
        """For the network: a peer is gone."""
        link = self._links.pop(peer, None)
        if link is not None:
            link.close()
            del self._places[peer]
            self._server.remove_peer(peer)
            self._client.peer_disconnected(peer)

    def _place(self, peer: PeerId) -> Hashable:
        return self._places.get(peer, peer)

    async def _receive(self, peer: PeerId, message: Message, ticket: Ticket, pace: Pace) -> None:
        # A stream may be faster than word of the connection that it came on.
        if peer not in self._links and peer in self._network.peers():
            self.peer_connected(peer)
        self._client.take_blocks(peer, message, ticket)
        if message.presences:
            await self._client.hear(peer, message, pace)
        if message.wants or message.full:
            await self._server.receive(peer, message, pace)

    def _wake_talkers(self) -> None:
        for peer in self._requester.peers_to_tell() + self._engine.peers_to_tell():
            link = self._links.get(peer)
            if link is not None:
                link.talk.more.set()
