"""What imports of large parts are spared."""

from __future__ import annotations

import gc
import signal

import pytest

from peershelf.cli.collector import Importing


def test_nothing_is_collected_meanwhile_and_afterwards_it_is() -> None:
    with Importing():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_ctrl_c_is_heard_at_the_end_of_an_import() -> None:
    went_on = False
    with pytest.raises(KeyboardInterrupt), Importing():
        signal.raise_signal(signal.SIGINT)
        went_on = True
    assert went_on
    assert gc.isenabled()
