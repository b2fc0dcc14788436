"""What a handshake says is the key of the peer's identity, before py-libp2p reads it.

py-libp2p hands a key of RSA to a library that takes any size and a dozen forms of it, private keys too, and
tries one after the other byte by byte: a key of 64 KiB stops the node for ten seconds, and whoever sends it
has proved nothing yet.
"""

from __future__ import annotations

from cryptography import x509
from libp2p.security.noise.pb.noise_pb2 import NoiseHandshakePayload
from libp2p.security.tls.certificate import LIBP2P_EXTENSION_OID, decode_signed_key

from peershelf.protocols.public_keys import verifier


def check_key_in_payload(payload: bytes) -> None:
    """Check the key in a payload of Noise. Raises InvalidRecord, and DecodeError for what is no payload."""
    verifier(NoiseHandshakePayload.FromString(payload).identity_key)


def check_key_in_certificate(certificate: x509.Certificate) -> None:
    """Check the key in a certificate of TLS. Raises InvalidRecord; where there is none, other errors."""
    extension = certificate.extensions.get_extension_for_oid(LIBP2P_EXTENSION_OID)
    verifier(decode_signed_key(extension.value.public_bytes()).public_key_bytes)
