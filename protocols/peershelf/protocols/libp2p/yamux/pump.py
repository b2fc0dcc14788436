"""Moves a session's bytes over a secured connection, and tells it the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import structlog
import trio

from peershelf.protocols.libp2p.security.session import SecuredConnection
from peershelf.protocols.libp2p.yamux.bell import Bell
from peershelf.protocols.libp2p.yamux.events import Event
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.session import Session
from peershelf.protocols.pacing.toll import Toll

log = structlog.get_logger(__name__)

_SHUT_PATIENCE = 1.0


class Pump:
    """One task reads, one writes, one keeps time; a secured connection is touched by nobody else.

    Args:
        dispatch: is given what the session said, an empty list included.
        limits: those of the session.
        toll: what the connection pays for work without data.
        cpu: returns the seconds of CPU that the thread has used.
    """

    def __init__(
        self,
        session: Session,
        conn: SecuredConnection,
        dispatch: Callable[[list[Event]], None],
        limits: YamuxLimits,
        toll: Toll,
        cpu: Callable[[], float],
    ) -> None:
        self._session = session
        self._conn = conn
        self._dispatch = dispatch
        self._close_patience = limits.close_patience
        self._toll = toll
        self._cpu = cpu
        self._output = Bell()
        self.room = Bell()
        """Rings when frames are handed over, so that the session takes more."""
        self.over = trio.Event()
        """To be set when the session has ended."""
        self._drained = Bell()
        self._writing = False

    async def run(self) -> None:
        """Run until the session has ended and its last words are handed over, or have waited long enough."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read_all)
            nursery.start_soon(self._write_all)
            nursery.start_soon(self._keep_time)
            await self.over.wait()
            await self._flush()
            nursery.cancel_scope.cancel()

    def wake(self) -> None:
        """Send what the session has to send. To be called whenever that may be something."""
        if self._session.has_data_to_send:
            self._output.ring()

    async def _read_all(self) -> None:
        while self._session.ended is None:
            try:
                more = await self._conn.arrives()
                began = self._cpu()
                messages = self._conn.open_some() if more else []
            except Exception as error:  # besides its own errors py-libp2p lets those of its libraries through
                self._lose(error)
                return
            if not more:
                self._dispatch(self._session.lost("the peer closed the connection"))
                return
            await self._take_in(messages, began)

    async def _take_in(self, messages: Sequence[bytes], began: float) -> None:
        """Deal with what came, with turns for others, and rest for what it cost (see `toll`)."""
        session = self._session
        items, frames, moved = len(messages), session.frames, session.moved
        for is_last in self._steps(messages):
            now = trio.current_time()
            items += session.frames - frames
            self._toll.worked(items, session.moved - moved, self._cpu() - began, now)
            if rest := self._toll.rest(now):
                if self._conn.has_hung_up:
                    self._dispatch(session.lost("the peer closed the connection"))
                    return
                await trio.sleep(rest)
            elif not is_last:
                await trio.lowlevel.checkpoint()
            items, frames, moved, began = 0, session.frames, session.moved, self._cpu()

    def _steps(self, messages: Sequence[bytes]) -> Iterator[bool]:
        """Deal with what came, and yield after each step whether it was the last."""
        session = self._session
        events = session.receive(trio.current_time(), *messages)
        while session.is_behind:
            self._dispatch(events)
            yield False
            events = session.receive(trio.current_time())
        self._dispatch(events)
        yield True

    async def _write_all(self) -> None:
        while True:
            portion = self._session.data_to_send()
            self._writing = bool(portion)
            if not portion:
                self._drained.ring()
                await self._output.wait()
                continue
            self.room.ring()
            started = trio.current_time()
            try:
                await self._conn.write_messages(portion)
                self._session.handed_over(trio.current_time() - started)
            except Exception as error:  # as when reading
                self._lose(error)
                return

    async def _keep_time(self) -> None:
        while self._session.ended is None:
            await trio.sleep_until(self._session.deadline)
            self._dispatch(self._session.tick(trio.current_time()))

    def _lose(self, error: Exception) -> None:
        self._writing = False
        self._dispatch(self._session.lost(f"the connection broke: {type(error).__name__}"))
        self._drained.ring()

    async def _flush(self) -> None:
        with trio.move_on_after(self._close_patience):
            while self._writing or self._session.has_data_to_send:
                await self._drained.wait()

    async def shut(self) -> None:
        """Close the secured connection, also while being cancelled. Raises nothing."""
        with trio.CancelScope(deadline=trio.current_time() + _SHUT_PATIENCE, shield=True):
            try:
                await self._conn.close()
            except Exception as error:
                log.debug("secured connection did not close cleanly", error=type(error).__name__)
