"""Frames on their way out: in what order, how many, and in which portions."""

from __future__ import annotations

from collections import deque

from peershelf.protocols.libp2p.yamux.frames import HEADER_SIZE, Kind, encode_header
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits

_Frame = tuple[bytes, bytes | memoryview]


class Outbox:
    """Two queues: what belongs to a stream's course stays in order, the rest goes out with the next portion.

    A window update, a ping or the refusal of a stream need not wait behind the data of some stream. They come
    last in a portion nevertheless: so the full frames before them keep to one Noise message each.
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

    def take(self, most: int) -> bytes:
        """Remove and return the next portion: whole frames of `most` bytes in all, or a single larger one."""
        parts: list[bytes | memoryview] = []
        room = most - min(most // 2, HEADER_SIZE * len(self._urgent))
        size = self._move(self._ordered, parts, room, 0)
        size = self._move(self._urgent, parts, most, size)
        self._size -= size
        return b"".join(parts)

    def _move(self, queue: deque[_Frame], parts: list[bytes | memoryview], most: int, size: int) -> int:
        while queue:
            header, payload = queue[0]
            grown = size + len(header) + len(payload)
            if grown > most and parts:
                break
            queue.popleft()
            parts.append(header)
            if payload:
                parts.append(payload)
            else:
                self._controls -= 1
            size = grown
        return size

    def clear(self) -> None:
        """Forget everything."""
        self._ordered.clear()
        self._urgent.clear()
        self._controls = self._size = 0
