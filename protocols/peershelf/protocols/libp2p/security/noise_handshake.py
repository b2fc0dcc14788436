"""The Noise XX handshake of libp2p, without I/O: messages in, messages out.

    → e
    ← e, ee, s, es    with the responder's payload
    → s, se           with the initiator's payload

A payload is a peer's identity: its key, its signature over the Noise key of this connection, and as an
extension the stream multiplexers that it speaks. The state machine is the stock one, and so are the payloads.
Spec: https://github.com/libp2p/specs/blob/master/noise/README.md
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from libp2p.crypto.keys import PrivateKey
from libp2p.crypto.x25519 import X25519PublicKey
from libp2p.peer.id import ID
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.security.noise.messages import (
    NoiseExtensions,
    NoiseHandshakePayload,
    make_handshake_payload_sig,
    verify_handshake_payload_sig,
)
from noise.connection import Keypair, NoiseConnection

from peershelf.protocols.libp2p.security.errors import SecureHandshakeFailed
from peershelf.protocols.libp2p.security.identity_key import check_key_in_payload
from peershelf.protocols.libp2p.security.noise_codec import NoiseCodec
from peershelf.protocols.libp2p.security.session import Agreed

_NAME = b"Noise_XX_25519_ChaChaPoly_SHA256"
_PAYLOAD_MESSAGES = (1, 2)
"""Which of the three messages carry a payload."""


class NoiseHandshake:
    """One side of one handshake. Send what start() and receive() return, until `agreed` is there.

    Args:
        identity: the private key of this node.
        static: this node's Noise key.
        expected: who must be at the other end; None for whoever dials us. The initiator must know.
        muxers: the stream multiplexers that we speak, the preferred one first.
    """

    def __init__(
        self, identity: PrivateKey, static: PrivateKey, expected: ID | None, muxers: Sequence[str]
    ) -> None:
        self._identity = identity
        self._static = static
        self._expected = expected
        self._muxers = list(muxers)
        self._initiator = expected is not None
        self._number = 0
        self._remote: NoiseHandshakePayload | None = None
        self.agreed: Agreed | None = None
        """The outcome."""
        self._noise = NoiseConnection.from_name(_NAME)
        self._noise.set_keypair_from_private_bytes(Keypair.STATIC, static.to_bytes())
        (self._noise.set_as_initiator if self._initiator else self._noise.set_as_responder)()
        self._noise.start_handshake()
        self._state = self._noise.noise_protocol.handshake_state  # taken away there with the last message

    def start(self) -> bytes:
        """Return the first message to send; b"" where the peer sends it."""
        return self._next() if self._initiator else b""

    def receive(self, message: bytes) -> bytes:
        """Take the peer's next message; return our next one, b"" if there is none.

        Raises SecureHandshakeFailed, and PeerIDMismatchesPubkey if another peer is there than expected.
        """
        try:
            payload = bytes(self._noise.read_message(message))
        except Exception:  # noiseprotocol and what lies beneath it raise many things for bytes of a stranger
            raise SecureHandshakeFailed("the peer sent what is no message of this handshake") from None
        if self._number in _PAYLOAD_MESSAGES:
            self._remote = self._verified(payload)
        self._number += 1
        try:
            answer = b"" if self._noise.handshake_finished else self._next()
        except ValueError:  # a key with which nobody can agree on a secret, such as one of zeros
            raise SecureHandshakeFailed("the peer's key is of no use") from None
        if self._noise.handshake_finished:
            self.agreed = self._outcome()
        return answer

    def _next(self) -> bytes:
        payload = self._payload() if self._number in _PAYLOAD_MESSAGES else b""
        self._number += 1
        return bytes(self._noise.write_message(payload))

    def _payload(self) -> bytes:
        static = X25519PublicKey.from_bytes(self._static.get_public_key().to_bytes())
        return NoiseHandshakePayload(
            self._identity.get_public_key(),
            make_handshake_payload_sig(self._identity, static),
            NoiseExtensions(stream_muxers=self._muxers),
        ).serialize()

    def _verified(self, payload: bytes) -> NoiseHandshakePayload:
        """Return what the peer says of itself, if it is signed and the peer is the one expected."""
        try:
            check_key_in_payload(payload)
            remote = NoiseHandshakePayload.deserialize(payload)
            signed = verify_handshake_payload_sig(remote, self._remote_static())
        except Exception:  # as above
            raise SecureHandshakeFailed("the peer's proof of its identity cannot be read") from None
        if not signed:
            raise SecureHandshakeFailed("the peer has not signed the key of this connection")
        if self._expected is not None and ID.from_pubkey(remote.id_pubkey) != self._expected:
            raise PeerIDMismatchesPubkey("another peer answers")
        return remote

    def _remote_static(self) -> X25519PublicKey:
        key = self._state.rs.public
        return X25519PublicKey.from_bytes(key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def _outcome(self) -> Agreed:
        if self._remote is None:
            raise SecureHandshakeFailed("the peer has not said who it is")
        protocol = self._noise.noise_protocol
        codec = NoiseCodec(protocol.cipher_state_encrypt.k, protocol.cipher_state_decrypt.k)
        return Agreed(self._remote.id_pubkey, self._muxer(self._remote), codec)

    def _muxer(self, remote: NoiseHandshakePayload) -> str | None:
        """Return the first one of the initiator's that both speak, None if there is none."""
        theirs = remote.extensions.stream_muxers if remote.extensions else []
        ours, others = (self._muxers, theirs) if self._initiator else (theirs, self._muxers)
        return next((muxer for muxer in ours if muxer in others), None)
