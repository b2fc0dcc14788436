from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.cli.errors import TransferBroken
from peershelf.cli.response import Response

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def receive(*pieces: bytes) -> tuple[Response, bytes]:
    response = Response()
    body = b"".join(bytes(part) for piece in pieces for part in response.receive(memoryview(piece)))
    return response, body


def test_a_body_of_known_length_is_complete_when_it_is_there() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    response, body = receive(head + b"hel")
    assert (response.status, body, response.complete) == (200, b"hel", False)
    response, body = receive(head, b"hello")
    assert (body, response.complete) == (b"hello", True)


def test_a_chunked_body_ends_with_its_last_chunk() -> None:
    response, body = receive(CHUNKED, b"5\r\nhello\r\n1;name=value\r\n!\r\n", b"0\r\n\r\n")
    assert (body, response.complete) == (b"hello!", True)


@given(st.lists(st.binary(min_size=1), max_size=5), st.integers(1, 7))
def test_how_the_bytes_are_cut_makes_no_difference(chunks: list[bytes], step: int) -> None:
    wire = CHUNKED + b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    wire += b"0\r\nX-Stream-Error: no: peer\r\n\r\n"
    response, body = receive(*(wire[at : at + step] for at in range(0, len(wire), step)))
    assert body == b"".join(chunks)
    assert response.complete
    assert response.trailers == {"x-stream-error": "no: peer"}


def test_an_interim_answer_is_passed_over() -> None:
    response, body = receive(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 1\r\n\r\n!")
    assert (response.status, body) == (500, b"!")


def test_a_body_without_length_ends_with_the_connection() -> None:
    response, body = receive(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo")
    assert (body, response.complete) == (b"hello", False)
    response.end_of_stream()
    assert response.complete


@pytest.mark.parametrize("fields", [b"Content-Length: 0", b"X: y\r\nContent-Length: 0"])
def test_an_empty_body_is_complete_at_once(fields: bytes) -> None:
    assert receive(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n")[0].complete


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"0\r\n",
        CHUNKED + b"0\r\nX-Stream-Error: x\r\n",
    ],
)
def test_a_connection_that_ends_too_early_is_an_error(wire: bytes) -> None:
    response, _ = receive(wire)
    with pytest.raises(TransferBroken):
        response.end_of_stream()


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        CHUNKED + b"-5\r\nhello\r\n",
        CHUNKED + b"\r\n\r\n",
        CHUNKED + b"5\r\nhello!\r\n",
        CHUNKED + b"0" * 2000,
        b"x" * (70 << 10),
    ],
)
def test_what_is_not_http_is_an_error(wire: bytes) -> None:
    with pytest.raises(TransferBroken):
        receive(wire)


@given(st.binary(max_size=300))
def test_garbage_ends_in_an_error_or_waits_for_more(garbage: bytes) -> None:
    for start in (b"", CHUNKED):
        with suppress(TransferBroken):
            receive(start + garbage)
