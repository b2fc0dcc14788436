"""TLS 1.3 as a secure channel.

The stock transport makes the contexts, and the certificate by our template. Its session is not used: it reads
4 KiB at a time, and where a certificate has no libp2p extension it looks for an identity that was sent in the
clear.
Spec: https://github.com/libp2p/specs/blob/master/tls/tls.md
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID
from libp2p.abc import IRawConnection
from libp2p.crypto.keys import KeyPair, PublicKey
from libp2p.io.exceptions import IncompleteReadError
from libp2p.peer.id import ID
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.security.tls.certificate import ALPN_PROTOCOL, verify_certificate_chain
from libp2p.security.tls.transport import IdentityConfig, TLSTransport

from peershelf.protocols.libp2p.read_ahead import ReadAhead
from peershelf.protocols.libp2p.security.channel import SecureChannel
from peershelf.protocols.libp2p.security.errors import SecureHandshakeFailed
from peershelf.protocols.libp2p.security.identity_key import check_key_in_certificate
from peershelf.protocols.libp2p.security.session import Agreed, SecuredConnection
from peershelf.protocols.libp2p.security.tls_codec import TlsCodec

_NAME = "libp2p"
_CLOCK_SKEW = timedelta(hours=1)
_VALID_FOR = timedelta(days=36_500)


class TlsChannel(SecureChannel):
    """Secures connections with TLS 1.3; both sides show a certificate that their identity's key has signed.

    Args:
        keys: this node's identity.
        muxers: the stream multiplexers to offer by ALPN, the preferred one first.
    """

    def __init__(self, keys: KeyPair, muxers: Sequence[str]) -> None:
        self._identity = keys.private_key
        self._stock = TLSTransport(
            keys, muxers=list(muxers), identity_config=IdentityConfig(_certificate_template())
        )
        self._contexts: dict[bool, ssl.SSLContext] = {}

    async def secure(self, conn: IRawConnection, ahead: ReadAhead, expected: ID | None) -> SecuredConnection:
        """Shake hands: see SecureChannel."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        dialed = expected is not None
        session = self._context(server_side=not dialed).wrap_bio(incoming, outgoing, server_side=not dialed)
        await _shake_hands(ahead, session, incoming, outgoing)
        key = _remote_key(session)
        if dialed and ID.from_pubkey(key) != expected:
            raise PeerIDMismatchesPubkey("another peer answers")
        muxer = session.selected_alpn_protocol()
        codec = TlsCodec(session, incoming, outgoing)
        agreed = Agreed(key, None if muxer == ALPN_PROTOCOL else muxer, codec)
        return SecuredConnection(conn, self._identity, agreed, ahead.take())

    def _context(self, *, server_side: bool) -> ssl.SSLContext:
        """Return the context of one side; the stock transport would write and read key files for each."""
        if server_side not in self._contexts:
            context = self._stock.create_ssl_context(server_side)
            if server_side:
                context.num_tickets = 0
            self._contexts[server_side] = context
        return self._contexts[server_side]


def _certificate_template() -> x509.CertificateBuilder:
    """Return a certificate to which the libp2p extension is added as the only one.

    The stock template has two before it, and js-libp2p looks at the first alone.
    """
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    begin = datetime.now(UTC) - _CLOCK_SKEW
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(name)
        .issuer_name(name)
        .not_valid_before(begin)
        .not_valid_after(begin + _VALID_FOR)
    )


async def _shake_hands(
    ahead: ReadAhead, session: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
) -> None:
    while True:
        try:
            session.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        except (ssl.SSLError, ValueError):
            raise SecureHandshakeFailed("the TLS handshake failed") from None
        if outgoing.pending:
            await ahead.write(outgoing.read())
        if done:
            return
        data = await ahead.read()
        if not data:
            raise IncompleteReadError("the connection ended")
        incoming.write(data)


def _remote_key(session: ssl.SSLObject) -> PublicKey:
    """Return the key that the peer's identity is made of, which has signed its certificate."""
    certificate = session.getpeercert(binary_form=True)
    if not certificate:
        raise SecureHandshakeFailed("the peer shows no certificate")
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        check_key_in_certificate(parsed)
        return verify_certificate_chain([parsed])
    except Exception:  # whatever a stranger's certificate makes the parsers raise
        raise SecureHandshakeFailed("the peer's certificate does not prove its identity") from None
