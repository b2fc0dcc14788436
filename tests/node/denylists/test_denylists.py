"""Lists in directories: which are read, in what order they count, and that changes are noticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from peershelf.blockstore.cid import Cid
from peershelf.node.denylists.denylists import Denylists
from peershelf.node.denylists.errors import ContentBlocked
from peershelf.node.denylists.places import directories

A = Cid.parse("bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq")
B = Cid.parse("bafybeidjwik6im54nrpfg7osdvmx7zojl5oaxqel5cmsz46iuelwf5acja")


@pytest.fixture
def lists(tmp_path: Path) -> Denylists:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    return Denylists([str(tmp_path / name) for name in ("first", "missing", "second")])


def write(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


def test_without_rules_nothing_is_blocked_and_nothing_is_imported(lists: Denylists) -> None:
    assert not lists.reload()
    assert not lists.is_active
    lists.check([A, f"{A}/path"])
    assert lists.refusals([A, B]) == {}


def test_the_error_names_the_file_the_line_and_the_hints(lists: Denylists, tmp_path: Path) -> None:
    file = tmp_path / "second" / "x.deny"
    write(file, "# one", f"/ipfs/{A}/a* reason=\x1b[31m")
    lists.reload()
    with pytest.raises(ContentBlocked) as raised:
        lists.check([B, f"/ipfs/{A}/ab"])
    assert str(raised.value) == f"/ipfs/{A}/ab is blocked by {file}, line 2 (reason=\\x1b[31m)"


def test_later_directories_and_later_names_prevail(lists: Denylists, tmp_path: Path) -> None:
    write(tmp_path / "second" / "b.deny", f"/ipfs/{A}")
    write(tmp_path / "second" / "a.deny", f"!/ipfs/{A}", f"!/ipfs/{B}")
    write(tmp_path / "first" / "z.deny", f"/ipfs/{B}")
    assert lists.reload()
    assert set(lists.refusals([A, B])) == {A}


def test_only_files_named_deny_are_read(lists: Denylists, tmp_path: Path) -> None:
    write(tmp_path / "first" / "list.txt", f"/ipfs/{A}")
    write(tmp_path / "first" / "list.deny.part", f"/ipfs/{A}")
    (tmp_path / "first" / "directory.deny").mkdir()
    os.mkfifo(tmp_path / "first" / "pipe.deny")
    assert not lists.reload()


def test_files_that_come_grow_shrink_and_go_are_noticed(lists: Denylists, tmp_path: Path) -> None:
    file = tmp_path / "first" / "x.deny"
    write(file, f"/ipfs/{A}")
    assert lists.reload()
    assert not lists.reload()
    with file.open("a") as appended:
        appended.write(f"/ipfs/{B}\n")
    assert lists.reload()
    assert set(lists.refusals([A, B])) == {A, B}
    write(file, f"/ipfs/{B}")
    assert lists.reload()
    assert set(lists.refusals([A, B])) == {B}
    file.unlink()
    assert lists.reload()
    assert not lists.is_active


def test_what_was_found_harmless_is_asked_again_after_a_change(lists: Denylists, tmp_path: Path) -> None:
    write(tmp_path / "first" / "x.deny", f"/ipfs/{B}")
    lists.reload()
    assert lists.refusal(A) is None
    write(tmp_path / "first" / "y.deny", f"/ipfs/{A}")
    lists.reload()
    assert lists.refusal(A) is not None


@pytest.mark.parametrize("damage", ["version", "rights"])
def test_a_file_that_cannot_be_used_stays_in_force_as_it_was(
    lists: Denylists, tmp_path: Path, damage: str
) -> None:
    if damage == "rights" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    file = tmp_path / "first" / "x.deny"
    write(file, f"/ipfs/{A}")
    lists.reload()
    if damage == "version":
        write(file, "version: 7", "---", f"/ipfs/{B}")
    else:
        file.chmod(0)
    assert lists.reload()
    assert set(lists.refusals([A, B])) == {A}
    assert lists.loaded[0].error
    file.chmod(0o600)
    write(file, f"/ipfs/{B}")
    lists.reload()
    assert set(lists.refusals([A, B])) == {B}
    assert not lists.loaded[0].error


def test_a_block_is_kept_back_under_whichever_codec_it_is_stored(lists: Denylists, tmp_path: Path) -> None:
    """The old double hash names a codec, and the store does not know it."""
    old = Cid.parse("bafybeiefwqslmf6zyyrxodaxx4vwqircuxpza5ri45ws3y5a62ypxti42e")
    write(tmp_path / "first" / "x.deny", "//d9d295bde21f422d471a90f2a37ec53049fdf3e5fa3ee2e8f20e10003da429e7")
    lists.reload()
    assert lists.blocks_key(old.multihash)
    assert not lists.blocks_key(A.multihash)


def test_where_lists_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = ["/etc/ipfs/denylists", "$XDG_CONFIG_HOME/ipfs/denylists", "~/mine"]
    monkeypatch.setenv("HOME", "/at/home")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    repo = str(tmp_path / "denylists")
    assert directories(tmp_path, settings) == [
        "/etc/ipfs/denylists",
        "/at/home/.config/ipfs/denylists",
        "/at/home/mine",
        repo,
    ]
    monkeypatch.setenv("XDG_CONFIG_HOME", "/else/where")
    assert directories(tmp_path, settings)[1] == "/else/where/ipfs/denylists"
    assert directories(tmp_path, []) == [repo]
