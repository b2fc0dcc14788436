"""An `add` without a daemon that a node has to carry out, and one that finds the repo in use."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.store.pack import PackStore
from peershelf.cli.backend import Backend
from peershelf.cli.errors import CliError
from peershelf.cli.here import HereFirst
from peershelf.cli.nodeless import Nodeless
from peershelf.cli.settings_first import SettingsFirst
from peershelf.node.opening import opened_store


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small"
    path.write_bytes(b"hello")
    return path


class Asked(Nodeless):
    """Remembers that it was asked, and with which store."""

    def __init__(self) -> None:
        super().__init__("", {}, lambda store: self)
        self.stores: list[PackStore | None] = []
        self.options: list[Mapping[str, str]] = []

    def _import_add(self) -> Any:
        pytest.fail("it stands for a node")

    def made(self, store: PackStore | None) -> Backend:
        self.stores.append(store)
        return self

    def records(
        self, name: str, on_record: Any, args: Any = (), options: Any = None, sources: Any = ()
    ) -> None:
        self.options.append(options)
        assert list(sources) == ["untouched"]


def left_to_the_node(
    shelf: Any, common: Mapping[str, str] | None = None, kind: Callable[..., Backend] = HereFirst
) -> bool:
    """Whether an add was, with all that there was to add."""
    node = Asked()
    sources: Sequence[Any] = ["untouched"]
    kind(str(shelf.path), common or {}, node.made).records(
        "add", lambda record: None, options={"quieter": "true"}, sources=sources
    )
    return (node.stores, node.options) == ([None], [{"quieter": "true"}])


def test_a_repo_that_somebody_has_meanwhile_is_left_to_the_node(shelf: Any) -> None:
    with opened_store(shelf.path):
        assert left_to_the_node(shelf)


@pytest.mark.parametrize(
    ("name", "text"),
    [("denylists/mine.deny", "nonsense\n"), ("config.toml", "Unknown = 1\n"), ("version", "99\n")],
)
def test_a_repo_that_is_out_of_the_ordinary_is_left_to_the_node(shelf: Any, name: str, text: str) -> None:
    (shelf.path / name).parent.mkdir(exist_ok=True)
    (shelf.path / name).write_text(text)
    assert left_to_the_node(shelf)


def test_deadlines_are_the_nodes(shelf: Any) -> None:
    for kind in (HereFirst, SettingsFirst):
        assert left_to_the_node(shelf, {"timeout": "5s"}, kind)


def test_settings_that_cannot_be_read_are_told_by_the_node(shelf: Any) -> None:
    (shelf.path / "config.toml").write_text("Unknown = 1\n")
    assert left_to_the_node(shelf, kind=SettingsFirst)


def test_a_repo_without_its_key_says_so(shelf: Any, small: Path) -> None:
    (shelf.path / "identity.key").unlink()
    assert "identity.key is missing: put the key back, or move the repo away" in shelf.fails("add", small)
    assert "identity.key is missing" in shelf.fails("add", "-n", small)


def test_what_a_denylist_forbids_is_not_added(shelf: Any, small: Path) -> None:
    cid = shelf.text("add", "-Qn", small)
    (shelf.path / "denylists").mkdir()
    (shelf.path / "denylists" / "mine.deny").write_text(f"/ipfs/{cid}\n")
    assert shelf.fails("add", small).startswith(f"Error: /ipfs/{cid} is blocked by ")


def test_pins_that_cannot_be_read_are_told_as_by_a_node(shelf: Any, small: Path) -> None:
    (shelf.path / "facts.db").write_bytes(b"no database" * 1000)
    told = shelf.fails("add", small)
    assert "facts.db" in told
    assert told == shelf.fails("add", small, "--timeout", "1h")


def test_whoever_holds_the_repo_is_waited_for(shelf: Any, small: Path) -> None:
    with opened_store(shelf.path):
        adding = shelf.start("add", "-Q", small, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            adding.wait(0.5)
    out, _ = adding.communicate(timeout=30)
    assert shelf("cat", out.decode().strip()) == b"hello"


def test_a_command_that_is_quicker_to_the_lock_is_waited_for(shelf: Any, tmp_path: Path) -> None:
    """Commands that start together all find the lock free; one gets it, the others' nodes wait."""
    files = [tmp_path / str(number) for number in range(6)]
    for path in files:
        path.write_text(path.name)
    adding = [shelf.start("add", "-Q", path, stdout=subprocess.PIPE) for path in files]
    cids = [process.communicate(timeout=60)[0].decode().strip() for process in adding]
    assert shelf("cat", *cids) == b"012345"


def test_a_mistake_of_the_programs_own_is_not_hidden(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("peershelf.node.adding_here.opened_pins", broken)
    with pytest.raises(ZeroDivisionError):
        HereFirst(str(shelf.path), {}, Asked().made).records("add", id)
    assert shelf("pin", "ls") == b"", "the repo is let go of"


def test_a_store_that_cannot_be_closed_is_told_of(shelf: Any, unclosable_store: None) -> None:
    with pytest.raises(CliError, match="Input/output error"):
        HereFirst(str(shelf.path), {}, Asked().made).records("add", id)
