"""A repo whose facts.db somebody removed: nothing is garbage until its user says so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any


def lose_facts(repo: Path) -> None:
    for path in repo.glob("facts.db*"):
        path.unlink()


def kept(shelf: Any, folder: Path) -> str:
    """Add and pin a small file; returns its CID."""
    path = folder / "kept"
    path.write_bytes(b"to be kept")
    cid: str = shelf.text("add", "-Q", path)
    return cid


def test_nothing_is_collected_and_it_is_said_what_to_do(shelf: Any, tmp_path: Path) -> None:
    cid = kept(shelf, tmp_path)
    lose_facts(shelf.path)
    shelf("pin", "ls")
    told = shelf.fails("repo", "gc")
    assert "from a backup" in told
    assert "repo gc --forget-lost-pins" in told
    assert shelf("cat", cid) == b"to be kept"


def test_a_daemon_collects_nothing_either_until_the_loss_is_accepted(shelf: Any, tmp_path: Path) -> None:
    cid = kept(shelf, tmp_path)
    lose_facts(shelf.path)
    with shelf.running():
        assert "repo gc --forget-lost-pins" in shelf.fails("repo", "gc")
        assert shelf.text("repo", "gc", "-q", "--forget-lost-pins") == cid


def test_what_was_pinned_again_stays_when_the_loss_is_accepted(shelf: Any, tmp_path: Path) -> None:
    cid = kept(shelf, tmp_path)
    (tmp_path / "other").write_bytes(b"not pinned again")
    other = shelf.text("add", "-Q", tmp_path / "other")
    lose_facts(shelf.path)
    shelf("pin", "add", cid)
    assert shelf.text("repo", "gc", "-q", "--forget-lost-pins") == other
    assert shelf.text("repo", "gc") == "nothing to remove"
    assert shelf("cat", cid) == b"to be kept"


def test_a_backup_that_is_brought_back_ends_it(shelf: Any, tmp_path: Path) -> None:
    cid = kept(shelf, tmp_path)
    shutil.copy(shelf.path / "facts.db", tmp_path / "backup")
    lose_facts(shelf.path)
    shelf("pin", "ls")
    shelf.fails("repo", "gc")
    lose_facts(shelf.path)
    shutil.copy(tmp_path / "backup", shelf.path / "facts.db")
    assert shelf.text("repo", "gc") == "nothing to remove"
    assert shelf("cat", cid) == b"to be kept"


def test_the_loss_is_said_once_where_it_is_noticed(shelf: Any, tmp_path: Path) -> None:
    kept(shelf, tmp_path)
    lose_facts(shelf.path)
    assert b"facts.db is gone" in shelf.run("pin", "ls").stderr
    assert shelf.run("pin", "ls").stderr == b""


def test_blocks_that_were_put_before_anything_was_pinned_are_garbage_as_ever(
    shelf: Any, tmp_path: Path
) -> None:
    (tmp_path / "block").write_bytes(b"never pinned")
    cid = shelf.text("block", "put", tmp_path / "block")
    assert shelf.text("repo", "gc", "-q") == cid
