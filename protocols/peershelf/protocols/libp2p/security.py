"""Secure channels by name: Noise and TLS 1.3. Plaintext and SECIO do not exist here.

Specs: https://github.com/libp2p/specs/tree/master/noise and …/tree/master/tls
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence

from libp2p.abc import ISecureTransport
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE_ID
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.security.tls.transport import PROTOCOL_ID as TLS_ID
from libp2p.security.tls.transport import TLSTransport

from peershelf.protocols.errors import LocalProtocolError

DEFAULT_SECURITY = ("noise", "tls")


class CachedTls(TLSTransport):
    """Keeps one SSL context a side: the stock transport writes and reads key files for each connection."""

    def __init__(self, key_pair: KeyPair) -> None:
        super().__init__(key_pair)
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def create_ssl_context(self, server_side: bool = False) -> ssl.SSLContext:
        """Return the context for the server's or the client's side."""
        if server_side not in self._contexts:
            context = super().create_ssl_context(server_side)
            if server_side:
                context.num_tickets = 0
            self._contexts[server_side] = context
        return self._contexts[server_side]


def _noise(keys: KeyPair) -> ISecureTransport:
    return NoiseTransport(keys, noise_privkey=create_noise_key_pair().private_key)


_KNOWN: Mapping[str, tuple[TProtocol, Callable[[KeyPair], ISecureTransport]]] = {
    "noise": (NOISE_ID, _noise),
    "tls": (TLS_ID, CachedTls),
}


def secure_transports(keys: KeyPair, names: Sequence[str]) -> dict[TProtocol, ISecureTransport]:
    """Return the secure channels to offer, in the order of `names`. Raises LocalProtocolError."""
    unknown = [name for name in names if name not in _KNOWN]
    if unknown or not names:
        raise LocalProtocolError(f"security is one or more of {', '.join(_KNOWN)}, not {list(names)}")
    return {_KNOWN[name][0]: _KNOWN[name][1](keys) for name in names}
