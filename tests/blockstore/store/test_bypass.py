"""Large appends: their pages go around the kernel's cache, and the file is what it would be without that."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.buffers import cut
from peershelf.blockstore.errors import StoreFull
from peershelf.blockstore.store.pack import PackStore, active
from peershelf.blockstore.store.pack.active import ActiveSegment
from peershelf.blockstore.store.pack.bypass import PAGE
from peershelf.blockstore.store.pack.segments import Segment
from peershelf.blockstore.store.pack.staging import Staging

DIRECT = getattr(os, "O_DIRECT", 0)


class Calls:
    """What os.pwritev was asked for; with `fail` or `most`, how calls that go around the cache end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.direct: list[tuple[int, int]] = []
        self.cached: list[tuple[int, int]] = []
        self.fail: int | None = None
        self.fail_cached: int | None = None
        self.most: int | None = None
        self._pwritev = os.pwritev
        monkeypatch.setattr(os, "pwritev", self.pwritev)

    def pwritev(self, descriptor: int, buffers: Any, offset: int) -> int:
        is_direct = bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & DIRECT)
        failure = self.fail if is_direct else self.fail_cached
        if failure is not None:
            raise OSError(failure, os.strerror(failure))
        if is_direct and self.most is not None:
            buffers = cut(buffers, self.most)[0]
        (self.direct if is_direct else self.cached).append((offset, sum(map(len, buffers))))
        return self._pwritev(descriptor, buffers, offset)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Calls:
    try:
        os.close(os.open(tmp_path / "probe", os.O_WRONLY | os.O_CREAT | DIRECT))
    except OSError:
        pytest.skip("this file system has no direct writes")
    if not DIRECT:
        pytest.skip("this platform has no direct writes")
    return Calls(monkeypatch)


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[ActiveSegment]:
    with closing(ActiveSegment.create(tmp_path, Segment.new(1), Staging())) as segment:
        yield segment


def content(segment: ActiveSegment, directory: Path) -> bytes:
    data = (directory / segment.segment.file_name).read_bytes()
    assert len(data) == segment.end
    return data


def test_only_what_fills_pages_goes_around_the_cache(
    segment: ActiveSegment, tmp_path: Path, calls: Calls
) -> None:
    small, large = [b"head", os.urandom(1000)], [b"head", os.urandom(9 << 20), b"", b"head", os.urandom(500)]
    segment.append(small)
    assert not calls.direct
    segment.append(large)
    segment.append(small)
    assert content(segment, tmp_path) == b"".join([*small, *large, *small])
    assert all(offset % PAGE == 0 and size % PAGE == 0 for offset, size in calls.direct)
    assert sum(size for _, size in calls.direct) > (9 << 20) - 2 * PAGE
    assert max(size for _, size in calls.cached) < PAGE


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EIO, errno.ENOSPC])
def test_what_such_writes_refuse_is_written_in_the_usual_way(
    segment: ActiveSegment, tmp_path: Path, calls: Calls, code: int
) -> None:
    first, second = os.urandom((1 << 20) + 5), os.urandom((1 << 20) + 7)
    calls.fail = code
    segment.append([first])
    calls.fail = None
    segment.append([second])
    assert content(segment, tmp_path) == first + second
    assert not calls.direct


@pytest.mark.parametrize("most", [PAGE, 512])
def test_a_short_write_is_made_up_for(
    segment: ActiveSegment, tmp_path: Path, calls: Calls, most: int
) -> None:
    data = [os.urandom((1 << 20) + 5) for _ in range(2)]
    calls.most = most
    segment.append(data)
    assert content(segment, tmp_path) == b"".join(data)


def test_a_file_system_without_such_writes(
    segment: ActiveSegment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: Any, flags: int, *mode: int) -> int:
        if flags & DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", refuse)
    data = os.urandom(3 << 20)
    segment.append([data])
    assert content(segment, tmp_path) == data


def test_a_full_disk_leaves_the_segment_as_it_was(tmp_path: Path, calls: Calls) -> None:
    held, refused = Block.create(os.urandom(1 << 20)), Block.create(os.urandom(2 << 20))
    with PackStore.open(tmp_path) as store:
        store.put_many([held])
        (path,) = (tmp_path / "segments").glob("*.seg")
        size = path.stat().st_size
        # The whole pages still go in, what is behind them does not.
        calls.fail_cached = errno.ENOSPC
        with pytest.raises(StoreFull):
            store.put_many([refused])
        assert path.stat().st_size == size
        calls.fail_cached = None
        store.put_many([refused])
        assert store.get(held.cid) == held.data
        assert store.get(refused.cid) == refused.data


@settings(max_examples=30, deadline=None)
@given(appends=st.lists(st.lists(st.integers(0, 3 * PAGE), max_size=6), max_size=8))
def test_appends_of_any_sizes_stand_behind_one_another(
    tmp_path_factory: pytest.TempPathFactory, appends: list[list[int]]
) -> None:
    directory = tmp_path_factory.mktemp("segment")
    written = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(active, "LARGE", PAGE)
        with closing(ActiveSegment.create(directory, Segment.new(1), Staging())) as segment:
            for sizes in appends:
                buffers = [os.urandom(size) for size in sizes]
                segment.append(buffers)
                written += buffers
            assert content(segment, directory) == b"".join(written)


@given(buffers=st.lists(st.binary(max_size=5), max_size=6), size=st.integers(0, 32))
def test_cutting_buffers(buffers: list[bytes], size: int) -> None:
    first, rest = cut(buffers, size)
    whole = b"".join(buffers)
    assert (b"".join(first), b"".join(rest)) == (whole[:size], whole[size:])
