"""Identities that prove nothing: Noise with another's key, TLS with certificates that are none."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

from Crypto.Util.asn1 import DerSequence
from cryptography.hazmat.primitives import serialization
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.pb.crypto_pb2 import RSA, PublicKey
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

    def __init__(self, claimed: Any = CLAIMED) -> None:
        self._own = create_new_key_pair().private_key
        self._claimed = claimed

    def sign(self, data: bytes) -> bytes:
        return self._own.sign(data)

    def get_public_key(self) -> Any:
        return self._claimed


class _SlowKey:
    """A public key of RSA with a modulus of so many bytes."""

    def __init__(self, size: int) -> None:
        self._encoded = DerSequence([(1 << 8 * size) - 1, 65_537]).encode()

    def serialize(self) -> bytes:
        return PublicKey(key_type=RSA, data=self._encoded).SerializeToString()


class SlowNoise(NoiseTransport):
    """Claims to be who has a key that nearly fills a message."""

    def get_pattern(self) -> Any:
        class Pattern(PatternXX):
            def make_handshake_payload(self, extensions: Any = None) -> NoiseHandshakePayload:
                slow: Any = _SlowKey(60_000)
                return NoiseHandshakePayload(slow, bytes(64))

        return Pattern(self.local_peer, self.libp2p_privkey, self.noise_privkey)


def slow_tls() -> TLSTransport:
    """Claims to be who has a key of 10 KiB; py-libp2p makes no certificates with longer ones."""
    claimant: Any = _StolenKey(_SlowKey(10_000))
    return _with(generate_certificate(claimant, create_cert_template()))


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
