"""What a part of an upload is called, and what it is."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.node.errors import UsageError
from peershelf.node.http.part_header import parse_parameters, parse_part_header


def name_of(disposition: str) -> str:
    return parse_part_header(b"Content-Disposition: " + disposition.encode()).name


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("big.iso", "big.iso"),
        ("d%2Fx+y%2Bz", "d/x y+z"),
        ("", ""),
        ("gr%C3%BC%C3%9Fe", "grüße"),
        ("grüße", "grüße"),
        ("100%", "100%"),
        ("50%25", "50%"),
        ("a%20b%zz", "a%20b%zz"),
        ('say \\"hi\\".txt', 'say "hi".txt'),
        ("../../etc/passwd", "etc/passwd"),
        ("%2Fetc%2Fpasswd", "etc/passwd"),
        ("a/./b//../c", "a/c"),
        ("..", ""),
        ("%FF", "\udcff"),
    ],
)
def test_the_file_name_is_decoded_and_made_a_relative_path(file_name: str, name: str) -> None:
    assert name_of(f'form-data; name="file"; filename="{file_name}"') == name


@given(st.text())
def test_no_name_leads_out_of_where_it_is_put(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "")
    name = name_of(f'form-data; filename="{escaped.encode("utf-8", "ignore").decode()}"')
    assert not name.startswith("/")
    assert ".." not in name.split("/")


def test_kubos_way_of_sending_mode_and_time_along_is_understood() -> None:
    header = parse_part_header(
        b"Abspath-Encoded: %2Ftmp%2Fsmall\r\n"
        b'Content-Disposition: form-data; name="file?mode=0644&mtime=1795442120"; filename="small"\r\n'
        b"Content-Type: application/octet-stream"
    )
    assert (header.name, header.kind) == ("small", "file")


def test_a_raw_path_in_no_encoding_at_all_does_no_harm() -> None:
    header = parse_part_header(
        b'Abspath: /tmp/\xff\xfe\r\nContent-Disposition: form-data; filename="small"\r\n'
    )
    assert header.name == "small"


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/x-directory", "directory"),
        ("application/symlink", "symlink"),
        ("application/octet-stream", "file"),
        ("text/plain; charset=utf-8", "file"),
        ("Application/X-Directory", "directory"),
    ],
)
def test_the_content_type_tells_the_kind(content_type: str, kind: str) -> None:
    header = parse_part_header(f"Content-Disposition: file\r\nContent-Type: {content_type}".encode())
    assert header.kind == kind


def test_an_extended_file_name_wins() -> None:
    assert name_of("form-data; filename=\"x\"; filename*=UTF-8''gr%C3%BC%C3%9Fe") == "grüße"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Content-Type: text/plain",
        b'Content-Disposition: inline; filename="x"',
        b'Content-Disposition: form-data; filename="x',
        b'Content-Disposition: form-data; filename="x" y',
        b'Content-Disposition: form-data; filename="x"; filename="y"',
        b"Content-Disposition: form-data; filename*=latin-1''x",
        b"Content-Disposition: form-data\r\nContent-Disposition: form-data",
        b"Content-Disposition: form-data\r\n folded: x",
        b"Content-Disposition: form-data\r\nno colon",
        b"Content-Disposition: form-data\r\nbad name: x",
        b"Content-Disposition: form-data\nX: y",
        b"Content-Disposition: form-data\r\nContent-Transfer-Encoding: base64",
    ],
)
def test_a_malformed_header_is_a_usage_error(header: bytes) -> None:
    with pytest.raises(UsageError, match="the upload has a"):
        parse_part_header(header)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_header_or_a_usage_error(data: bytes) -> None:
    with suppress(UsageError):
        assert parse_part_header(data).kind in ("file", "directory", "symlink")


def test_parameters_are_read_quoted_or_bare() -> None:
    value, parameters = parse_parameters('Multipart/Form-Data; Boundary=abc; other="a;b\\"c" ;')
    assert value == "multipart/form-data"
    assert parameters == {"boundary": "abc", "other": 'a;b"c'}
