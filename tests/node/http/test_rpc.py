"""Requests and answers of the local API, seen from the wire."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import trio

from peershelf.node.describe import details
from peershelf.node.errors import TimedOut
from peershelf.node.http.responses import error_record, last_chunk


async def test_a_unary_operation_answers_with_one_json_object(api: Any) -> None:
    answer = await api.post("/api/v0/id")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"ID": "me", "Args": [], "Options": {}}
    assert answer.complete


async def test_arguments_and_options_come_from_the_query(api: Any) -> None:
    answer = await api.post("/api/v0/id?arg=a%2Fb&peerid-base=b58mh&arg=c+d&arg=&offline=true")
    assert answer.json["Args"] == ["a/b", "c d", ""]
    assert answer.json["Options"] == {"peerid-base": "b58mh", "offline": "true"}


async def test_what_kubos_command_line_adds_to_every_request_is_accepted(api: Any) -> None:
    answer = await api.post("/api/v0/id?encoding=json&stream-channels=true&trickle=false&debug=true")
    assert answer.status == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("colour=red", "id has no option 'colour'"),
        ("trickle=true", "id does not support trickle='true', only false"),
        ("peerid-base=a&peerid-base=b", "option 'peerid-base' is given twice"),
        ("timeout=soon", "option timeout: 'soon' is no duration; write one as 30s, 1m30s or 250ms"),
    ],
)
async def test_a_wrong_request_is_a_usage_error(api: Any, query: str, message: str) -> None:
    answer = await api.post(f"/api/v0/id?{query}")
    assert answer.status == 400
    assert answer.json == {"Message": message, "Code": 1, "Type": "error"}


async def test_too_few_and_too_many_arguments_are_usage_errors(api: Any) -> None:
    none = await api.post("/api/v0/fail")
    two = await api.post("/api/v0/fail?arg=a&arg=b")
    assert (none.status, none.json["Message"]) == (400, "fail needs 1 argument, 0 given")
    assert (two.status, two.json["Message"]) == (400, "fail takes at most 1 argument, 2 given")


@pytest.mark.parametrize("path", ["/api/v0/nosuch", "/api/v0/", "/", "/api/v1/id", "/webui"])
async def test_an_unknown_path_is_404(api: Any, path: str) -> None:
    answer = await api.post(path)
    assert answer.status == 404
    assert answer.json["Type"] == "error"


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        ("node", 500, "the node is tired"),
        ("usage", 400, "say please"),
        ("cid", 400, "no CID"),
        ("setting", 400, "no such key"),
        ("address", 400, "no address"),
        ("block", 500, "no such block"),
        ("disk", 500, "no space left on the device; free some and try again"),
        ("group", 500, "inside a group"),
        ("slow", 500, "the operation took too long; try again, or give it a longer --timeout"),
    ],
)
async def test_a_known_error_reaches_the_client_on_one_line(
    api: Any, kind: str, status: int, message: str
) -> None:
    answer = await api.post(f"/api/v0/fail?arg={kind}")
    assert (answer.status, answer.json["Message"]) == (status, message)


async def test_a_bug_is_named_but_its_text_is_not_repeated(api: Any) -> None:
    answer = await api.post("/api/v0/fail?arg=bug")
    assert answer.status == 500
    assert answer.json["Message"] == "internal error (RuntimeError); the log says more"


async def test_records_come_one_a_line_with_kubos_headers(api: Any) -> None:
    answer = await api.post("/api/v0/refs/local?n=3")
    assert answer.headers["x-chunked-output"] == "1"
    assert answer.headers["content-type"] == "application/json"
    assert answer.records == [{"Number": 0}, {"Number": 1}, {"Number": 2}]
    assert answer.complete


async def test_an_answer_of_no_records_is_empty(api: Any) -> None:
    answer = await api.post("/api/v0/refs/local?n=0")
    assert (answer.status, answer.body, answer.complete) == (200, b"", True)


async def test_many_records_keep_their_order(api: Any) -> None:
    answer = await api.post("/api/v0/refs/local?n=5000")
    assert [record["Number"] for record in answer.records] == list(range(5000))


async def test_a_record_is_sent_at_once_though_the_next_is_long_in_coming(api: Any) -> None:
    connection = await api.connect()
    async with connection.stream:
        await connection.send_head("/api/v0/refs/local?n=1&wait=true", [("Content-Length", "0")])
        await connection.end()
        received = b""
        while b'{"Number":0}\n' not in received:
            data = await connection.stream.receive_some()
            assert data
            received += data


async def test_a_stream_comes_with_its_length_for_progress_bars(api: Any, chunk: bytes) -> None:
    answer = await api.post("/api/v0/cat?chunks=3")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["x-stream-output"] == "1"
    assert answer.headers["x-content-length"] == str(3 * len(chunk))
    assert answer.body == chunk * 3
    assert answer.complete


async def test_an_empty_stream_is_a_complete_answer(api: Any) -> None:
    answer = await api.post("/api/v0/cat?chunks=0")
    assert (answer.status, answer.body, answer.complete) == (200, b"", True)


@pytest.mark.parametrize("path", ["/api/v0/cat?chunks=2&fail-at=0", "/api/v0/refs/local?fail-at=0"])
async def test_what_fails_before_the_first_byte_has_a_status(api: Any, path: str) -> None:
    answer = await api.post(path)
    assert answer.status == 500
    assert answer.json["Message"] in ("nobody has it", "lost count")


async def test_a_stream_that_fails_midway_lacks_its_end(api: Any, chunk: bytes) -> None:
    answer = await api.post("/api/v0/cat?chunks=3&fail-at=2")
    assert answer.status == 200
    assert answer.body == chunk * 2
    assert not answer.complete


@pytest.mark.parametrize("value", ["trailers", "gzip;q=0.5, Trailers"])
async def test_a_client_that_reads_trailers_is_told_why_a_stream_failed(
    api: Any, chunk: bytes, value: str
) -> None:
    answer = await api.post("/api/v0/cat?chunks=3&fail-at=2", headers=[("TE", value), ("Connection", "TE")])
    assert answer.body == chunk * 2
    assert answer.trailers == {"x-stream-error": "lost on the way"}


def test_what_was_tried_before_a_deadline_goes_along() -> None:
    assert error_record(500, "late", ("peer one: silent",))["Details"] == ["peer one: silent"]
    sent = b'\r\nX-Stream-Error-Details: {"Details": ["peer one: silent"]}\r\n'
    assert sent in last_chunk("late", ("peer one: silent",))
    assert details(TimedOut("late", ("peer one: silent",))) == ("peer one: silent",)


async def test_records_that_fail_midway_end_in_an_error_record_and_lack_their_end(api: Any) -> None:
    answer = await api.post("/api/v0/refs/local?n=3&fail-at=2")
    assert answer.status == 200
    assert answer.records[:2] == [{"Number": 0}, {"Number": 1}]
    assert answer.records[2] == {"Message": "lost count", "Code": 0, "Type": "error"}
    assert not answer.complete


async def test_a_timeout_ends_the_operation_and_says_so(api: Any) -> None:
    answer = await api.post("/api/v0/wait?timeout=50ms")
    assert answer.status == 500
    assert answer.json["Message"] == "wait took longer than its timeout of 0.05 s"
    assert api.node.ended.is_set()


async def test_a_timeout_after_the_first_record_breaks_the_answer_off(api: Any) -> None:
    answer = await api.post("/api/v0/refs/local?n=1&wait=true&timeout=50ms")
    assert answer.records[0] == {"Number": 0}
    assert "timeout of 0.05 s" in answer.records[1]["Message"]
    assert not answer.complete


async def test_an_upload_reaches_the_operation_part_by_part(api: Any) -> None:
    files = {"a.txt": b"hello", "d%2Fb+c": b"", "big": b"\r\n--edg" * 100_000}
    answer = await api.upload("/api/v0/add", *files.items())
    assert [record["Name"] for record in answer.records] == ["a.txt", "d/b c", "big"]
    digests = [hashlib.sha256(content).hexdigest() for content in files.values()]
    assert [record["Hash"] for record in answer.records] == digests


async def test_content_that_the_operation_leaves_unread_is_skipped(api: Any) -> None:
    answer = await api.upload("/api/v0/names", ("a", b"x" * 3_000_000), ("b", b"y"))
    assert answer.json == {"Names": ["a", "b"]}


async def test_answers_may_begin_before_the_upload_has_ended(
    api: Any, make_multipart: Any, multipart_header: Any
) -> None:
    body = make_multipart(("a", b"x" * 1_000_000))
    connection = await api.connect()
    async with connection.stream:
        head = [multipart_header, ("Transfer-Encoding", "chunked")]
        await connection.send_head("/api/v0/add?progress=true", head)
        await connection.send_body(body[:500_000])
        first = await connection.stream.receive_some()
        assert first.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("application/octet-stream", "add needs an upload of type multipart/form-data"),
        ("multipart/form-data", "the upload's Content-Type names no usable multipart boundary"),
        ("multipart/form-data; boundary=" + "x" * 71, "the upload's Content-Type names no usable"),
        ('multipart/form-data; boundary="a', "the upload has a malformed header parameter"),
    ],
)
async def test_an_upload_of_an_unusable_type_is_a_usage_error(
    api: Any, content_type: str, message: str
) -> None:
    answer = await api.post("/api/v0/add", b"hello", [("Content-Type", content_type)])
    assert answer.status == 400
    assert answer.json["Message"].startswith(message)


async def test_an_upload_that_ends_in_the_middle_is_a_usage_error(
    api: Any, make_multipart: Any, multipart_header: Any
) -> None:
    body = make_multipart(("a", b"hello"))[:-8]
    answer = await api.post("/api/v0/add", body, [multipart_header])
    assert answer.status == 400
    assert answer.json["Message"] == "the upload ended in the middle; send it again"


@pytest.mark.parametrize(
    "path", ["/api/v0/add?colour=red", "/api/v0/nosuch", "/elsewhere", "/api/v0/id", "/api/v0/fail?arg=node"]
)
async def test_a_large_upload_that_nobody_reads_does_not_keep_the_answer_from_coming(
    api: Any, path: str
) -> None:
    with trio.fail_after(10):
        answer = await api.upload(path, ("a", bytes(20_000_000)))
    assert answer.complete


async def test_an_operation_that_fails_in_the_middle_of_an_upload_is_seen_to_fail(api: Any) -> None:
    with trio.fail_after(10):
        answer = await api.upload("/api/v0/add?progress=true&fail-early=true", ("a", bytes(20_000_000)))
    assert answer.records[-1] == {"Message": "the store is full", "Code": 0, "Type": "error"}
    assert not answer.complete


async def test_further_lines_of_standard_input_are_further_arguments(
    api: Any, make_multipart: Any, multipart_header: Any
) -> None:
    body = make_multipart(("stdin", b"second\nthird\n"))
    answer = await api.post("/api/v0/id?arg=first", body, [multipart_header])
    assert answer.json["Args"] == ["first", "second", "third"]


async def test_a_list_of_arguments_has_a_limit(api: Any, make_multipart: Any, multipart_header: Any) -> None:
    body = make_multipart(("stdin", bytes(2_000_000)))
    answer = await api.post("/api/v0/id", body, [multipart_header])
    assert (answer.status, answer.json["Message"]) == (400, "the arguments take more than 1048576 bytes")


async def test_a_connection_serves_one_request_after_another(api: Any) -> None:
    connection = await api.connect()
    async with connection.stream:
        for path in ("/api/v0/id", "/api/v0/nosuch", "/api/v0/refs/local", "/api/v0/cat", "/api/v0/id"):
            await connection.send_head(path, [("Content-Length", "0")])
            await connection.end()
            answer = await connection.receive()
            assert answer.complete
        assert answer.json["ID"] == "me"
