"""Work in the command's own thread: Ctrl-C is heard where it does no harm, and nowhere else."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from peershelf.cli.right_here import RightHere
from peershelf.node.blocking import finished


@pytest.fixture(autouse=True)
def as_in_a_program() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler, "all is as it was"


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def test_work_is_done_and_its_result_returned() -> None:
    with RightHere() as blocking:
        assert finished(blocking.run(pow, 2, 5)) == 32
        assert finished(blocking.wait(pow, 2, 5)) == 32


def test_work_is_done_to_its_end_and_the_next_is_not_begun() -> None:
    done: list[int] = []

    def work() -> None:
        ctrl_c()
        done.append(1)

    with pytest.raises(KeyboardInterrupt), RightHere() as blocking:
        finished(blocking.run(work))
        assert done == [1]
        finished(blocking.run(done.append, 2))
    assert done == [1]


def test_work_that_looks_ends_itself() -> None:
    with pytest.raises(KeyboardInterrupt), RightHere() as blocking:
        blocking.check()
        ctrl_c()
        blocking.check()
        pytest.fail("it was not heard")


def test_waiting_is_left_at_once() -> None:
    def wait() -> None:
        ctrl_c()
        pytest.fail("it was not heard")

    with pytest.raises(KeyboardInterrupt), RightHere() as blocking:
        finished(blocking.wait(wait))


def test_waiting_is_not_even_begun() -> None:
    with pytest.raises(KeyboardInterrupt), RightHere() as blocking:
        ctrl_c()
        finished(blocking.wait(pytest.fail, "it was not heard"))


@pytest.mark.parametrize("interrupt", [True, False])
def test_what_has_to_be_done_is_done_though_all_is_given_up(interrupt: bool) -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt), RightHere() as blocking:
        ctrl_c()
        try:
            blocking.check()
        finally:
            if interrupt:
                ctrl_c()
            finished(blocking.clear_up(lambda: done.append(1)))
    assert done == [1]


def test_ctrl_c_is_heard_at_the_end_in_any_case() -> None:
    with pytest.raises(KeyboardInterrupt), RightHere():
        ctrl_c()
    with pytest.raises(KeyboardInterrupt), RightHere():
        ctrl_c()
        raise ValueError("that also went wrong")


def test_whoever_ignores_ctrl_c_goes_on_doing_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with RightHere() as blocking:
            ctrl_c()
            blocking.check()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_work_calls_back() -> None:
    told: list[int] = []

    async def tell(value: int) -> None:
        told.append(value)

    with RightHere() as blocking:
        call: Callable[[], None] = lambda: blocking.call(tell, 5)  # noqa: E731
        finished(blocking.run(call))
    assert told == [5]
