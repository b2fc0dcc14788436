"""Many sockets to one port, from many addresses of this machine; prints what became of them as JSON.

    crowd.py PORT NUMBER LEFT

Every socket sends the greeting of a handshake and then nothing. All are held until every one has connected
and the victim has closed all but LEFT of them, at most for PATIENCE seconds after the last one was opened.
"""

from __future__ import annotations

import errno
import json
import resource
import selectors
import socket
import sys
import time

WAVE = 250
PER_ADDRESS = 500
PATIENCE = 40.0
"""Seconds. On a busy machine the kernel drops some of the first packets of so many connections, and sends
each again after 1, 3, 7 and 15 s. How many the victim holds meanwhile is for who runs this to watch."""
GREETING = b"\x13/multistream/1.0.0\n"


class Crowd:
    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = selectors.DefaultSelector()
        self.open: set[socket.socket] = set()
        self.counts = {"connected": 0, "closed": 0, "refused": 0}

    def join(self, number: int) -> None:
        """Open a socket; address 127.0.1.1 and those after it, so that none runs out of ports."""
        one = socket.socket()
        one.setblocking(False)
        one.bind((f"127.0.{1 + number // PER_ADDRESS}.1", 0))
        code = one.connect_ex(("127.0.0.1", self._port))
        assert code in (0, errno.EINPROGRESS), errno.errorcode[code]
        self.open.add(one)
        self._poll.register(one, selectors.EVENT_WRITE)

    def look(self, seconds: float) -> bool:
        """Deal with what has happened; tell whether anything has."""
        events = self._poll.select(seconds)
        for key, ready in events:
            one = key.fileobj
            assert isinstance(one, socket.socket)
            try:
                if ready & selectors.EVENT_WRITE:
                    self._connected(one)
                elif not one.recv(4_096):
                    self._leave(one, "closed")
            except OSError as error:
                self._leave(one, "refused" if error.errno == errno.ECONNREFUSED else "closed")
        return bool(events)

    def is_over(self, number: int, left: int) -> bool:
        """Whether all of NUMBER have been through the door, and LEFT at most are still inside."""
        return self.counts["connected"] + self.counts["refused"] >= number and len(self.open) <= left

    def _connected(self, one: socket.socket) -> None:
        self.counts["connected"] += 1
        self._poll.modify(one, selectors.EVENT_READ)
        one.send(GREETING)

    def _leave(self, one: socket.socket, why: str) -> None:
        self.counts[why] += 1
        self._poll.unregister(one)
        self.open.discard(one)
        one.close()


def main(port: int, number: int, left: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd(port)
    started = time.monotonic()
    for joined in range(number):
        crowd.join(joined)
        if joined % WAVE == WAVE - 1:
            while crowd.counts["connected"] + crowd.counts["refused"] < joined and crowd.look(1):
                pass
    opened = time.monotonic()
    while not crowd.is_over(number, left) and time.monotonic() < opened + PATIENCE:
        crowd.look(0.1)
    print(json.dumps({**crowd.counts, "left": len(crowd.open), "seconds": opened - started}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
