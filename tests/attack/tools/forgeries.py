"""Identities that prove nothing: Noise with another's key, TLS with certificates that are none."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.security.noise.messages import NoiseHandshakePayload
from libp2p.security.noise.patterns import PatternXX
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.security.tls.certificate import (
    create_cert_template,
    generate_certificate,
    generate_self_signed_cert,
)
from libp2p.security.tls.transport import TLSTransport

CLAIMED = create_new_key_pair().public_key
"""Whose peer the forgers say that they are."""


class ForgedNoise(NoiseTransport):
    """Claims somebody else's public key, with a signature of its own."""

    def get_pattern(self) -> Any:
        class Pattern(PatternXX):
            def make_handshake_payload(self, extensions: Any = None) -> NoiseHandshakePayload:
                honest = super().make_handshake_payload(extensions)
                return NoiseHandshakePayload(CLAIMED, honest.id_sig)

        return Pattern(self.local_peer, self.libp2p_privkey, self.noise_privkey)


class _StolenKey:
    """Signs with its own key and claims another's public key."""

    def __init__(self) -> None:
        self._own = create_new_key_pair().private_key

    def sign(self, data: bytes) -> bytes:
        return self._own.sign(data)

    def get_public_key(self) -> Any:
        return CLAIMED


class _NoCertificate(TLSTransport):
    def create_ssl_context(self, server_side: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["libp2p"])
        return context


def tls_identities() -> dict[str, TLSTransport]:
    """Transports whose certificates no peer may believe, by what is wrong with them."""
    expired: Any = create_cert_template()
    expired._not_valid_before = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=20)
    expired._not_valid_after = expired._not_valid_before + timedelta(days=1)
    stolen: Any = _StolenKey()
    return {
        "signed by another": _with(generate_certificate(stolen, create_cert_template())),
        "expired": _with(generate_certificate(create_new_key_pair().private_key, expired)),
        "without the extension": _with(_without_extension()),
        "none": _NoCertificate(create_new_key_pair()),
    }


def _with(pair: tuple[str, str]) -> TLSTransport:
    tls = TLSTransport(create_new_key_pair())
    tls._cert_pem, tls._key_pem = pair
    return tls


def _without_extension() -> tuple[str, str]:
    key, cert = generate_self_signed_cert()
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return cert.public_bytes(pem).decode(), key.private_bytes(pem, *plain).decode()
