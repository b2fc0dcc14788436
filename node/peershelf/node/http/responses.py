"""The shapes of an answer on the wire, as Kubo's clients expect them.

An error before anything was sent is a status and a JSON object. Afterwards it shows as a response that
breaks off without its last chunk, which every HTTP/1.1 client reports; a sequence of records carries the
reason as one more record before that. A client that says that it reads trailer fields (RFC 9110, 10.1.4) gets
the last chunk of a stream, and the reason as the trailer that Kubo uses for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from starlette.types import Send

from peershelf.node.operations.base import ByteStream
from peershelf.node.operations.request import Record

JSON = "application/json"

CODE_ERROR, CODE_USAGE, CODE_FORBIDDEN = 0, 1, 4
"""Kubo's classes of errors, which its command line tells apart."""

_CODES = {400: CODE_USAGE, 404: CODE_USAGE, 403: CODE_FORBIDDEN}


def encode(record: Record) -> bytes:
    """One JSON object on a line of its own."""
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def error_record(status: int, message: str, details: Sequence[str] = ()) -> Record:
    """The JSON object that stands for an error; `Details` are ours."""
    record = {"Message": message, "Code": _CODES.get(status, CODE_ERROR), "Type": "error"}
    return {**record, "Details": list(details)} if details else record


def record_headers() -> dict[str, str]:
    """Headers of an answer made of records."""
    return {"Content-Type": JSON, "X-Chunked-Output": "1"}


def stream_headers(stream: ByteStream) -> dict[str, str]:
    """Headers of an answer made of bytes."""
    headers = {"Content-Type": stream.content_type, "X-Stream-Output": "1"}
    if stream.length is not None:
        headers["X-Content-Length"] = str(stream.length)
    return headers


def takes_trailers(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request with these headers says that its sender reads trailer fields."""
    values = [value.decode("latin-1").lower() for name, value in headers if name == b"te"]
    return any(word.strip() == "trailers" for value in values for word in value.split(","))


def last_chunk(reason: str, details: Sequence[str] = ()) -> bytes:
    """The end of a chunked body that failed, with the reason, one line of text, and details in JSON."""
    more = f"X-Stream-Error-Details: {json.dumps({'Details': details})}\r\n" if details else ""
    return f"0\r\nX-Stream-Error: {reason}\r\n{more}\r\n".encode()


async def send_head(send: Send, status: int, headers: Mapping[str, str]) -> None:
    """Send status and headers. The body follows by send_body()."""
    # Nothing that the API says is for a browser to interpret, or for anything to keep.
    common = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    fields = [(name.encode(), value.encode()) for name, value in {**common, **headers}.items()]
    await send({"type": "http.response.start", "status": status, "headers": fields})


async def send_body(send: Send, data: bytes | memoryview, *, last: bool = False) -> None:
    """Send a piece of the body, waiting as long as the client takes to read."""
    await send({"type": "http.response.body", "body": data, "more_body": not last})
