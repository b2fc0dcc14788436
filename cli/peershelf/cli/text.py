"""Text for people: strangers' text made harmless, sizes and rates in readable units."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def safe(text: str) -> str:
    """Escape what could move the cursor, colour the terminal, reorder or break the line.

    File names, peers' agents and error texts come from strangers. Everything that Unicode calls not printable
    (controls, line ends, bidirectional marks, lone surrogates) is shown as its Python escape.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def safe_field(record: Mapping[str, object], key: str) -> str:
    """A field of a record, made safe; of a name that is no text its true bytes, as a lone surrogate each."""
    exact = record.get(f"{key}Bytes")
    if exact is None:
        return safe(str(record[key]))
    from binascii import a2b_base64

    return safe(a2b_base64(str(exact)).decode("utf-8", "surrogateescape"))


def one_line(text: str) -> str:
    """Text as one line: line ends and runs of blanks become one blank, the rest is made safe."""
    return safe(" ".join(text.split()))


def human_size(count: float) -> str:
    """Bytes in binary units with three or four digits: `512 B`, `1.5 MiB`, `10.0 GiB`."""
    if count < 1024:
        return f"{int(count)} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} TiB"


def local_time(seconds: float) -> str:
    """A time in seconds since 1970 as a clock here shows it: `2026-01-31 23:59:59`."""
    import time

    return time.strftime("%F %T", time.localtime(seconds))


def human_duration(seconds: float) -> str:
    """A short time: `0.42 ms`, `1.50 s`."""
    return f"{seconds * 1000:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"
