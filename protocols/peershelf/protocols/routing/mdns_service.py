"""Multicast DNS by zeroconf, which blocks whoever calls it: one thread holds it from its start to its end.

Its browser is not used: of every name that anybody makes up, it remembers for ever when to ask again.
"""

from __future__ import annotations

import secrets
import string
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator, Sequence

from zeroconf import (  # type: ignore[attr-defined]  # all are there, __all__ does not say so
    DNSOutgoing,
    DNSPointer,
    DNSQuestion,
    DNSText,
    Error,
    InterfaceChoice,
    IPVersion,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    Zeroconf,
)

from peershelf.protocols.pacing.debts import Debts
from peershelf.protocols.routing.mdns_records import packed_ips

SERVICE = "_p2p._udp.local."
_RECORDS = 256
"""Records of a packet that are looked at."""

_POINTERS = 16
"""Pointers of a packet that are followed to what was heard before, and records there."""

_PTR, _IN, _QUERY = 12, 1, 0
_PORT = 4001
"""A service has to name one. Nobody looks at it: the addresses are in the TXT record."""

_RARELY = 120.0
"""Seconds between questions in the end: records of peers live as long."""
_LOOK = 0.2
"""Seconds between looks at what zeroconf's thread has used."""
SHARE, AHEAD = 0.1, 0.2
"""Part of one core that it may have in the long run, and seconds ahead."""

_NAME_LETTERS = string.ascii_lowercase + string.digits


class MdnsImpossible(Exception):
    """This machine does not let us send or receive multicast DNS."""


class MdnsService:
    """An announcement of ours, and an ear for those of others.

    Args:
        text: data of our TXT record; empty to announce nothing.
        heard: is called, on a thread of zeroconf's, with the data of others' TXT records, and with ours.
        interfaces: IP addresses of the interfaces to use; None for all.
    """

    def __init__(self, text: bytes, heard: Callable[[bytes], None], interfaces: Sequence[str] | None) -> None:
        self._text = text
        self._heard = heard
        self._interfaces = interfaces

    def run(self, stop: threading.Event) -> None:
        """Announce and listen until `stop`, then say goodbye. Raises MdnsImpossible."""
        try:
            zeroconf = self._open()
            try:
                self._use(zeroconf, stop)
            finally:
                zeroconf.close()
        except (OSError, RuntimeError, Error) as error:
            raise MdnsImpossible(str(error) or type(error).__name__) from error

    def _use(self, zeroconf: Zeroconf, stop: threading.Event) -> None:
        if not zeroconf.engine.senders:
            raise MdnsImpossible("no network interface takes multicast")
        # Named, the question also brings what came in since the sockets were opened, and is not sent again.
        zeroconf.add_listener(_Ear(self._heard), DNSQuestion(SERVICE, _PTR, _IN))
        assert zeroconf.loop is not None, "it runs in a thread of zeroconf's own"
        zeroconf.loop.call_soon_threadsafe(Moderation(zeroconf.loop, stop).look)
        if self._text:
            # Nobody else has our random name. Asking whether they do would let anyone forbid it to us.
            zeroconf.register_service(self._announcement(), cooperating_responders=True)
        for pause in _pauses():
            zeroconf.send(_question())
            if stop.wait(pause):
                return

    def _announcement(self) -> ServiceInfo:
        name = _random_name()
        return ServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            port=_PORT,
            properties=self._text,
            server=f"{name}.local.",
            # Kubo takes no notice of a peer without them, though it does not use them.
            addresses=list(packed_ips(self._text)),
        )

    def _open(self) -> Zeroconf:
        if self._interfaces is not None:
            return Zeroconf(interfaces=list(self._interfaces))
        try:
            return Zeroconf(InterfaceChoice.All, ip_version=IPVersion.All)
        except (OSError, RuntimeError):
            # A machine without IPv6, or with an interface that does not take it.
            return Zeroconf(InterfaceChoice.All, ip_version=IPVersion.V4Only)


class _Ear(RecordUpdateListener):
    """Hears the TXT records of each packet, and of names of which only a pointer came again.

    Several under one name are one, as rust-libp2p sends them.
    """

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """Called by zeroconf on its own thread."""
        living = [update.new for update in records[:_RECORDS] if update.new.ttl]
        texts: dict[str, bytes] = {}
        for record in living:
            if isinstance(record, DNSText):
                texts[record.name] = texts.get(record.name, b"") + record.text
        pointers = [record for record in living if isinstance(record, DNSPointer)]
        for pointer in pointers[:_POINTERS]:
            if pointer.alias not in texts:
                known = zc.cache.async_entries_with_name(pointer.alias)[:_POINTERS]
                texts[pointer.alias] = b"".join(one.text for one in known if isinstance(one, DNSText))
        for name, text in texts.items():
            if text and name.lower().endswith(f".{SERVICE}"):
                self._heard(text)


class Moderation:
    """Has zeroconf's thread rest when packets take too much of it: it shares the interpreter with the node.

    What comes meanwhile waits in the sockets' buffers, or is lost there.
    """

    def __init__(
        self, loop: AbstractEventLoop, stop: threading.Event, cpu: Callable[[], float] = time.thread_time
    ) -> None:
        self._loop = loop
        self._stop = stop
        self._cpu = cpu
        self._debts = Debts(share=SHARE, ahead=AHEAD)
        self._used = 0.0

    def look(self) -> None:
        """Rest if that is due; to be called in zeroconf's thread, and calls itself again."""
        used, now = self._cpu(), time.monotonic()
        self._debts.charge(self, used - self._used, now)
        self._used = used
        if rest := self._debts.rest(self, now):
            self._stop.wait(rest)
        self._loop.call_later(_LOOK, self.look)


def _pauses() -> Iterator[float]:
    """Seconds to wait after each question: a second, and from then on twice as long, up to _RARELY."""
    pause = 1.0
    while True:
        yield pause
        pause = min(2 * pause, _RARELY)


def _question() -> DNSOutgoing:
    """Ask who is there. An answer to us alone would reach just one of the programs that share the port."""
    question = DNSOutgoing(_QUERY)
    question.add_question(DNSQuestion(SERVICE, _PTR, _IN))
    return question


def _random_name() -> str:
    """A name that says nothing about us: 32 to 63 letters and digits."""
    return "".join(secrets.choice(_NAME_LETTERS) for _ in range(32 + secrets.randbelow(32)))
