"""TCP as a py-libp2p transport.

The stock transport is not used because its accept handler never ends before the host does (each connection
that ever came in keeps one of the swarm's inbound places), because it listens in a task outside every
nursery, and because SO_REUSEPORT lets a second node listen on the same port without either noticing.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection
from functools import partial

import structlog
import trio
from libp2p.abc import IListener, IRawConnection, ITransport
from libp2p.custom_types import THandler
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.transport.exceptions import OpenConnectionError
from libp2p.utils.multiaddr_utils import multiaddr_from_socket

from peershelf.protocols.errors import CannotListen, DialFailed
from peershelf.protocols.filters import AddressFilters, Mask
from peershelf.protocols.libp2p.addresses import Multiaddr, endpoint, is_tcp, is_websocket
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.transport import websocket
from peershelf.protocols.libp2p.transport.half_open import Endpoint
from peershelf.protocols.libp2p.transport.inbound import InboundPlaces
from peershelf.protocols.libp2p.transport.priority import yield_to_others
from peershelf.protocols.libp2p.transport.private import PrivateStream
from peershelf.protocols.libp2p.transport.stream import TcpStream
from peershelf.protocols.libp2p.transport.websocket import WebSocketStream, frame_debts
from peershelf.protocols.pacing.metered import Metered, charging
from peershelf.protocols.private import SwarmKey

log = structlog.get_logger(__name__)

_FIRST_WORDS = 20
"""Bytes of the shortest greeting, that of multistream-select. A socket that has not sent them costs no more
than its place: beginning with a connection is most of the work until its handshake."""
_FIRST_PATIENCE = 0.2
"""Part of the time for handshakes after which we greet first: a dialer may wait for it, though none does."""

Carrier = TcpStream | WebSocketStream | PrivateStream
"""What carries the bytes of a secure channel."""


class TcpTransport(ITransport):
    """Dials and listens on TCP, and knows every socket of the host.

    Args:
        low_priority: whether to mark what is sent as less urgent than anything else.
        websocket: whether to dial and listen on WebSocket, too; never in a private network.
        key: that of the private network to which every connection is held.
        filters: addresses that are neither dialed nor taken in from; may change at any time.
    """

    def __init__(
        self,
        limits: HostLimits,
        *,
        low_priority: bool = False,
        websocket: bool = False,
        key: SwarmKey | None = None,
        filters: AddressFilters | None = None,
    ) -> None:
        self.filters = AddressFilters() if filters is None else filters
        self._low_priority = low_priority
        self._key = key
        self.speaks_websocket = websocket and key is None
        self._upgrade_timeout = limits.upgrade_timeout
        self.inbound = InboundPlaces(limits, self.filters)
        self.frame_debts = frame_debts()
        self._streams: set[TcpStream] = set()

    async def dial(self, maddr: Multiaddr) -> IRawConnection:
        """Connect to an IP address and TCP port.

        Raises OpenConnectionError from the OSError, and DialFailed for an address that is filtered.
        """
        return RawConnection(await self.connect(maddr), True)

    @property
    def is_private(self) -> bool:
        """Whether only peers with our key can be talked to."""
        return self._key is not None

    @property
    def no_websocket(self) -> str:
        """Why WebSocket is not spoken, where it is not."""
        if self.is_private:
            return "a private network has no WebSocket"
        return "WebSocket is switched off, see the setting Swarm.Transports.Network.Websocket"

    async def connect(self, maddr: Multiaddr) -> Carrier:
        """The same, without py-libp2p's wrapping."""
        stream = await self._connect_tcp(maddr)
        if not is_websocket(maddr):
            return self.within_network(stream)
        try:
            return await websocket.offer(stream, self.frame_debts)
        except BaseException:
            stream.kill()
            raise

    def within_network(self, stream: TcpStream) -> TcpStream | PrivateStream:
        """Return what to speak over in the place of a bare connection."""
        return stream if self._key is None else PrivateStream(stream, self._key)

    async def _connect_tcp(self, maddr: Multiaddr) -> TcpStream:
        family, host, port = endpoint(maddr)
        self.filters.check_dial(host)
        tcp = trio.socket.socket(family, trio.socket.SOCK_STREAM)
        try:
            await tcp.connect((host, port))
            self.filters.check_dial(host)  # which may have changed meanwhile
            return self.adopt(trio.SocketStream(tcp))
        except OSError as error:
            tcp.close()
            raise OpenConnectionError(str(error)) from error
        except DialFailed:
            tcp.close()
            raise

    def adopt(self, stream: trio.SocketStream) -> TcpStream:
        """Take a connected socket into the host's keeping. Raises OSError when the peer is gone already."""
        adopted = TcpStream(stream)
        if self._low_priority:
            yield_to_others(stream.socket)
        self._streams.add(adopted)
        adopted.when_closed(lambda: self._streams.discard(adopted))
        return adopted

    def find(self, remote: Endpoint) -> TcpStream | None:
        """Return the open stream whose `remote` this very object is; equal ones do not count."""
        return next((stream for stream in self._streams if stream.remote is remote), None)

    def kill_within(self, masks: Collection[Mask]) -> None:
        """Close every socket whose other end is in one of `masks`."""
        for stream in list(self._streams):
            if any(stream.remote[0] in mask for mask in masks):
                stream.kill()

    def kill_all(self) -> None:
        """Close every socket that is still open."""
        for stream in list(self._streams):
            stream.kill()

    def create_listener(self, handler_function: THandler) -> IListener:
        """Return a listener that gives each accepted connection to `handler_function`."""
        return TcpListener(handler_function, self, self._upgrade_timeout)

    def can_dial(self, maddr: Multiaddr) -> bool:
        """Tell whether `maddr` is an IP address with a TCP port, perhaps with /ws if that is on."""
        return is_tcp(maddr) or (self.speaks_websocket and is_websocket(maddr))

    def can_listen(self, maddr: Multiaddr) -> bool:
        """Tell whether `maddr` is an IP address with a TCP port, perhaps with /ws if that is on."""
        return is_tcp(maddr) or (self.speaks_websocket and is_websocket(maddr))

    def protocols(self) -> list[str]:
        """Return the multiaddr protocols that this transport carries."""
        return ["tcp", "ws"] if self.speaks_websocket else ["tcp"]


