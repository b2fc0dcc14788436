from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.node.archive import tar_format
from peershelf.node.archive.member import DIRECTORY, FILE, SYMLINK, Member
from peershelf.node.archive.tar_reader import TarReader
from peershelf.node.archive.tar_writer import TarWriter
from peershelf.node.errors import CannotWrite

names = st.binary(min_size=1, max_size=120).filter(lambda name: not {0, ord("/")} & set(name))
paths = st.lists(names, max_size=3).map(tuple)
modes = st.none() | st.integers(0, 0o7777)
times = st.none() | st.integers(-(10**18), 10**19)
members = st.builds(
    lambda path, mode, mtime: Member(path, DIRECTORY, mode=mode, mtime=mtime), paths, modes, times
) | st.builds(lambda path, to, mtime: Member(path, SYMLINK, target=to, mtime=mtime), paths, names, times)
files = st.builds(
    lambda path, data, mode, mtime: (Member(path, FILE, size=len(data), mode=mode, mtime=mtime), data),
    paths,
    st.binary(max_size=1200),
    modes,
    times,
)
archives = st.lists(files | st.tuples(members, st.just(b"")), max_size=5)


def written(archive: list[tuple[Member, bytes]], root: bytes = b"root") -> bytes:
    writer = TarWriter(root)
    parts = [writer.begin(one) + data + tar_format.padding(len(data)) for one, data in archive]
    return b"".join(parts) + tar_format.END


def read(archive: bytes, piece: int = 1 << 20) -> list[tuple[Member, bytes]]:
    reader = TarReader()
    found: list[tuple[Member, bytes]] = []
    for start in range(0, len(archive), piece):
        for item in reader.receive(memoryview(archive)[start : start + piece]):
            if isinstance(item, Member):
                found.append((item, b""))
            else:
                found[-1] = (found[-1][0], found[-1][1] + bytes(item))
    reader.end()
    return found


def facts(one: Member) -> tuple[object, ...]:
    return one.path, one.kind, one.size, one.mode, one.mtime, one.target


@given(archives, st.integers(1, 700))
def test_an_archive_reads_back_as_it_was_written(archive: list[tuple[Member, bytes]], piece: int) -> None:
    found = read(written(archive), piece)
    assert [(facts(one), data) for one, data in found] == [(facts(one), data) for one, data in archive]


@given(archives)
def test_other_programs_read_the_archives(archive: list[tuple[Member, bytes]]) -> None:
    kinds = {FILE: tarfile.REGTYPE, DIRECTORY: tarfile.DIRTYPE, SYMLINK: tarfile.SYMTYPE}
    with tarfile.open(fileobj=io.BytesIO(written(archive)), errors="surrogateescape") as tar:
        for (one, data), theirs in zip(archive, tar.getmembers(), strict=True):
            name = b"/".join((b"root", *one.path)).rstrip(b"/")
            assert theirs.name.rstrip("/").encode("utf-8", "surrogateescape") == name
            assert (theirs.type, theirs.size) == (kinds[one.kind], one.size)
            assert theirs.linkname.encode("utf-8", "surrogateescape") == one.target
            if one.mode is not None:
                assert theirs.mode == one.mode
            file = tar.extractfile(theirs) if one.kind == FILE else None
            assert file is None or file.read() == data


def test_archives_of_other_programs_are_read() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind in (("r", tarfile.DIRTYPE), ("r/" + "n" * 150, tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime = kind, 0o700, 5.25  # type: ignore[assignment]
            info.size = 3 if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"abc"))
    (root, _), (file, data) = read(buffer.getvalue())
    assert facts(root) == ((), DIRECTORY, 0, 0o700, 5_250_000_000, b"")
    assert (file.path, data) == ((b"n" * 150,), b"abc")


@pytest.mark.parametrize("kind", [b"1", b"3", b"4", b"6", b"7", b"L", b"S"])
def test_other_kinds_of_members_are_refused(kind: bytes) -> None:
    with pytest.raises(CannotWrite, match="neither a file"):
        read(tar_format.header(kind, b"root/x"))


def test_a_member_outside_of_the_first_name_is_refused() -> None:
    archive = tar_format.header(b"5", b"root") + tar_format.header(b"5", b"other/x")
    with pytest.raises(CannotWrite, match="outside of 'root'"):
        read(archive)


@pytest.mark.parametrize(
    "archive",
    [
        b"x" * 512,
        tar_format.header(b"0", b"r", size=5)[:-1] + b"x",
        tar_format.header(b"x", b"r", size=1 << 20),
        tar_format.header(b"x", b"r", size=5) + b"hello".ljust(512, b"\0"),
        tar_format.pax_member({"size": b"-1"}) + tar_format.header(b"0", b"r"),
        tar_format.pax_member({"mtime": b"soon"}) + tar_format.header(b"0", b"r"),
    ],
)
def test_a_damaged_archive_is_an_error(archive: bytes) -> None:
    with pytest.raises(CannotWrite, match="malformed"):
        read(archive)


@pytest.mark.parametrize("cut", [1, 300, 512, 600, 1024 + 100])
def test_an_archive_that_ends_early_is_an_error(cut: int) -> None:
    whole = written([(Member((), FILE, size=700, mtime=1), b"x" * 700)])
    assert read(whole)
    with pytest.raises(CannotWrite, match="ends in the middle"):
        read(whole[:cut])


@given(st.binary(max_size=1500))
def test_any_bytes_end_with_a_known_error_or_none(data: bytes) -> None:
    reader = TarReader()
    try:
        list(reader.receive(memoryview(tar_format.header(b"5", b"r") + data)))
        reader.end()
    except CannotWrite as error:
        assert "\n" not in str(error)  # noqa: PT017
