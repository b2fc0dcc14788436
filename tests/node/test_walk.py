import errno
import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from peershelf.node.walk import MAX_PATH, Entry, Rules, walk


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "top"
    (top / "b" / "inner").mkdir(parents=True)
    (top / "b.txt").write_bytes(b"beside b")
    (top / "b" / "inner" / "file").write_bytes(b"deep")
    (top / "a").write_bytes(b"first")
    (top / "link").symlink_to("b")
    (top / ".hidden").mkdir()
    (top / ".hidden" / "x").touch()
    (top / "b" / ".dot").touch()
    return top


def found(top: Path, **rules: object) -> list[tuple[str, str]]:
    with closing(walk(str(top), Rules(**rules))) as entries:  # type: ignore[arg-type]
        return [(os.fsdecode(entry.path), entry.kind) for entry in entries]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def test_directories_come_before_what_is_in_them_in_the_order_of_names(tree: Path) -> None:
    assert found(tree) == [
        ("", "directory"),
        ("a", "file"),
        ("b", "directory"),
        ("b/inner", "directory"),
        ("b/inner/file", "file"),
        ("b.txt", "file"),
        ("link", "symlink"),
    ]


def test_hidden_names_are_left_out_unless_wanted(tree: Path) -> None:
    everything = dict(found(tree, hidden=True))
    assert everything.keys() - dict(found(tree)).keys() == {".hidden", ".hidden/x", "b/.dot"}
    assert found(tree / ".hidden") == [("", "directory"), ("x", "file")]


def test_what_is_ignored_is_not_even_opened(tree: Path) -> None:
    asked: list[tuple[str, bool]] = []

    def ignored(path: str, is_directory: bool) -> bool:
        asked.append((path, is_directory))
        return path == "b"

    assert [path for path, _ in found(tree, ignored=ignored)] == ["", "a", "b.txt", "link"]
    assert asked == [("a", False), ("b", True), ("b.txt", False), ("link", False)]


def test_contents_and_targets(tree: Path) -> None:
    (tree / "long").write_bytes(b"x" * 101)
    got = {entry.path: entry.read_small(100) for entry in walk(str(tree), Rules()) if entry.kind == "file"}
    assert got == {b"a": b"first", b"b/inner/file": b"deep", b"b.txt": b"beside b", b"long": None}
    assert [entry.target for entry in walk(str(tree), Rules()) if entry.kind == "symlink"] == [b"b"]


def test_a_file_that_grows_beyond_the_limit_is_read_from_its_start(tree: Path) -> None:
    for entry in walk(str(tree), Rules()):
        if entry.path == b"a":
            (tree / "a").write_bytes(b"x" * 1000)
            assert entry.read_small(100) is None
            assert os.read(entry.descriptor, 2000) == b"x" * 1000


def test_the_top_may_be_a_file_or_a_link(tree: Path) -> None:
    assert found(tree / "a") == [("", "file")]
    assert found(tree / "link") == [("", "symlink")]
    assert [path for path, _ in found(tree / "link", dereference=True)] == ["", "inner", "inner/file"]


def test_links_are_followed_where_that_is_wanted(tree: Path) -> None:
    (tree / "to a").symlink_to("a")
    everything = dict(found(tree, dereference=True))
    assert everything["to a"] == "file"
    assert everything["link"] == everything["link/inner"] == "directory"
    assert everything["link/inner/file"] == "file"


@pytest.mark.parametrize("target", [".", "..", "inner/up", "../b"])
def test_a_link_to_a_directory_that_it_is_in_ends_the_walk(tree: Path, target: str) -> None:
    (tree / "b" / "inner" / "up").symlink_to("..")
    (tree / "b" / "loop").symlink_to(target)
    before = open_files()
    with pytest.raises(OSError, match="the link leads to a directory that it is in") as raised:
        found(tree, dereference=True)
    assert raised.value.filename in (f"{tree}/b/loop", f"{tree}/b/inner/up")
    assert open_files() == before


def test_a_link_to_nowhere_cannot_be_followed(tree: Path) -> None:
    (tree / "nowhere").symlink_to("gone")
    assert ("nowhere", "symlink") in found(tree)
    with pytest.raises(FileNotFoundError) as raised:
        found(tree, dereference=True)
    assert raised.value.filename == f"{tree}/nowhere"


