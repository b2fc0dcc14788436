"""Pins: what is kept, in a file of its own that nothing rebuilds."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.errors import PinsLost, StoreClosed, StoreError
from peershelf.blockstore.pins import Pin, Pins


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facts.db"


@pytest.fixture
def pins(path: Path) -> Iterator[Pins]:
    with Pins(path) as pins:
        yield pins


def cid(number: int) -> Cid:
    return Block.create(b"%d" % number).cid


def test_a_pin_is_recursive_and_nameless_by_default(pins: Pins) -> None:
    pins.add(cid(1))
    assert pins.get(cid(1)) == Pin(cid(1), recursive=True, name=None)
    assert pins.get(cid(2)) is None


def test_pins_outlive_the_process(path: Path) -> None:
    with Pins(path) as pins:
        pins.add(cid(1), name="holiday")
        pins.add(cid(2), recursive=False)
    with Pins(path) as pins:
        assert set(pins.list()) == {Pin(cid(1), True, "holiday"), Pin(cid(2), False)}


def test_removing(pins: Pins) -> None:
    pins.add(cid(1))
    assert pins.remove(cid(1))
    assert not pins.remove(cid(1))
    assert list(pins.list()) == []


def test_a_second_pin_widens_the_first_and_never_narrows_it(pins: Pins) -> None:
    pins.add(cid(1), recursive=False, name="first")
    pins.add(cid(1), recursive=True)
    assert pins.get(cid(1)) == Pin(cid(1), True, "first")
    pins.add(cid(1), recursive=False, name="second")
    assert pins.get(cid(1)) == Pin(cid(1), True, "second")


def test_cids_of_one_block_are_pinned_apart(pins: Pins) -> None:
    """Recursively they mean different DAGs: a raw leaf has no links, a dag-pb node may."""
    mh = cid(1).multihash
    same = [Cid.v0(mh), Cid.v1(DAG_PB, mh), Cid.v1(RAW, mh)]
    for each in same:
        pins.add(each)
    assert {pin.cid for pin in pins.list()} == set(same)


def test_listing_many_while_they_change(pins: Pins) -> None:
    for number in range(2500):
        pins.add(cid(number))
    listed = []
    for count, pin in enumerate(pins.list()):
        listed.append(pin.cid)
        if count == 1200:
            pins.add(cid(5000))
            pins.remove(listed[0])
    assert len(listed) == len(set(listed))
    assert {cid(number) for number in range(2500)} <= set(listed)


def test_threads_pin_at_once(pins: Pins) -> None:
    def pin(start: int) -> None:
        for number in range(start, start + 50):
            pins.add(cid(number))
            assert pins.get(cid(number)) is not None

    threads = [threading.Thread(target=pin, args=(start,)) for start in (0, 50, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(pins.list())) == 150


def test_commits_are_synced(path: Path) -> None:
    with Pins(path) as pins, pins._facts.reading() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_files_are_for_their_owner_only(pins: Pins, path: Path) -> None:
    pins.add(cid(1))
    files = list(path.parent.iterdir())
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(
        StoreError, match=r"facts\.db, which holds the pins, is damaged: restore it from a backup"
    ):
        Pins(path)
    assert path.read_bytes() == b"no database at all " * 100


def test_damage_inside_is_reported(path: Path) -> None:
    with Pins(path) as pins:
        for number in range(2000):
            pins.add(cid(number))
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 10)
    with pytest.raises(StoreError, match="is damaged: restore it"):
        Pins(path)


def test_a_pin_that_is_no_cid_is_damage(path: Path) -> None:
    Pins(path).close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO pins VALUES (x'00ff', 1, NULL, NULL)")
    connection.commit()
    connection.close()
    with Pins(path) as pins, pytest.raises(StoreError, match="no CID"):
        list(pins.list())


def test_a_newer_layout_is_not_touched(path: Path) -> None:
    Pins(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    with pytest.raises(StoreError, match="layout 1000, which this program does not know"):
        Pins(path)


def test_a_change_that_fails_is_undone(pins: Pins) -> None:
    with pytest.raises(ZeroDivisionError), pins._facts.transaction() as connection:
        connection.execute("INSERT INTO pins VALUES (x'01', 1, NULL, NULL)")
        raise ZeroDivisionError
    assert list(pins.list()) == []


def test_closed_pins_say_so(path: Path) -> None:
    pins = Pins(path)
    pins.close()
    pins.close()
    with pytest.raises(StoreClosed):
        pins.add(cid(1))
    with pytest.raises(StoreClosed):
        pins.get(cid(1))


def test_no_directory_for_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        Pins(tmp_path / "absent" / "facts.db")


def test_a_pin_is_replaced_with_its_name(pins: Pins) -> None:
    pins.add(cid(1), name="site")
    assert pins.replace(cid(1), cid(2))
    assert list(pins.list()) == [Pin(cid(2), True, "site")]
    assert pins.replace(cid(2), cid(3), unpin=False)
    assert set(pins.list()) == {Pin(cid(2), True, "site"), Pin(cid(3), True, "site")}


def test_the_replacement_keeps_a_name_of_its_own_and_becomes_recursive(pins: Pins) -> None:
    pins.add(cid(1), name="site")
    pins.add(cid(2), recursive=False, name="other")
    assert pins.replace(cid(1), cid(2))
    assert list(pins.list()) == [Pin(cid(2), True, "other")]


def test_a_pin_replaced_by_itself_stays(pins: Pins) -> None:
    pins.add(cid(1), name="site")
    assert pins.replace(cid(1), cid(1))
    assert list(pins.list()) == [Pin(cid(1), True, "site")]


def test_what_is_not_pinned_recursively_is_not_replaced(pins: Pins) -> None:
    pins.add(cid(1), recursive=False)
    assert not pins.replace(cid(1), cid(3))
    assert not pins.replace(cid(2), cid(3))
    assert list(pins.list()) == [Pin(cid(1), False)]


def test_what_must_not_be_announced_is_remembered_by_its_hash(path: Path) -> None:
    with Pins(path) as pins:
        pins.add(cid(1), announced=False)
        pins.set_announced(cid(2), False)
        pins.add(cid(3))
        pins.remove(cid(1))
    with Pins(path) as pins:
        assert set(pins.unannounced()) == {cid(1), cid(2)}
        assert not pins.is_announced(Cid.v1(DAG_PB, cid(1).multihash))
        assert pins.is_announced(cid(3))
        pins.add(cid(1))
        assert not pins.is_announced(cid(1))
        pins.add(cid(1), announced=True)
        assert pins.unannounced() == [cid(2)]


def test_pins_that_are_missing_beside_blocks_are_lost_until_somebody_accepts_it(path: Path) -> None:
    with Pins(path, has_blocks=lambda: True) as pins:
        assert pins.found_lost
        with pytest.raises(PinsLost, match="--forget-lost-pins"):
            pins.check_complete()
    with Pins(path, has_blocks=lambda: True) as pins:
        assert not pins.found_lost  # that was told before
        pins.add(cid(1))
        with pytest.raises(PinsLost):
            pins.check_complete()
        pins.accept_loss()
        pins.check_complete()
    with Pins(path, has_blocks=lambda: True) as pins:
        pins.check_complete()
        assert pins.get(cid(1)) is not None


def test_pins_of_a_new_repo_are_not_lost(path: Path) -> None:
    with Pins(path, has_blocks=lambda: False) as pins:
        assert not pins.found_lost
        pins.check_complete()


def test_an_emptied_file_is_as_good_as_none(path: Path) -> None:
    with Pins(path) as pins:
        pins.add(cid(1))
    path.write_bytes(b"")
    with Pins(path, has_blocks=lambda: True) as pins, pytest.raises(PinsLost):
        pins.check_complete()
