"""The daemon as a backend: each operation is one POST to its local API."""

from __future__ import annotations

import socket
import time

from peershelf.cli import handing
from peershelf.cli.backend import NO_OPTIONS, Backend
from peershelf.cli.errors import CliError, DaemonUnreachable, TransferBroken
from peershelf.cli.exchange import Exchange
from peershelf.cli.ndjson import RecordReader, json_object, texts
from peershelf.cli.quoting import query
from peershelf.cli.text import one_line
from peershelf.cli.upload import Upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from peershelf.cli.address import Address
    from peershelf.cli.backend import OnLength, OnRecord, Record, Write
    from peershelf.cli.exchange import Deliver
    from peershelf.cli.output import Output
    from peershelf.cli.response import Response
    from peershelf.cli.sources import Source

_CONNECT_SECONDS = 5.0
_GRACE_SECONDS = 5.0
"""The daemon keeps to --timeout itself, and can say more; only if it stays silent does the client end it."""


def connect(address: Address) -> socket.socket:
    """A connection to the API. Raises DaemonUnreachable."""
    # Bytes, which typeshed does not know of, save the import of what translates names that are not ASCII.
    host = address.host.encode() if address.host.isascii() else address.host
    try:
        sock = socket.create_connection((host, address.port), timeout=_CONNECT_SECONDS)  # type: ignore[arg-type]
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no answer"
        raise DaemonUnreachable(
            f"no daemon answers at {one_line(address.text)} ({reason}): start one with `node daemon`"
        ) from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class RemoteBackend(Backend):
    """Talks to the API at `address`; `common` options go with every call, `timeout` is in seconds.

    `connected` is a connection that is open already, for the first call.
    """

    def __init__(
        self,
        address: Address,
        common: Mapping[str, str] = NO_OPTIONS,
        timeout: float | None = None,
        connected: socket.socket | None = None,
    ) -> None:
        self.description = f"the daemon at {address.text}"
        self._address = address
        self._common = common
        self._timeout = timeout
        self._connected = connected

    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        body = bytearray()
        self._post(name, args, options, lambda _, piece: body.extend(piece))
        return json_object(body or b"{}")

    def records(
        self,
        name: str,
        on_record: OnRecord,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        sources: Iterable[Source] = (),
    ) -> None:
        lines = RecordReader(on_record)
        hands_over = name == "add" and handing.can_hand_over(self._connected)
        upload = Upload(sources, hands_over=hands_over) if sources else None
        self._post(name, args, options, lambda _, piece: lines.receive(piece), upload)
        lines.end()

    def stream(
        self,
        name: str,
        write: Write,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        on_length: OnLength = id,
        output: Output | None = None,
    ) -> None:
        if output is not None and handing.can_hand_over(self._connected):
            on_written = output.on_written
            lines = RecordReader(lambda record: on_written(int(record["Bytes"])))
            write = lines.receive
        else:
            output = None
        announced = False

        def deliver(response: Response, piece: memoryview) -> None:
            nonlocal announced
            if not announced:
                announced = True
                on_length(_content_length(response))
            write(piece)

        self._post(name, args, options, deliver, output=output)

    def _post(
        self,
        name: str,
        args: Sequence[str],
        options: Mapping[str, str],
        deliver: Deliver,
        upload: Upload | None = None,
        output: Output | None = None,
    ) -> None:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout + _GRACE_SECONDS
        sock, self._connected = self._connected or connect(self._address), None
        with sock:
            exchange = Exchange(sock, deliver, deadline)
            head = self._head(name, args, options, upload, output)
            try:
                response = exchange.run(head, upload, None if output is None else output.descriptor)
            except BaseException:
                if output is not None:
                    handing.wait_until_let_go(sock)
                raise
        if response.status != 200:
            raise self._refusal(response, exchange.refusal)
        if failure := response.trailers.get("x-stream-error"):
            more = json_object(response.trailers.get("x-stream-error-details", "{}").encode())
            raise CliError(one_line(failure), texts(more.get("Details")))

    def _head(
        self,
        name: str,
        args: Sequence[str],
        options: Mapping[str, str],
        upload: Upload | None,
        output: Output | None,
    ) -> bytes:
        body = "Content-Length: 0\r\n"
        if upload is not None:
            body = f"Content-Type: {upload.content_type}\r\nTransfer-Encoding: chunked\r\n"
        return (
            f"POST /api/v0/{name}?{query(args, {**self._common, **options})} HTTP/1.1\r\n"
            f"Host: {self._address.authority}\r\n"
            f"{body}"
            f"{'' if output is None else handing.OUTPUT_FIELD}"
            # Asks for the reason of a failure in mid-stream as a trailer field.
            "TE: trailers\r\n"
            "Connection: TE, close\r\n\r\n"
        ).encode()

    def _refusal(self, response: Response, body: bytearray) -> CliError:
        """What the daemon says is wrong."""
        try:
            record = json_object(body)
            message = record["Message"]
        except (TransferBroken, KeyError):
            return CliError(
                f"{self._address.text} answers with HTTP status {response.status}: is this the daemon?"
            )
        return CliError(one_line(str(message)), texts(record.get("Details")))


def _content_length(response: Response) -> int | None:
    length = response.headers.get("x-content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None