def test_what_is_no_file_is_skipped_and_told(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "to null").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
        told: list[tuple[str, str]] = []
        walked = found(tree, dereference=True, on_skipped=lambda path, kind: told.append((path, kind)))
    assert told == [
        (f"{tree}/pipe", "named pipe"),
        (f"{tree}/socket", "socket"),
        (f"{tree}/to null", "device"),
    ]
    assert not {"pipe", "socket", "to null"} & dict(walked).keys()


def swap(path: Path, outside: Path) -> None:
    path.rename(path.with_name(".away"))
    path.symlink_to(outside)


@pytest.mark.parametrize("name", ["b", "b.txt"])
def test_what_is_swapped_for_a_link_in_the_meantime_is_not_followed(tree: Path, name: str) -> None:
    outside = tree.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    seen: list[Entry] = []
    with pytest.raises(OSError, match="it was replaced by something else") as raised:
        for entry in walk(str(tree), Rules()):
            seen.append(entry)
            if entry.path == b"a":
                swap(tree / name, outside if name == "b" else outside / "secret")
    assert raised.value.filename == f"{tree}/{name}"
    assert not any(b"secret" in entry.path for entry in seen)


def test_a_directory_that_is_swapped_while_the_walk_is_in_it_stays_the_one_it_was(tree: Path) -> None:
    outside = tree.parent / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "file").write_bytes(b"secret")
    contents = []
    for entry in walk(str(tree), Rules()):
        if entry.path == b"b":
            swap(tree / "b", outside)
        if entry.kind == "file":
            contents.append(entry.read_small(100))
    assert contents == [b"first", b"deep", b"beside b"]


def test_a_file_that_goes_in_the_meantime_is_named(tree: Path) -> None:
    before = open_files()
    with pytest.raises(FileNotFoundError) as raised:
        for entry in walk(str(tree), Rules()):
            if entry.path == b"a":
                (tree / "b.txt").unlink()
    assert raised.value.filename == f"{tree}/b.txt"
    assert open_files() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["b.txt", "b"])
def test_what_may_not_be_read_is_named(tree: Path, name: str) -> None:
    (tree / name).chmod(0)
    with pytest.raises(PermissionError) as raised:
        found(tree)
    (tree / name).chmod(0o700)
    assert raised.value.filename == f"{tree}/{name}"


def make_deep(top: Path, levels: int, name: str = "d") -> None:
    """Make directories in one another, deeper than a path can say."""
    at = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def test_a_deep_tree_is_walked_up_again_with_few_open_directories(tree: Path) -> None:
    make_deep(tree / "b", 200)
    before = open_files()
    most = 0
    paths = []
    for entry in walk(str(tree), Rules()):
        most = max(most, open_files() - before)
        paths.append(entry.path)
    assert paths[-4:] == [b"b/inner", b"b/inner/file", b"b.txt", b"link"]
    assert len(paths) == 207
    assert most < 50
    assert open_files() == before


def test_links_lead_back_to_where_they_stand(tree: Path) -> None:
    make_deep(tree / "b" / "inner", 60)
    plain = [path for path, _ in found(tree / "b")]
    through = [path for path, _ in found(tree, dereference=True)]
    assert [path for path in through if path.startswith("link/")] == [f"link/{path}" for path in plain[1:]]
    assert through[-1].startswith("link/")


def test_a_directory_that_is_moved_while_it_is_closed_ends_the_walk(tree: Path) -> None:
    make_deep(tree / "b", 100)
    (tree / "elsewhere").mkdir()
    with pytest.raises(OSError, match="it was moved while it was being added"):
        for entry in walk(str(tree), Rules()):
            if entry.path.count(b"/") == 60:
                (tree / "b" / "d" / "d").rename(tree / "elsewhere" / "d")


def test_a_path_that_is_too_long_ends_the_walk(tree: Path) -> None:
    make_deep(tree / "b", 20, "n" * 250)
    with pytest.raises(OSError) as raised:
        found(tree)
    assert raised.value.errno == errno.ENAMETOOLONG
    assert len(raised.value.filename) > MAX_PATH


def test_a_walk_that_is_left_closes_everything(tree: Path) -> None:
    before = open_files()
    with closing(walk(str(tree), Rules())) as entries:
        while next(entries).path != b"b/inner/file":
            pass
        assert open_files() > before
    assert open_files() == before
