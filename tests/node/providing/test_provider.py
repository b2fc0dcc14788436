"""Announcing: at once, again every 22 hours, and not forgotten by a crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from peershelf.node.providing import provider as provider_module
from peershelf.node.providing.provider import Provider
from peershelf.node.providing.queue import ProvideQueue

DAY = 24 * 3600.0
KEYS = [bytes([number]) * 34 for number in range(5)]
BLOCKED = [bytes([number]) * 34 for number in range(5, 8)]


class FakeRouter:
    """Counts what it is given; `takes` says whether there is anybody."""

    def __init__(self) -> None:
        self.takes = True
        self.provided: list[bytes] = []

    async def provide(self, keys: Sequence[bytes]) -> int:
        await trio.sleep(0.1)
        if not self.takes:
            return 0
        self.provided += keys
        return 20 * len(keys)


async def inline(work):
    """Virtual time does not wait for threads."""
    await trio.lowlevel.checkpoint()
    return work()


@pytest.fixture
def router() -> FakeRouter:
    return FakeRouter()


@pytest.fixture
def queue(tmp_path: Path):
    with ProvideQueue(tmp_path / "provide.db") as queue:
        yield queue


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock) -> None:
    """The calendar goes with trio's clock."""
    calendar = SimpleNamespace(time=lambda: 1_800_000_000 + autojump_clock.current_time())
    monkeypatch.setattr(provider_module, "time", calendar)


@pytest.fixture
def start(nursery: trio.Nursery, queue: ProvideQueue, router: FakeRouter, clock: None):
    def start(keys: Sequence[bytes] = ()) -> Provider:
        provider = Provider(
            queue, router, lambda: keys, 22 * 3600.0, is_blocked=lambda key: key in BLOCKED, offload=inline
        )
        nursery.start_soon(provider.run)
        return provider

    return start


async def test_everything_is_announced_at_the_start_and_every_22_hours(start, router, autojump_clock) -> None:
    provider = start(KEYS)
    await trio.sleep(10)
    assert sorted(router.provided) == KEYS
    stat = provider.stat()
    assert (stat.queued, stat.provided, stat.records) == (0, 5, 100)
    assert stat.next_sweep - stat.last_sweep == 22 * 3600
    await trio.sleep(3 * DAY)
    assert len(router.provided) == 4 * len(KEYS)


async def test_what_is_queued_is_announced_within_a_second(start, queue, router, autojump_clock) -> None:
    provider = start()
    await trio.sleep(100)
    queue.add([KEYS[0]])
    provider.wake()
    await trio.sleep(1)
    assert router.provided == [KEYS[0]]


async def test_what_is_blocked_is_passed_over_and_holds_nothing_up(
    start, queue, router, autojump_clock
) -> None:
    provider = start([*BLOCKED, *KEYS])
    await trio.sleep(10)
    assert sorted(router.provided) == KEYS
    assert provider.stat().provided == len(KEYS)
    queue.add(BLOCKED)
    provider.wake()
    await trio.sleep(10)
    assert sorted(router.provided) == KEYS
    assert len(queue) == 0


async def test_where_others_could_not_be_told_where_we_are_everything_is_announced_anew(
    start, router, autojump_clock
) -> None:
    provider = start(KEYS)
    await trio.sleep(10)
    provider.announce_all()
    await trio.sleep(10)
    assert len(router.provided) == 2 * len(KEYS)
    provider.wake()
    await trio.sleep(10)
    assert len(router.provided) == 2 * len(KEYS)


async def test_what_nobody_took_is_tried_again(start, queue, router, autojump_clock) -> None:
    router.takes = False
    start(KEYS)
    await trio.sleep(600)
    assert len(queue) == len(KEYS)
    router.takes = True
    await trio.sleep(900)
    assert sorted(router.provided) == KEYS
    assert len(queue) == 0


async def test_a_sweep_that_was_made_is_not_made_again_by_a_restart(
    queue, router, clock, autojump_clock
) -> None:
    for _ in range(2):
        with trio.move_on_after(3600):
            await Provider(queue, router, lambda: KEYS, 22 * 3600.0, offload=inline).run()
    assert len(router.provided) == len(KEYS)


async def test_a_clock_set_back_does_not_put_the_next_sweep_off(start, queue, router, autojump_clock) -> None:
    queue.mark("last sweep", 1_800_000_000 + 400 * DAY)
    start(KEYS)
    await trio.sleep(10)
    assert sorted(router.provided) == KEYS


def test_the_queue_survives_and_holds_each_key_once(tmp_path: Path) -> None:
    with ProvideQueue(tmp_path / "provide.db") as queue:
        queue.add(KEYS)
        queue.add(KEYS[:2])
        queue.remove(KEYS[4:])
    with ProvideQueue(tmp_path / "provide.db") as queue:
        assert sorted(queue.first(10)) == KEYS[:4]
        assert queue.clear() == 4
        assert len(queue) == 0


@pytest.mark.parametrize("content", [b"rubbish" * 1000, b""])
def test_a_queue_that_is_damaged_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "provide.db"
    path.write_bytes(content)
    with ProvideQueue(path) as queue:
        queue.add(KEYS)
        assert len(queue) == len(KEYS)


def test_a_table_that_is_not_ours_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "provide.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE queue (other)")
    connection.commit()
    connection.close()
    with ProvideQueue(path) as queue:
        queue.add(KEYS)
        assert len(queue) == len(KEYS)
