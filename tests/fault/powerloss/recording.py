"""Runs a program under the recorder, and reads what it wrote down."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).with_name("recorder.c")
_HEAD = struct.Struct("=cIIIQ")


@dataclass(frozen=True, slots=True)
class Op:
    """One call that changed something. Paths are relative to the recorded directory, which is ""."""

    kind: str
    """write, truncate, sync, create, mkdir, unlink, rename or mark."""
    path: str
    other: str = ""
    offset: int = 0
    """Of a write; of a truncation, the new size."""
    data: bytes = b""


_KINDS = {
    b"w": "write",
    b"t": "truncate",
    b"s": "sync",
    b"c": "create",
    b"d": "mkdir",
    b"u": "unlink",
    b"r": "rename",
    b"m": "mark",
}


def build_recorder(directory: Path) -> Path:
    """Compile the recorder. A machine without a C compiler cannot run these tests, and says so."""
    library = directory / "recorder.so"
    command = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE)]
    subprocess.run([*command, "-ldl", "-lpthread"], check=True)
    return library


def environment(
    library: Path, root: Path, *, log: Path | None = None, marks: Path | None = None, fail: str = ""
) -> Mapping[str, str]:
    """What to add to a program's environment. `fail` is N:ERRNO, to let the N-th call fail."""
    variables = {"LD_PRELOAD": str(library), "RECORDER_ROOT": str(root)}
    if log is not None:
        variables["RECORDER_LOG"] = str(log)
    if marks is not None:
        variables["RECORDER_MARKS"] = str(marks)
    if fail:
        variables["RECORDER_FAIL"] = fail
    return variables


def read(log: Path, root: Path) -> list[Op]:
    """Return the recorded calls in their order."""
    return list(_read(log.read_bytes(), f"{root}"))


def _read(data: bytes, root: str) -> Iterator[Op]:
    at = 0
    while at < len(data):
        kind, path_size, other_size, data_size, offset = _HEAD.unpack_from(data, at)
        texts: Sequence[bytes] = []
        at += _HEAD.size
        for size in (path_size, other_size, data_size):
            texts = [*texts, data[at : at + size]]
            at += size
        path, other = (text.decode().removeprefix(root).lstrip("/") for text in texts[:2])
        yield Op(_KINDS[kind], path, other, offset, texts[2])
