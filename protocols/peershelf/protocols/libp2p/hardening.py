"""What keeps a stock py-libp2p host from being ended by a stranger, and from dialing on its own.

Any exception that leaves a stream handler ends the whole stock host, and so does a multistream line that
is no UTF-8. And a swarm below its low water dials peers that it has merely heard of.
"""

from __future__ import annotations

import traceback
from typing import NoReturn, cast

import structlog
import trio
from libp2p.abc import INetStream
from libp2p.custom_types import StreamHandlerFn
from libp2p.network.auto_connector import AutoConnector
from libp2p.network.stream.net_stream import NetStream
from libp2p.peer.id import ID
from libp2p.protocol_muxer.multiselect import Multiselect

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.libp2p.buffered import BufferedStream
from peershelf.protocols.libp2p.negotiation import answer

log = structlog.get_logger(__name__)

RESET_PATIENCE = 1.0
"""Seconds that a reset may take to be sent while everything around it is being cancelled."""


class ContainedStreams:
    """The swarm's handler for inbound streams: negotiate, run the protocol's handler, let nothing out.

    Args:
        mux: the host's protocols and their handlers. A handler ends its stream before it returns.
    """

    def __init__(self, mux: Multiselect, negotiate_timeout: float) -> None:
        self._mux = mux
        self._negotiate_timeout = negotiate_timeout

    async def __call__(self, inbound: INetStream) -> None:
        """Serve one inbound stream to its end."""
        stream = BufferedStream(cast(NetStream, inbound))
        try:
            handler = await stream.metered(self._negotiate(stream))
            if handler is not None:
                await handler(stream)
        except NetworkError as error:
            log.debug("inbound stream ended early", protocol=stream.get_protocol(), error=repr(error))
            await reset_quietly(stream)
        except Exception as error:
            _report(stream, error)
            await reset_quietly(stream)
        except BaseException as error:
            await reset_quietly(stream)
            _reraise_without_failures(stream, error)

    async def _negotiate(self, stream: BufferedStream) -> StreamHandlerFn | None:
        """Return the handler of the protocol that the peer asks for; None once the stream is reset."""
        try:
            protocol, handler = await answer(stream, self._mux, self._negotiate_timeout)
            stream.set_protocol(protocol)
            return handler
        except Exception as error:  # a stranger can make py-libp2p raise many things here
            log.debug("inbound stream did not negotiate", error=type(error).__name__)
            await reset_quietly(stream)
            return None


def _report(stream: INetStream, error: BaseException) -> None:
    trace = "".join(traceback.format_exception(error))
    log.warning("stream handler failed", protocol=stream.get_protocol(), trace=trace)


def _reraise_without_failures(stream: INetStream, error: BaseException) -> NoReturn:
    """Raise what must not be held up, cancellation above all; a failure in one group with it stays here."""
    if isinstance(error, BaseExceptionGroup):
        failures, rest = error.split(Exception)
        if failures is not None and rest is not None:
            _report(stream, failures)
            raise rest
    raise error


def shielded(seconds: float) -> trio.CancelScope:
    """Return a scope in which cancellation from outside does not arrive, for at most `seconds`."""
    return trio.CancelScope(deadline=trio.current_time() + seconds, shield=True)


async def reset_quietly(stream: INetStream) -> None:
    """Reset `stream` if it can still be reset, even while being cancelled; bounded in time, never raises."""
    with shielded(RESET_PATIENCE):
        try:
            await stream.reset()
        except Exception as error:
            log.debug("stream could not be reset", error=type(error).__name__)


class QuietAutoConnector(AutoConnector):
    """Never dials: whom to connect to is for the node to say."""

    async def maybe_connect(self) -> None:
        """Do nothing."""

    def record_disconnect(self, peer_id: ID) -> None:
        """Remember nothing; the stock class keeps an entry for each peer that ever left."""
