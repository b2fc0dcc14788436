"""Reads one HTTP/1.1 response from bytes, with no I/O.

The standard library's http.client costs a command 18 ms of imports, more than all else it does. The daemon
answers with `Content-Length` or in chunks (RFC 9112). Its errors in the middle of a stream come as the
trailer field `X-Stream-Error`, or as a body that stops before its last chunk, which is never taken for the
end.
"""

from __future__ import annotations

from peershelf.cli.errors import TransferBroken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_HEAD = 64 << 10
_MAX_CHUNK_LINE = 1 << 10

_HEAD, _SIZED, _UNSIZED, _CHUNK_SIZE, _CHUNK, _CHUNK_END, _TRAILERS, _DONE = range(8)


class Response:
    """The state of one response: `status` is 0 until the head has arrived."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.trailers: dict[str, str] = {}
        self._state = _HEAD
        self._pending = bytearray()
        self._left = 0

    @property
    def complete(self) -> bool:
        """Whether the body, and the trailer that may follow it, has arrived whole."""
        return self._state == _DONE

    def receive(self, data: memoryview) -> Iterator[memoryview]:
        """Take in bytes; yields pieces of the body, which are only valid until the next call.

        Raises TransferBroken for what is not HTTP.
        """
        while len(data) and self._state != _DONE:
            if self._state in (_SIZED, _UNSIZED, _CHUNK):
                piece, data = self._split_body(data)
                yield piece
            else:
                data = self._receive_line(data)

    def end_of_stream(self) -> None:
        """The connection has ended. Raises TransferBroken unless the response was whole by then."""
        if self._state == _UNSIZED:
            self._state = _DONE
        if self._state == _HEAD:
            raise TransferBroken("the daemon closed the connection without an answer; see its log")
        if self._state != _DONE:
            raise TransferBroken("the daemon broke off its answer, so the output is incomplete; see its log")

    def _split_body(self, data: memoryview) -> tuple[memoryview, memoryview]:
        if self._state == _UNSIZED:
            return data, data[len(data) :]
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        if self._left == 0:
            self._state = _DONE if self._state == _SIZED else _CHUNK_END
        return piece, rest

    def _receive_line(self, data: memoryview) -> memoryview:
        """Add to the pending lines up to what ends them, and act on them once they are whole."""
        ending = b"\r\n\r\n" if self._state == _HEAD else b"\r\n"
        limit = _MAX_CHUNK_LINE if self._state == _CHUNK_SIZE else _MAX_HEAD
        before = len(self._pending)
        self._pending += data[:limit]
        end = self._pending.find(ending, max(0, before - len(ending)))
        if end < 0:
            if len(self._pending) >= limit:
                raise TransferBroken("the API's answer is not HTTP: is this the daemon's address?")
            return data[limit:]
        lines = bytes(self._pending[:end])
        self._pending.clear()
        self._act_on(lines)
        return data[end + len(ending) - before :]

    def _act_on(self, lines: bytes) -> None:
        if self._state == _HEAD:
            self._read_head(lines)
        elif self._state == _CHUNK_SIZE:
            self._read_chunk_size(lines)
        elif self._state == _CHUNK_END:
            if lines:
                raise TransferBroken("a chunk of the daemon's answer is longer than it says")
            self._state = _CHUNK_SIZE
        elif lines:
            self.trailers.update(_fields([lines]))
        else:
            self._state = _DONE

    def _read_head(self, head: bytes) -> None:
        first, *fields = head.split(b"\r\n")
        version, _, rest = first.partition(b" ")
        code = rest[:3]
        if not version.startswith(b"HTTP/1.") or not code.isdigit():
            raise TransferBroken("the API's answer is not HTTP: is this the daemon's address?")
        if code.startswith(b"1"):
            return  # an interim answer: the real one follows
        self.status = int(code)
        self.headers = _fields(fields)
        self._state = self._body_state()

    def _body_state(self) -> int:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return _CHUNK_SIZE
        length = self.headers.get("content-length")
        if self.status in (204, 304) or length == "0":
            return _DONE
        if length is None:
            return _UNSIZED
        self._left = _number(length.encode(), 10)
        return _SIZED

    def _read_chunk_size(self, line: bytes) -> None:
        self._left = _number(line.partition(b";")[0].strip(), 16)
        self._state = _CHUNK if self._left else _TRAILERS


def _fields(lines: list[bytes]) -> dict[str, str]:
    fields = {}
    for line in lines:
        name, _, value = line.partition(b":")
        fields[name.decode("latin-1").lower()] = value.strip().decode("utf-8", "replace")
    return fields


def _number(digits: bytes, base: int) -> int:
    allowed = b"0123456789abcdefABCDEF" if base == 16 else b"0123456789"
    if not digits or digits.strip(allowed):
        raise TransferBroken("the API's answer is not HTTP: a length in it is no number")
    return int(digits, base)
