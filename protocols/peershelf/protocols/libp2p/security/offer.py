"""Which secure channels there are, and agreeing on one. Plaintext and SECIO do not exist here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from libp2p.abc import IRawConnection, ISecureConn
from libp2p.crypto.keys import KeyPair
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE_ID
from libp2p.security.security_multistream import SecurityMultistream
from libp2p.security.tls.transport import PROTOCOL_ID as TLS_ID

from peershelf.protocols.errors import LocalProtocolError
from peershelf.protocols.libp2p.negotiation import answer, select
from peershelf.protocols.libp2p.read_ahead import ReadAhead
from peershelf.protocols.libp2p.security.channel import SecureChannel
from peershelf.protocols.libp2p.security.noise import NoiseChannel
from peershelf.protocols.libp2p.security.session import SecuredConnection
from peershelf.protocols.libp2p.security.tls import TlsChannel
from peershelf.protocols.pacing.metered import Metered, charging

DEFAULT_SECURITY = ("noise", "tls")

_KNOWN: Mapping[str, tuple[TProtocol, Callable[[KeyPair, Sequence[str]], SecureChannel]]] = {
    "noise": (NOISE_ID, NoiseChannel),
    "tls": (TLS_ID, TlsChannel),
}


def secure_channels(
    keys: KeyPair, names: Sequence[str], muxers: Sequence[str]
) -> dict[TProtocol, SecureChannel]:
    """Return the secure channels to offer, in the order of `names`. Raises LocalProtocolError."""
    unknown = [name for name in names if name not in _KNOWN]
    if unknown or not names:
        raise LocalProtocolError(f"security is one or more of {', '.join(_KNOWN)}, not {list(names)}")
    return {_KNOWN[name][0]: _KNOWN[name][1](keys, muxers) for name in names}


class ChosenSecurity(SecurityMultistream):
    """Agrees with the peer on one of `channels`, proposing the first with the greeting, and shakes hands.

    A connection that cannot be secured is closed: py-libp2p leaves some open, depending on the reason.
    """

    def __init__(
        self,
        channels: Mapping[TProtocol, SecureChannel],
        negotiate_timeout: float,
        charge: Callable[[str, float], None],
    ) -> None:
        """`charge` is told of each inbound handshake's steps: the IP address and the seconds of CPU."""
        super().__init__(dict(channels))
        self._channels = channels
        self._timeout = negotiate_timeout
        self._charge = charge

    async def secure_inbound(self, conn: IRawConnection) -> ISecureConn:
        """Return the secured connection of whoever dialed us."""
        remote = conn.get_remote_address()
        handshake = self._secure(conn, None)
        if remote is None:
            return await handshake
        return await Metered(handshake, charging(partial(self._charge, remote[0]), time.thread_time))

    async def secure_outbound(self, conn: IRawConnection, peer_id: ID) -> ISecureConn:
        """Return the secured connection to `peer_id`. Raises ProtocolNotSupported among others."""
        return await self._secure(conn, peer_id)

    async def _secure(self, conn: IRawConnection, expected: ID | None) -> SecuredConnection:
        try:
            ahead = ReadAhead(conn)
            protocol = await self._agree(ahead, proposing=expected is not None)
            secured = await self._channels[protocol].secure(conn, ahead, expected)
        except BaseException:
            await conn.close()
            raise
        secured.negotiated_security_protocol = str(protocol)
        return secured

    async def _agree(self, ahead: ReadAhead, *, proposing: bool) -> TProtocol:
        if proposing:
            return await select(ahead, list(self._channels))
        protocol, _ = await answer(ahead, self.multiselect, self._timeout)
        return protocol
