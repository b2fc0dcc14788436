"""What a bitswap peer may cost us, in one place. Sizes in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.protocols.pacing.limits import TimeLimits

_KIB = 1024
_MIB = 1024 * 1024
_TIME = TimeLimits(share=0.2, share_all=0.2, light=0.01)


@dataclass(frozen=True, slots=True)
class BitswapLimits:
    """Bounds of the exchange. The defaults suit a home connection and what other implementations send."""

    message_in: int = 4 * _MIB
    """Largest message accepted; as Kubo."""
    message_out: int = _MIB
    """Size that a message of ours aims for; one block may exceed it."""
    wants_per_message: int = 16_384
    """Lines of a wantlist accepted in one message. Kubo fits as many into one as it has, up to 2 MiB."""
    answers_per_message: int = 4_096
    """Blocks and presences accepted in one message: of what is wanted of them others keep 1,024, as we do."""
    wants_per_peer: int = 1_024
    """Wants kept for a peer, and the most that we tell a peer of ours."""
    time: TimeLimits = _TIME
    """What work on messages may take. A peer of ours that fetches blocks of 4 KiB as fast as it can takes a
    tenth, of 1 MiB at 380 MB/s a hundredth; and the protocol may be broken ten times a second."""
    reading: float = 4e-9
    """Seconds that a peer is charged with for each byte that nobody wanted, for reading and decrypting it."""
    buffered_per_peer: int = 16 * _MIB
    """Bytes of messages from a peer that are arriving or waiting, and of blocks on their way to it."""
    buffered_total: int = 128 * _MIB
    """The same over all peers, each direction."""
    stall: float = 60.0
    """How long a message may make no progress before its stream is reset."""
    inline_block: int = _KIB
    """A want-have for a block up to this size is answered with the block itself; as Kubo."""
    messages_ahead: int = 4
    """Messages of blocks that are read ahead of a peer's stream."""
    session_wants: int = 512
    """Wants of one session that peers are told of before they are on order."""
    session_undelivered: int = 32 * _MIB
    """Bytes that a session has received, or asked for, and its consumer not taken."""
    window_peer: int = 2
    """Blocks on order from a peer before anything is known of its speed, and always."""
    window_all: int = 8
    """The same from all peers together."""
    window_most: int = 512
    """Blocks on order at most."""
    window_bytes: int = 12 * _MIB
    """The same in bytes, by the average block."""
    first_answer: float = 0.9
    """Silence after which others are asked too, until the peer's own latency is known; and at most."""
    least_silence: float = 0.2
    """The same at least, however fast the peer has been."""
    look_again: float = 0.2
    """How often to see whether another peer would be faster with what is on order."""
    longest_rest: float = 10.0
    """How long a peer that took wants and went silent is left alone at most."""
    repeat: float = 30.0
    """A want without any block is told again this often, in case it got lost."""
    bad_blocks: int = 16
    """Wrong or unrequested blocks after which nothing more is asked of a peer."""
