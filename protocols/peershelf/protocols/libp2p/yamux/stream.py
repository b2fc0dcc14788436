"""One stream's state: each direction for itself is open, ended, or reset.

    a direction     by FIN       by RST, or with the connection
    OPEN        →   ENDED            RESET
    ENDED       →   (stays: the bytes before a FIN are whole, and stay readable)

What came before the connection ended can still be read; what came before a RST is dropped, as the RST says.
"""

from __future__ import annotations

from enum import Enum, auto

from peershelf.protocols.libp2p.yamux.buffer import Piece, ReceiveBuffer
from peershelf.protocols.libp2p.yamux.errors import YamuxViolation
from peershelf.protocols.libp2p.yamux.frames import INITIAL_WINDOW, MAX_CREDIT
from peershelf.protocols.libp2p.yamux.window import ReceiveBudget, ReceiveWindow


class Side(Enum):
    """State of one direction."""

    OPEN = auto()
    ENDED = auto()
    RESET = auto()


class Stream:
    """What one end knows of a stream. Decides nothing about frames: `session.Session` does.

    Args:
        inbound: whether the peer opened it.
        now: seconds on a clock that only goes forward.
    """

    __slots__ = (
        "__weakref__",
        "acknowledged",
        "buffer",
        "credit",
        "id",
        "inbound",
        "receiving",
        "sending",
        "window",
    )

    def __init__(self, stream_id: int, *, inbound: bool, budget: ReceiveBudget, now: float) -> None:
        self.id = stream_id
        self.inbound = inbound
        self.acknowledged = False
        self.sending = Side.OPEN
        self.receiving = Side.OPEN
        self.credit = INITIAL_WINDOW
        """What we may still send."""
        self.window = ReceiveWindow(budget, now)
        self.buffer = ReceiveBuffer()

    @property
    def is_over(self) -> bool:
        """Whether no frame of this stream means anything any more."""
        return self.sending is not Side.OPEN and self.receiving is not Side.OPEN

    def add_credit(self, size: int) -> None:
        """The peer takes `size` bytes more. Raises YamuxViolation where a window cannot be so large."""
        if self.credit + size > MAX_CREDIT:
            raise YamuxViolation(f"the window of yamux stream {self.id} would exceed 32 bits")
        self.credit += size

    def arrive(self, piece: memoryview) -> bool:
        """Keep a piece of payload; False, and nothing is kept, if the connection holds too much already."""
        if not self.window.arrived(len(piece)):
            return False
        self.buffer.append(piece)
        return True

    def take(self, most: int) -> list[Piece]:
        """Remove and return up to `most` received bytes, in pieces."""
        held = len(self.buffer)
        pieces = self.buffer.take(most)
        self.window.read(held - len(self.buffer))
        return pieces

    def end_receiving(self) -> None:
        """The peer's FIN has come."""
        if self.receiving is Side.OPEN:
            self.receiving = Side.ENDED
            self.window.end()

    def end_sending(self) -> None:
        """Our FIN is sent."""
        if self.sending is Side.OPEN:
            self.sending = Side.ENDED

    def reset(self) -> None:
        """A RST has come. What the peer had ended properly before stays readable."""
        whole = self.receiving is Side.ENDED
        self.cut()
        if not whole:
            self.discard()

    def cut(self) -> None:
        """The connection has ended under the stream. What came until then stays readable."""
        if self.sending is Side.OPEN:
            self.sending = Side.RESET
        if self.receiving is Side.OPEN:
            self.receiving = Side.RESET
            self.window.end()

    def discard(self) -> None:
        """Nobody will read any more."""
        self.buffer.clear()
        self.window.drop()
