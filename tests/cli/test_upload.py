from __future__ import annotations

from pathlib import Path

import pytest

from peershelf.cli.errors import CliError
from peershelf.cli.sources import collect
from peershelf.cli.upload import Upload


def body_of(upload: Upload) -> bytes:
    """What a server has once it has taken the chunks apart."""
    wire = b"".join(bytes(frame) for frame in upload.frames())
    body = b""
    while wire != b"0\r\n\r\n":
        size, _, wire = wire.partition(b"\r\n")
        count = int(size, 16)
        assert wire[count : count + 2] == b"\r\n"
        body, wire = body + wire[:count], wire[count + 2 :]
    return body


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_file_of_any_size_comes_whole(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "file").write_bytes(content[:size])
    upload = Upload(collect([str(tmp_path / "file")]))
    boundary = upload.content_type.partition("boundary=")[2].encode()
    assert body_of(upload) == (
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n"
        + content[:size] + b"\r\n--" + boundary + b"--\r\n"
    )  # fmt: skip


def test_every_file_is_a_part_and_names_cannot_break_out_of_theirs(tmp_path: Path) -> None:
    names = ['a"; filename="b', "c\r\nX: y", "d é"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    body = body_of(Upload(collect([str(tmp_path / name) for name in names])))
    assert body.count(b"Content-Disposition") == 3
    assert b'filename="a%22%3B%20filename%3D%22b"' in body
    assert b'filename="c%0D%0AX%3A%20y"' in body
    assert b'filename="d%20%C3%A9"' in body


def test_a_frame_says_which_file_the_next_one_waits_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    upload = Upload(collect([str(tmp_path / "file")]))
    frames = upload.frames()
    waits = [upload.waits_for()]
    for _ in frames:
        waits.append(upload.waits_for())
    assert [wait is None for wait in waits] == [True, False, False, True]


def test_a_file_that_cannot_be_read_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"cannot read .*absent: No such file"):
        collect([str(tmp_path / "absent")])


def test_a_file_that_may_not_be_read_is_found_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").touch()
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may read everything
    with pytest.raises(CliError, match="permission denied"):
        collect([str(tmp_path / "secret")])


def test_a_directory_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="is a directory, and files are wanted"):
        collect([f"{tmp_path}/"])


def test_standard_input_can_be_named_once() -> None:
    assert [(source.name, source.path) for source in collect(["-"], "notes")] == [("notes", None)]
    with pytest.raises(CliError, match="only once"):
        collect(["-", "-"])
