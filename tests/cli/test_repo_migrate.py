"""A repo that the program before made, brought to this one's layout and back."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LAYOUT_1 = Path(__file__).parent.parent / "data" / "layout-1"
TREE = "bafybeifdbn2mkxpfv3atrrm5ck26lomqh3uagejirheu2pebwgxk4ugvwm"
FILE = "bafkreihz5jfyie7xxbbyhulln7ptnbzehh45oirweneaydxl7oqokki55u"
UNPINNED = "bafkreigwfxaiqgegyl5crppquiq6rmjkw6wmiesj7tqosyhf6mhicpn2jm"
NUMBERS = "".join(f"{number}\n" for number in range(1, 301)).encode()


@pytest.fixture
def old(tmp_path: Path, shelf_at: Callable[[Path], Any]) -> Any:
    """What the program before left, in the place of a fresh repo."""
    shelf = shelf_at(tmp_path / "old")
    shutil.rmtree(shelf.path)
    shutil.copytree(LAYOUT_1, shelf.path)
    return shelf


def layout(shelf: Any) -> tuple[str, int]:
    facts = sqlite3.connect(shelf.path / "facts.db")
    (version,) = facts.execute("PRAGMA user_version").fetchone()
    facts.close()
    return (shelf.path / "version").read_text().strip(), version


def test_an_older_repo_is_not_used_and_not_changed(old: Any) -> None:
    before = {path: path.read_bytes() for path in old.path.rglob("*") if path.is_file()}
    for words in (["cat", FILE], ["add", __file__], ["pin", "ls"], ["daemon"]):
        assert "run `node repo migrate`" in old.fails(*words)
    assert {path: path.read_bytes() for path in before} == before


def test_everything_is_there_afterwards(old: Any) -> None:
    told = old.text("repo", "migrate").splitlines()
    assert told[-1] == "migrated the repo from layout 1 to 3"
    assert layout(old) == ("3", 3)
    assert old("cat", f"{TREE}/numbers") == NUMBERS
    assert old("cat", FILE) == b"single\n"
    assert old("cat", UNPINNED) == b"unpinned\n"
    assert sorted(old.text("pin", "ls", "-q").splitlines()) == sorted([TREE, FILE])
    assert old.text("repo", "verify").endswith("all sound")
    assert old.text("repo", "gc").splitlines()[0] == f"removed {UNPINNED}"
    assert "nothing to do" in old.text("repo", "migrate")


def test_a_rollback_keeps_pins_that_were_made_since(old: Any) -> None:
    old("repo", "migrate")
    old("pin", "add", "--name", "new", UNPINNED)
    assert "to 2" in old.text("repo", "migrate", "--rollback")
    assert layout(old) == ("2", 2)
    assert "to 1" in old.text("repo", "migrate", "--rollback")
    assert layout(old) == ("1", 1)
    facts = sqlite3.connect(old.path / "facts.db")
    assert sorted(name or "" for (name,) in facts.execute("SELECT name FROM pins")) == ["", "", "new"]
    assert [row[1] for row in facts.execute("PRAGMA table_info(pins)")] == ["cid", "recursive", "name"]
    facts.close()
    old("repo", "migrate")
    assert f"{UNPINNED} recursive new" in old.text("pin", "ls", "--names").splitlines()
    assert old("cat", f"{TREE}/numbers") == NUMBERS


def test_a_dry_run_changes_nothing(old: Any) -> None:
    before = {path.name: path.read_bytes() for path in old.path.iterdir() if path.is_file()}
    assert old.text("repo", "migrate", "--dry-run").splitlines()[-1] == "nothing was changed"
    after = {path.name: path.read_bytes() for path in old.path.iterdir() if path.is_file()}
    assert {name: data for name, data in after.items() if name != "lock"} == before


def test_what_cannot_be(old: Any, tmp_path: Path) -> None:
    assert "there is no layout 9" in old.fails("repo", "migrate", "--to", "9")
    assert "no repo" in old.fails("--repo", tmp_path / "nowhere", "repo", "migrate")
    (old.path / "version").write_text("4\n")
    assert "does not know" in old.fails("repo", "migrate")
    assert "use a newer peershelf" in old.fails("cat", FILE)


def test_pins_in_the_log_of_a_database_that_somebody_reads_are_not_lost(old: Any) -> None:
    writer = sqlite3.connect(old.path / "facts.db")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("INSERT INTO pins SELECT x'015500', 0, 'late'")
    writer.commit()
    reader = sqlite3.connect(old.path / "facts.db", isolation_level=None)
    reader.execute("BEGIN")
    assert len(reader.execute("SELECT * FROM pins").fetchall()) == 3
    writer.execute("INSERT INTO pins SELECT x'01550001', 0, 'later'")
    writer.commit()
    assert "another program has" in old.fails("repo", "migrate")
    reader.close()
    writer.close()
    old("repo", "migrate")
    facts = sqlite3.connect(old.path / "facts.db")
    assert {"late", "later"} <= {name for (name,) in facts.execute("SELECT name FROM pins")}
    facts.close()


def test_a_database_without_anything_in_it_is_no_obstacle(old: Any) -> None:
    for path in old.path.glob("facts.db*"):
        path.unlink()
    (old.path / "facts.db").touch(0o600)
    old("repo", "migrate")
    assert old.text("pin", "ls") == ""
    assert old("cat", FILE) == b"single\n"


def test_not_while_a_daemon_runs(shelf: Any) -> None:
    with shelf.running():
        assert "is in use by" in shelf.fails("repo", "migrate", "--to", "1")


def test_new_pins_know_when_they_were_made(shelf: Any) -> None:
    shelf("add", __file__)
    assert json.loads(shelf("--json", "pin", "ls"))["Added"].endswith("Z")
