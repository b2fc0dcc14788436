"""Percent-encoding (RFC 3986): urllib.parse would cost a command 3 ms for these few lines."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_ENCODED = [chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in range(256)]


def percent_encode(text: str) -> str:
    """Encode all but unreserved characters; bytes of a file name that are no UTF-8 stay those bytes."""
    data = text.encode("utf-8", "surrogateescape")
    return "".join([_ENCODED[byte] for byte in data])


def query(args: Iterable[str], options: Mapping[str, str]) -> str:
    """The query of an API call: `arg` for each argument, and the options by name."""
    pairs = [("arg", arg) for arg in args] + list(options.items())
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in pairs)
