"""The client against a daemon that answers well, badly, early, late and not at all."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from peershelf.cli.address import Address
from peershelf.cli.errors import CliError, DaemonUnreachable, TransferBroken
from peershelf.cli.remote import RemoteBackend
from peershelf.cli.sources import Source, collect

MIB = 1 << 20


@pytest.fixture
def backend(daemon: Any) -> RemoteBackend:
    return RemoteBackend(Address.parse(daemon.address), {"offline": "true"})


def big_file(directory: Path, size: int) -> list[Source]:
    with (directory / "big").open("wb") as file:
        file.truncate(size)
    return collect([str(directory / "big")])


def test_a_call_carries_arguments_options_and_a_host_that_the_daemon_accepts(
    daemon: Any, backend: RemoteBackend, api: ModuleType
) -> None:
    daemon.answers["block/stat"] = api.sized({"Key": "bafy", "Size": 5})
    assert backend.unary("block/stat", ["a/b", "c&d"], {"x": "1 2"}) == {"Key": "bafy", "Size": 5}
    call = daemon.last
    assert (call.args, call.options) == (["a/b", "c&d"], {"offline": "true", "x": "1 2"})
    assert call.headers["host"] == f"127.0.0.1:{daemon.address.rpartition('/')[2]}"
    assert call.headers["te"] == "trailers"


def test_records_come_one_by_one_however_they_are_cut(
    daemon: Any, backend: RemoteBackend, api: ModuleType
) -> None:
    daemon.answers["refs/local"] = api.chunked([b'{"Ref":"a"}\n{"Re', b'f":"b"}\n', b'\n{"Ref":"c"}'])
    seen: list[Any] = []
    backend.records("refs/local", seen.append)
    assert seen == [{"Ref": "a"}, {"Ref": "b"}, {"Ref": "c"}]


def test_a_record_is_delivered_before_the_answer_is_whole(
    daemon: Any, backend: RemoteBackend, api: ModuleType
) -> None:
    first_seen = threading.Event()
    early = api.head(200, "Transfer-Encoding: chunked") + api.chunk(b'{"Text":"PING"}\n')
    daemon.answers["ping"] = api.Answer(b"0\r\n\r\n", early=early, waits=first_seen)
    backend.records("ping", lambda record: first_seen.set())
    assert first_seen.is_set()


def test_bytes_are_written_in_order_and_their_number_is_told_first(
    daemon: Any, backend: RemoteBackend, api: ModuleType
) -> None:
    chunks = [bytes([number]) * 70_000 for number in range(30)]
    daemon.answers["cat"] = api.chunked(chunks, "X-Content-Length: 2100000")
    written = bytearray()
    events: list[object] = []

    def write(data: bytes | memoryview) -> None:
        events.append("data")
        written.extend(data)

    backend.stream("cat", write, ["bafy"], {}, events.append)
    assert events[:2] == [2_100_000, "data"]
    assert bytes(written) == b"".join(chunks)


def test_files_arrive_as_parts_with_their_names(
    daemon: Any, backend: RemoteBackend, api: ModuleType, tmp_path: Path
) -> None:
    contents = {"a b": b"", "é.txt": os.urandom(3 * MIB + 1)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    daemon.answers["add"] = api.records({"Name": "x", "Hash": "bafy", "Size": "1"})
    seen: list[Any] = []
    backend.records("add", seen.append, sources=collect([str(tmp_path / name) for name in contents]))
    assert dict(daemon.last.parts) == contents
    assert seen == [{"Name": "x", "Hash": "bafy", "Size": "1"}]


def test_answers_are_read_while_the_upload_is_still_going_out(
    daemon: Any, backend: RemoteBackend, api: ModuleType, tmp_path: Path
) -> None:
    progress = json.dumps({"Name": "big", "Bytes": 1, "Padding": "x" * MIB}).encode() + b"\n"
    early = api.head(200, "Transfer-Encoding: chunked") + api.chunk(progress) * 32
    daemon.answers["add"] = api.Answer(api.chunk(b'{"Hash":"bafy"}') + b"0\r\n\r\n", early=early)
    seen: list[Any] = []
    backend.records("add", seen.append, sources=big_file(tmp_path, 32 * MIB))
    assert len(seen) == 33
    assert len(daemon.last.parts[0][1]) == 32 * MIB


def test_a_refusal_before_the_upload_is_read_is_told(
    daemon: Any, backend: RemoteBackend, api: ModuleType, tmp_path: Path
) -> None:
    refusal = api.sized({"Message": "no space left", "Code": 0, "Type": "error"}, status=500).raw
    daemon.answers["add"] = api.Answer(b"", early=refusal, reads_body=False)
    with pytest.raises(CliError, match=r"no space left|the connection to the daemon broke"):
        backend.records("add", print, sources=big_file(tmp_path, 64 * MIB))


def test_a_refusal_is_told_while_standard_input_stays_silent(
    daemon: Any, backend: RemoteBackend, api: ModuleType, tmp_path: Path
) -> None:
    refusal = api.sized({"Message": "no such profile", "Code": 1, "Type": "error"}, status=400).raw
    daemon.answers["add"] = api.Answer(b"", early=refusal, reads_body=False)
    fifo = tmp_path / "silent"
    os.mkfifo(fifo)
    writer = os.open(fifo, os.O_RDWR)
    try:
        with pytest.raises(CliError, match="no such profile"):
            backend.records("add", print, sources=collect([str(fifo)]))
    finally:
        os.close(writer)


@pytest.mark.parametrize("status", [400, 500, 403])
def test_a_refusal_is_one_harmless_line(
    daemon: Any, backend: RemoteBackend, api: ModuleType, status: int
) -> None:
    message = {"Message": "not a CID:\n\x1b[31m?", "Code": 0, "Type": "error"}
    daemon.answers["cat"] = api.sized(message, status)
    with pytest.raises(CliError) as caught:
        backend.stream("cat", print, ["?"])
    assert caught.value.exit_code == 1
    assert str(caught.value) == "not a CID: \\x1b[31m?"


def test_another_programs_answer_is_recognised(daemon: Any, backend: RemoteBackend, api: ModuleType) -> None:
    daemon.answers["id"] = api.Answer(api.head(404, "Content-Length: 9") + b"<html>404")
    with pytest.raises(CliError, match="HTTP status 404: is this the daemon"):
        backend.unary("id")
    daemon.answers["id"] = api.Answer(api.head(200, "Content-Length: 6") + b"<html>")
    with pytest.raises(TransferBroken, match="is this the daemon's address"):
        backend.unary("id")


@pytest.mark.parametrize("cut", [0, 20, 60, 75])
def test_an_answer_that_breaks_off_is_an_error(
    daemon: Any, backend: RemoteBackend, api: ModuleType, cut: int
) -> None:
    whole = api.chunked([b"0123456789", b"0123456789"]).raw
    daemon.answers["cat"] = api.Answer(whole[:cut])
    with pytest.raises(TransferBroken):
        backend.stream("cat", lambda data: None, ["bafy"])


def test_the_reason_of_a_failure_in_mid_stream_is_told(
    daemon: Any, backend: RemoteBackend, api: ModuleType
) -> None:
    daemon.answers["cat"] = api.chunked([b"half"], trailer="X-Stream-Error: no peer has bafy\r\n")
    written: list[bytes] = []
    with pytest.raises(CliError, match="no peer has bafy"):
        backend.stream("cat", lambda data: written.append(bytes(data)), ["bafy"])
    assert written == [b"half"]


@pytest.mark.parametrize("way", ["trailer", "record", "status"])
def test_details_of_a_failure_come_with_it(
    daemon: Any, backend: RemoteBackend, api: ModuleType, way: str
) -> None:
    error = {"Message": "late", "Code": 0, "Type": "error", "Details": ["peer one: silent\x1b[2J", "dead"]}
    trailer = f"X-Stream-Error: late\r\nX-Stream-Error-Details: {json.dumps(error)}\r\n"
    daemon.answers["cat"] = {
        "trailer": api.chunked([b"half"], trailer=trailer),
        "record": api.records(error),
        "status": api.sized(error, status=500),
    }[way]
    with pytest.raises(CliError, match="late") as failure:
        if way == "record":
            backend.records("cat", lambda record: None)
        else:
            backend.stream("cat", lambda data: None)
    assert list(failure.value.details) == ["peer one: silent\\x1b[2J", "dead"]


def test_a_record_that_is_an_error_ends_the_call(
    daemon: Any, backend: RemoteBackend, api: ModuleType
) -> None:
    daemon.answers["add"] = api.records({"Name": "a"}, {"Message": "disk full", "Code": 0, "Type": "error"})
    with pytest.raises(CliError, match="disk full"):
        backend.records("add", lambda record: None)


def test_a_daemon_that_stays_silent_is_left_after_the_timeout(
    daemon: Any, api: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("peershelf.cli.remote._GRACE_SECONDS", 0.0)
    never = threading.Event()
    daemon.answers["cat"] = daemon.answers["add"] = api.Answer(b"", reads_body=False, waits=never)
    backend = RemoteBackend(Address.parse(daemon.address), timeout=0.05)
    with pytest.raises(CliError, match="did not answer in time"):
        backend.stream("cat", print, ["bafy"])
    with pytest.raises(CliError, match="did not answer in time"):
        backend.records("add", print, sources=big_file(tmp_path, 32 * MIB))
    never.set()


def test_where_nobody_listens_the_error_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DaemonUnreachable, match=r"Connection refused.*node daemon"):
        RemoteBackend(Address.parse(f"/ip4/127.0.0.1/tcp/{port}")).unary("id")
