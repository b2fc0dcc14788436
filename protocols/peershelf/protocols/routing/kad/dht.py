"""The DHT of one scope, driven over a network: asks, answers, and keeps its routing table alive."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from functools import partial

import trio

from peershelf.blockstore.cid import Cid
from peershelf.protocols.errors import DialFailed, NetworkError, RemoteProtocolError
from peershelf.protocols.multiaddrs import texts
from peershelf.protocols.pacing.crowd import network_or_address
from peershelf.protocols.pacing.turns import Pacing
from peershelf.protocols.routing.base import (
    Found,
    FoundValue,
    Network,
    Observe,
    PeerInfo,
    ignore,
)
from peershelf.protocols.routing.kad import rpc
from peershelf.protocols.routing.kad.asking import ANSWER_TIMEOUT, Ask, Asker
from peershelf.protocols.routing.kad.company import Company
from peershelf.protocols.routing.kad.keys import Key, key_of, peer_bytes
from peershelf.protocols.routing.kad.lookup import Lookup, covers
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.providers import ProviderRecords
from peershelf.protocols.routing.kad.scope import Scope
from peershelf.protocols.routing.kad.server import Answerer
from peershelf.protocols.routing.kad.serving import Serving, new_pacing
from peershelf.protocols.routing.kad.table import RoutingTable
from peershelf.protocols.routing.kad.turns import Turns
from peershelf.protocols.routing.kad.values import Values
from peershelf.protocols.routing.kad.valuing import Valuing
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId

_SECONDS_PER_RECORD = 0.1


class Dht:
    """A `Router` over the peers of one scope.

    Args:
        serve: whether to answer others, who then keep this node in their routing tables.
        pacing: what the time for answers is shared by, with other scopes too; by default with none.
        unix_time: seconds since 1970, by which values end.
    """

    def __init__(
        self,
        network: Network,
        scope: Scope,
        *,
        serve: bool,
        pacing: Pacing | None = None,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self._network = network
        self._scope = scope
        self._serves = serve
        self.table = RoutingTable(network.local_peer)
        self._asker = Asker(network, scope, self.table)
        self._records = ProviderRecords()
        values = Values(unix_time)
        self._valuing = Valuing(network.local_peer, values, self._search_value, self._asker.request)
        self._answerer = Answerer(scope, self.table, self._records, values, self._network_of)
        self._serving = Serving(self._answer, pacing or new_pacing(network))
        self._company = Company(
            network,
            self.table,
            self._asker,
            self.look_around,
            content=lambda: not self._serves,
            group=lambda peer: scope.group(network.seen_at(peer) or b""),
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take part until cancelled."""
        if self._serves:
            self._network.handle([self._scope.protocol], self._serving.handle)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._company.run)
            nursery.start_soon(self._valuing.keep_correcting)
            task_status.started()

    def serve(self, on: bool) -> None:
        """Answer others from now on, or no more; what they left here is kept meanwhile."""
        if on == self._serves:
            return
        self._serves = on
        if on:
            self._network.handle([self._scope.protocol], self._serving.handle)
            self._company.look_soon()
        else:
            self._network.unhandle([self._scope.protocol])

    def _network_of(self, peer: PeerId) -> Hashable:
        return network_or_address(peer, self._network.seen_at(peer))

    def _answer(self, asker: PeerId, request: Message) -> Message | None:
        return self._answerer.answer(asker, request, trio.current_time())

    @property
    def messages_sent(self) -> int:
        """How many, since the beginning."""
        return self._asker.messages_sent

    async def look_around(self) -> None:
        """Search for ourselves, which fills the routing table; as a server for some place at random, too.

        A server has to know all who are near. To a client a few peers are a place to start from.
        """
        own = peer_bytes(self._network.local_peer)
        if self._serves:
            await self.closest_peers(own)
            await self.closest_peers(os.urandom(32))
        else:
            await self._search(key_of(own), partial(self._asker.nearer, kind=Kind.FIND_NODE, key=own))

    @property
    def name(self) -> str:
        """The DHT of its scope."""
        return f"DHT ({self._scope.name})"

    async def find_providers(self, cid: Cid, found: Found, observe: Observe = ignore) -> int:
        """Search for peers that have a block."""
        key = cid.multihash
        turns = Turns()
        self._tell(self._records.get(key, trio.current_time()), found)

        async def ask(contact: Contact) -> Sequence[Contact]:
            answer = await self._asker.request(contact, Message(Kind.GET_PROVIDERS, key))
            self._tell(turns.take([self._scope.contact(one) for one in answer.providers]), found)
            return answer.closer

        lookup = await self._search(key_of(key), ask, thorough=True, observe=observe)
        for contact in turns.rest():
            self._tell([contact], found)
            await trio.lowlevel.checkpoint()
        return lookup.asked

    async def find_peer(self, peer: PeerId, found: Found) -> int:
        """Search for where a peer is."""
        name = peer_bytes(peer)

        async def ask(contact: Contact) -> Sequence[Contact]:
            closer = await self._asker.nearer(contact, Kind.FIND_NODE, name)
            self._tell([one for one in closer if one.peer == peer and one.addresses], found)
            return closer

        return (await self._search(key_of(name), ask)).asked

    async def closest_peers(self, name: bytes) -> list[Contact]:
        """Return the peers nearest to a place that answer, nearest first."""
        ask = partial(self._asker.nearer, kind=Kind.FIND_NODE, key=name)
        return (await self._search(key_of(name), ask, thorough=True)).closest()

    async def provide(self, keys: Sequence[bytes]) -> int:
        """Leave provider records with the peers nearest to each multihash; one search serves many."""
        own = Contact(self._network.local_peer, self._scope.only(self._network.own_addresses()))
        if not own.addresses:
            return 0
        left = {key: key_of(key) for key in keys}
        taken = 0
        while left:
            first = min(left, key=left.__getitem__)
            near = await self.closest_peers(first)
            group = [key for key, place in left.items() if covers(near, left[first], place)] or [first]
            taken += await self._leave_records(near, own, group)
            for key in group:
                del left[key]
        return taken

    async def _leave_records(self, near: Sequence[Contact], own: Contact, keys: Sequence[bytes]) -> int:
        records = rpc.frames(Message(Kind.ADD_PROVIDER, key, providers=(own,)) for key in keys)
        patience = ANSWER_TIMEOUT + len(keys) * _SECONDS_PER_RECORD
        taken = 0

        async def put(contact: Contact) -> None:
            nonlocal taken
            with suppress(NetworkError), trio.move_on_after(patience):
                async with self._asker.stream(contact) as stream:
                    for piece in records:
                        await stream.send_all(piece)
                self._asker.messages_sent += len(keys)
                taken += len(keys)

        async with trio.open_nursery() as nursery:
            for contact in near:
                nursery.start_soon(put, contact)
        return taken

    async def get_value(self, key: bytes, found: FoundValue, observe: Observe = ignore) -> int:
        """Search for the value of a key, and tell peers near it that have none or a worse one afterwards."""
        return await self._valuing.get(key, found, observe)

    async def put_value(self, key: bytes, value: Value, found: FoundValue) -> int:
        """Leave a value with the peers nearest to its key, unless there is a better one."""
        return await self._valuing.put(key, value, found)

    async def _search_value(
        self, key: bytes, ask: Ask, observe: Observe, enough: Callable[[], bool]
    ) -> Lookup:
        return await self._search(key_of(key), ask, thorough=True, observe=observe, enough=enough)

    async def _search(
        self,
        key: Key,
        ask: Ask,
        *,
        thorough: bool = False,
        observe: Observe = ignore,
        enough: Callable[[], bool] = lambda: False,
    ) -> Lookup:
        """Ask nearer and nearer peers until the lookup has converged, or there is enough."""
        lookup = Lookup(key, self._network.local_peer, self.table.closest(key), thorough=thorough)

        async def ask_one(contact: Contact) -> None:
            try:
                closer = await ask(contact)
            except (NetworkError, trio.TooSlowError) as error:
                lookup.failed(contact.peer)
                self.table.failed(contact.peer)
                observe(_outcome(error))
            else:
                observe("answered")
                lookup.answered(contact.peer, [self._scope.contact(one) for one in closer])
            go_on()

        async with trio.open_nursery() as nursery:

            def go_on() -> None:
                if lookup.done or enough():
                    nursery.cancel_scope.cancel()
                    return
                for contact in lookup.next():
                    nursery.start_soon(ask_one, contact)

            go_on()
        return lookup

    def _tell(self, contacts: Sequence[Contact], found: Found) -> None:
        for contact in contacts:
            if contact.peer != self._network.local_peer:
                found(PeerInfo(contact.peer, texts(self._scope.only(contact.addresses))))


def _outcome(error: Exception) -> str:
    if isinstance(error, DialFailed):
        return "not reached"
    if isinstance(error, trio.TooSlowError):
        return "silent"
    return "sent nonsense" if isinstance(error, RemoteProtocolError) else "lost"
