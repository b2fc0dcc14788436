"""Denylists as an operator uses them: with a daemon that runs meanwhile, and without one."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CID = "bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq"


def deny(shelf: Any, text: str) -> Path:
    file = Path(shelf.path) / "denylists" / "mine.deny"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def eventually(check: Callable[[], bool]) -> None:
    """What the daemon sees once a second is seen within ten."""
    end = time.monotonic() + 10
    while not check():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_list_that_is_there_is_obeyed_and_told(node: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    cid = node.text("add", "-Q", tmp_path / "file")
    file = deny(node, f"version: 1\nname: mine\n---\n/ipfs/{cid} reason=spam\n")
    eventually(lambda: json.loads(node.text("--json", "denylist", "ls"))["Files"] != [])
    told = f"is blocked by {file}, line 4 (reason=spam)"
    for words in (["cat", cid], ["--offline", "get", cid], ["add", tmp_path / "file"]):
        assert node.fails(*words) == f"Error: /ipfs/{cid} {told}"
    assert node.text("denylist", "check", cid, f"/ipfs/{cid}/x").splitlines() == [
        f"{cid}: blocked by {file}, line 4 (reason=spam)",
        f"/ipfs/{cid}/x: not blocked, no rule names it",
    ]
    (first, name, rules, loaded) = node.text("denylist", "ls").splitlines()
    assert (first, name, rules) == (str(file), "\tname:   mine", "\trules:  1")
    assert loaded.startswith("\tloaded: 20")
    file.unlink()
    eventually(lambda: json.loads(node.text("--json", "denylist", "ls"))["Files"] == [])
    assert node("cat", cid) == b"text"


def test_malformed_lines_are_told_by_who_reads_them(shelf: Any) -> None:
    file = deny(shelf, "nonsense\n# fine\nmore\n")
    done = shelf.run("--offline", "cat", "bafkqaaa")
    assert done.returncode == 0
    (told,) = done.stderr.decode().splitlines()
    assert f"file={file} first=1 lines=2" in told
    assert "rules:  0, 2 malformed lines skipped" in shelf.text("denylist", "ls")
    with shelf.running():
        pass
    log = (shelf.path.parent / f"{shelf.path.name}.log").read_text()
    assert 'line=3 reason="a rule begins with /ipfs/' in log


def test_a_file_that_cannot_be_used_is_told_with_the_reason(node: Any) -> None:
    deny(node, "version: 2\n---\n")
    eventually(lambda: "error:  the format's version is '2'" in node.text("denylist", "ls"))


@pytest.mark.parametrize("words", [["nothing"], ["/ipfs/x"], ["/ipns/"]])
def test_what_cannot_be_asked_about(shelf: Any, words: list[str]) -> None:
    assert shelf.fails("denylist", "check", *words).startswith("Error: ")


def test_an_allowed_exception_names_its_line(shelf: Any) -> None:
    file = deny(shelf, f"/ipfs/{CID}/*\n!/ipfs/{CID}/good\n")
    assert shelf.text("denylist", "check", f"{CID}/good") == f"{CID}/good: allowed by {file}, line 2"


def test_the_places_of_other_programs_are_read_as_they_are(shelf: Any, tmp_path: Path) -> None:
    shelf("config", "set", "Denylists.Directories", '["$XDG_CONFIG_HOME/ipfs/denylists"]')
    shelf.environment["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    folder = tmp_path / "config" / "ipfs" / "denylists"
    folder.mkdir(parents=True)
    (folder / "theirs.deny").write_text(f"/ipfs/{CID}\n")
    assert shelf.fails("--offline", "cat", CID).endswith(f"is blocked by {folder}/theirs.deny, line 1")
    deny(shelf, f"!/ipfs/{CID}\n")
    assert "is not in the store" in shelf.fails("--offline", "cat", CID)


@pytest.mark.parametrize("words", [["ls"], ["check", CID]])
def test_no_node_is_run_where_no_daemon_is(
    shelf: Any, tmp_path: Path, words: list[str], imported_without_a_node: Callable[..., set[str]]
) -> None:
    deny(shelf, f"version: 1\nname: mine\n---\n/ipfs/{CID} reason=spam\n")
    imported = imported_without_a_node(shelf, "denylist", *words, cwd=tmp_path)
    assert "sqlite3" not in imported  # the store is not opened


def test_lists_are_told_beside_somebody_who_has_the_repo(shelf: Any) -> None:
    file = deny(shelf, f"/ipfs/{CID}\n")
    with (shelf.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert shelf.text("denylist", "check", CID) == f"{CID}: blocked by {file}, line 1"


def test_a_deadline_is_kept_by_a_node(shelf: Any) -> None:
    told = shelf.text("denylist", "check", "--timeout", "30s", CID)
    assert told == f"{CID}: not blocked, no rule names it"
