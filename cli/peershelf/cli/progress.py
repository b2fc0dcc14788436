"""A progress bar on a terminal's standard error."""

from __future__ import annotations

import os
import sys
import time

from peershelf.cli import waiting
from peershelf.cli.text import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Write

_REDRAW_SECONDS = 0.1
_BAR_WIDTH = 20
_USUAL_COLUMNS = 80


class Progress:
    """Shows how much of `total` bytes is done, how fast, and what is left. Without a total, no bar.

    A disabled one (no terminal, a dumb one, or not wanted) does nothing, so that callers need not ask.
    """

    def __init__(self, *, enabled: bool, total: int | None = None) -> None:
        self.enabled = enabled and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.total = total
        self._start = self._drawn = time.monotonic()
        self._visible = False

    def update(self, done: int) -> None:
        """Show `done` bytes, but not more often than the eye can follow."""
        if done:
            waiting.over()
        if self.enabled and time.monotonic() - self._drawn >= _REDRAW_SECONDS:
            self._draw(done)

    def told(self, done: int) -> None:
        """As `update`, for a source that keeps to this pace itself: its last word before a pause is shown."""
        if self._visible and self.enabled:
            waiting.over()
            self._draw(done)
        else:
            self.update(done)

    def expect(self, total: int | None) -> None:
        """So many bytes will come; None where that is not known."""
        self.total = total

    def counting(self, write: Write) -> Write:
        """As `write`, and show how many bytes it was given."""
        done = 0

        def write_and_count(data: bytes | memoryview) -> None:
            nonlocal done
            write(data)
            done += len(data)
            self.update(done)

        return write_and_count

    def clear(self) -> None:
        """Take the bar away, for a line of output or for good."""
        if self._visible:
            self._visible = False
            self._write("\r\x1b[K")

    def _draw(self, done: int) -> None:
        self._drawn = time.monotonic()
        self._visible = True
        self._write(f"\r{self._text(done, self._drawn - self._start)}\x1b[K")

    def _text(self, done: int, seconds: float) -> str:
        rate = f"{human_size(done / seconds)}/s"
        if not self.total:
            return _fitting(f" {human_size(done)}  {rate}")
        share = min(done / self.total, 1.0)
        bar = ("=" * int(share * _BAR_WIDTH) + ">")[:_BAR_WIDTH].ljust(_BAR_WIDTH)
        left = (self.total - done) / (done / seconds) if 0 < done <= self.total else 0.0
        sizes = f" {human_size(done)} / {human_size(self.total)}"
        return _fitting(
            f"{sizes} [{bar}] {share:4.0%}  {rate}  {_clock(left)}",
            f"{sizes} {share:4.0%}  {_clock(left)}",
            f" {share:4.0%}",
        )

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            self.enabled = False


def _fitting(*texts: str) -> str:
    """The first, most telling text that the terminal has room for; the last one is cut to its width."""
    room = _columns() - 1
    return next((text for text in texts if len(text) <= room), texts[-1][:room])


def _columns() -> int:
    try:
        # A terminal that was never told its size says 0.
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL_COLUMNS
    except OSError:
        return _USUAL_COLUMNS


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d} left"