class TcpListener(IListener):
    """Accepts on one address, in the nursery that the swarm lends."""

    background_nursery: trio.Nursery
    """Set by the swarm before it calls listen()."""

    def __init__(self, handler: THandler, transport: TcpTransport, upgrade_timeout: float) -> None:
        self._handler = handler
        self._transport = transport
        self._upgrade_timeout = upgrade_timeout
        self._speaks_websocket = False
        self._listeners: list[trio.SocketListener] = []
        self._serving = trio.CancelScope()

    async def listen(self, maddr: Multiaddr) -> None:
        """Start to accept. Raises CannotListen, which names the address and the reason."""
        _, host, port = endpoint(maddr)
        self._speaks_websocket = is_websocket(maddr)
        try:
            self._listeners = list(await trio.open_tcp_listeners(port, host=host))
        except OSError as error:
            raise CannotListen(f"cannot listen on {maddr}: {_reason(error)}") from error
        await self.background_nursery.start(self._serve)

    async def _serve(self, task_status: trio.TaskStatus[object] = trio.TASK_STATUS_IGNORED) -> None:
        with self._serving:
            await trio.serve_listeners(
                self._accept,
                self._listeners,
                handler_nursery=self.background_nursery,
                task_status=task_status,
            )

    async def _accept(self, accepted: trio.SocketStream) -> None:
        """Hand one connection over, and end as soon as its socket is closed, whoever closes it."""
        try:
            stream = self._transport.adopt(accepted)
        except OSError:
            return
        places = self._transport.inbound
        if not places.admit(stream.remote, stream.kill):
            stream.kill()
            return
        stream.when_closed(partial(places.leave, stream.remote))
        with trio.CancelScope() as while_open:
            stream.when_closed(while_open.cancel)
            try:
                if await stream.first_words(_FIRST_WORDS, _FIRST_PATIENCE * self._upgrade_timeout):
                    await places.handshakes.rest(stream.remote[0])
                    await self._handler(await self._upgraded(stream))
            except Exception as error:  # whatever a stranger provokes stays with its connection
                log.debug("inbound connection failed", error=type(error).__name__)
            finally:
                stream.kill()

    async def _upgraded(self, stream: TcpStream) -> Carrier:
        if not self._speaks_websocket:
            return self._transport.within_network(stream)
        charge = partial(self._transport.inbound.handshakes.charge, stream.remote[0])
        accepting = websocket.accept(stream, self._transport.frame_debts)
        with trio.fail_after(self._upgrade_timeout):
            return await Metered(accepting, charging(charge, time.thread_time))

    def get_addrs(self) -> tuple[Multiaddr, ...]:
        """Return the addresses as bound: port 0 is resolved, a wildcard host is not."""
        bound = [multiaddr_from_socket(listener.socket) for listener in self._listeners]
        if self._speaks_websocket:
            return tuple(address.encapsulate(Multiaddr("/ws")) for address in bound)
        return tuple(bound)

    async def close(self) -> None:
        """Stop to accept. Connections that were accepted end with the host."""
        self._serving.cancel()
        for listener in self._listeners:
            listener.socket.close()
        self._listeners = []


def _reason(error: OSError) -> str:
    inner = error.__cause__
    known = error if error.errno or not isinstance(inner, OSError) else inner
    if known.errno is None or known.errno not in errno.errorcode:
        return "the address cannot be used here"
    return os.strerror(known.errno).lower()
