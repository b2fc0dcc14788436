"""Frames on their way out: in what order, how many, in which portions and in which messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from peershelf.protocols.libp2p.security.codec import Message
from peershelf.protocols.libp2p.yamux.frames import HEADER_SIZE, MAX_FRAME, Kind, encode_header
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits

_Frame = tuple[bytes, bytes | memoryview]


class Outbox:
    """Two queues: what belongs to a stream's course stays in order, the rest goes out with the next portion.

    A window update, a ping or the refusal of a stream need not wait behind the data of some stream. They come
    last in a portion nevertheless, where they fill up a message.
    """

    def __init__(self, limits: YamuxLimits) -> None:
        self._limits = limits
        self._ordered: deque[_Frame] = deque()
        self._urgent: deque[_Frame] = deque()
        self._controls = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def room(self) -> int:
        """Bytes of data that may be added."""
        return max(0, self._limits.send_queue - self._size)

    def data(self, stream_id: int, payload: memoryview) -> None:
        """Add a data frame."""
        header = encode_header(Kind.DATA, 0, stream_id, len(payload))
        self._ordered.append((header, payload))
        self._size += HEADER_SIZE + len(payload)

    @property
    def is_overfull(self) -> bool:
        """Whether there are more frames without data than a peer that reads lets pile up."""
        return self._controls * HEADER_SIZE > self._limits.control_queue

    def control(self, kind: Kind, flags: int, stream_id: int, length: int, *, urgent: bool) -> None:
        """Add a frame without payload."""
        queue = self._urgent if urgent else self._ordered
        queue.append((encode_header(kind, flags, stream_id, length), b""))
        self._size += HEADER_SIZE
        self._controls += 1

    def take(self, most: int) -> Sequence[Message]:
        """Remove and return the next portion: frames of `most` bytes in all, or a single larger one.

        They come in messages of whole frames: so the payload of each is in one piece at the other end, too.
        """
        packing = _Packing()
        self._move(self._ordered, packing, most - min(most // 2, HEADER_SIZE * len(self._urgent)))
        self._move(self._urgent, packing, most)
        self._size -= packing.size
        return packing.messages

    def _move(self, queue: deque[_Frame], packing: _Packing, most: int) -> None:
        while queue:
            header, payload = queue[0]
            size = len(header) + len(payload)
            if packing.size and packing.size + size > most:
                break
            queue.popleft()
            if payload:
                packing.add(size, header, payload)
            else:
                self._controls -= 1
                packing.add(size, header)

    def clear(self) -> None:
        """Forget everything."""
        self._ordered.clear()
        self._urgent.clear()
        self._controls = self._size = 0


class _Packing:
    """Messages of whole frames, each as full as these allow."""

    def __init__(self) -> None:
        self.messages: list[list[bytes | memoryview]] = []
        self.size = 0
        self._room = 0

    def add(self, size: int, *frame: bytes | memoryview) -> None:
        """Add a frame of `size` bytes, which lies in pieces."""
        if size > self._room:
            self.messages.append([])
            self._room = MAX_FRAME
        self.messages[-1] += frame
        self._room -= size
        self.size += size
