"""Answers in JSON: one object, or newline-delimited ones that come over time."""

from __future__ import annotations

from peershelf.cli.errors import CliError, TransferBroken
from peershelf.cli.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from peershelf.cli.backend import OnRecord

_MAX_RECORD = 64 << 20


class RecordReader:
    """Cuts a body into its records, a JSON object a line. A record that tells an error raises it."""

    def __init__(self, on_record: OnRecord) -> None:
        self._on_record = on_record
        self._pending = bytearray()

    def receive(self, data: bytes | memoryview) -> None:
        """Take in a piece of the body. Raises CliError for a record that is an error."""
        self._pending += data
        *lines, rest = self._pending.split(b"\n")
        if len(rest) > _MAX_RECORD:
            raise TransferBroken("the daemon's answer has no end; is this the daemon's address?")
        self._pending = rest
        for line in lines:
            self._take(line)

    def end(self) -> None:
        """The body has ended; what stands after its last line end is a record too."""
        self._take(self._pending)

    def _take(self, line: bytearray) -> None:
        if not line.strip():
            return
        record = json_object(line)
        if record.get("Type") == "error" and "Message" in record:
            raise CliError(one_line(str(record["Message"])), texts(record.get("Details")))
        self._on_record(record)


def texts(value: object) -> list[str]:
    """The lines of a list of them, such as an error's details; [] of anything else."""
    return [one_line(str(line)) for line in value] if isinstance(value, list) else []


def json_object(text: bytes | bytearray) -> dict[str, Any]:
    """The JSON object that `text` is. Raises TransferBroken."""
    import json  # which a command that prints a file has no other use for

    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise TransferBroken("the API's answer is not what was asked for: is this the daemon's address?")
    return value
