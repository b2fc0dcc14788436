"""Sends one request over a socket and receives its answer, both at once where there is an upload.

A server may answer before it has read the whole request: with progress records, or with an error after which
it reads no more. So while an upload is going out the answer is read as it comes, and neither side can wait
for the other for ever.
"""

from __future__ import annotations

import errno
import select
import time

from peershelf.cli import handing
from peershelf.cli.errors import CliError, TransferBroken
from peershelf.cli.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from peershelf.cli.upload import Upload

    Deliver = Callable[[Response, memoryview], object]

_RECEIVE_SIZE = 1 << 20
_MAX_REFUSAL = 64 << 10
_UNTIL_TAKEN = 0.01
"""Seconds until the daemon may have taken some of the files on their way, which the system bounds."""


class Exchange:
    """One request and its answer. `deliver` gets the body of a success; that of a refusal is kept."""

    def __init__(self, sock: socket.socket, deliver: Deliver, deadline: float | None) -> None:
        self.response = Response()
        self.refusal = bytearray()
        self._sock = sock
        self._deliver = deliver
        self._deadline = deadline
        self._buffer = memoryview(bytearray(_RECEIVE_SIZE))

    def run(self, head: bytes, upload: Upload | None = None, output: int | None = None) -> Response:
        """Send the head, and the upload if there is one; returns when the answer is whole.

        The descriptor `output` is handed over with the head.
        Raises TransferBroken, CliError when the deadline passes, and what `deliver` or the upload raises.
        """
        try:
            self._sock.settimeout(self._time_left())
            sent = 0 if output is None else handing.send(self._sock, head, output)
            # To send nothing fails too, where a quick daemon has answered and closed meanwhile.
            if sent < len(head):
                self._sock.sendall(head[sent:])
            if upload is not None:
                self._send_and_receive(upload)
            while not self.response.complete:
                self._sock.settimeout(self._time_left())
                self._receive()
        except TimeoutError:
            raise CliError(
                "the daemon did not answer in time; see its log, or allow more --timeout"
            ) from None
        return self.response

    def _send_and_receive(self, upload: Upload) -> None:
        self._sock.setblocking(False)
        frames = upload.frames()
        pending: memoryview | None = next(frames)
        while pending is not None and not self.response.complete:
            source = None if len(pending) else upload.waits_for()
            readable, may_go_on = self._wait(source, sending=bool(len(pending)))
            if readable:
                self._receive()
            elif may_go_on and len(pending):
                pending = self._send(pending, upload)
            elif may_go_on:
                pending = next(frames, None)

    def _wait(self, source: int | None, *, sending: bool) -> tuple[bool, bool]:
        """Wait until the answer can be read, or the upload can go on: (the one, the other)."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN | (select.POLLOUT if sending else 0))
        if source is not None:
            poll.register(source, select.POLLIN)
        at_hand = source is None and not sending
        left = self._time_left()
        ready = dict(poll.poll(0 if at_hand else None if left is None else left * 1000))
        if not ready and not at_hand:
            raise TimeoutError
        on_socket = ready.get(self._sock.fileno(), 0)
        readable = bool(on_socket & ~select.POLLOUT)
        return readable, at_hand or bool(on_socket & select.POLLOUT) or source in ready

    def _send(self, pending: memoryview, upload: Upload) -> memoryview | None:
        """What is left of `pending`; None when the server reads no more, and only its answer counts."""
        try:
            if upload.handed is None:
                return pending[self._sock.send(pending) :]
            sent = handing.send(self._sock, pending, upload.handed)
            upload.handed = None
            return pending[sent:]
        except BlockingIOError:
            return pending
        except OSError as error:
            if error.errno != errno.ETOOMANYREFS:
                return None
            time.sleep(_UNTIL_TAKEN)
            return pending

    def _receive(self) -> None:
        try:
            count = self._sock.recv_into(self._buffer)
        except BlockingIOError:
            return
        except TimeoutError:
            raise
        except OSError as error:
            raise TransferBroken(
                f"the connection to the daemon broke: {error.strerror}; see its log"
            ) from None
        if not count:
            self.response.end_of_stream()
        for piece in self.response.receive(self._buffer[:count]):
            if self.response.status == 200:
                self._deliver(self.response, piece)
            elif len(self.refusal) < _MAX_REFUSAL:
                self.refusal += piece

    def _time_left(self) -> float | None:
        """Seconds until the deadline. Raises TimeoutError when it has passed."""
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
