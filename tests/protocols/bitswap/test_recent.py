"""What is remembered for a while."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.bitswap.recent import Recent, RecentKeys

LEAST = 5


@given(st.lists(st.lists(st.integers(0, 60), max_size=LEAST), max_size=20))
def test_the_last_keys_are_known_and_not_many_more(batches: list[list[int]]) -> None:
    recent, order = RecentKeys[int](LEAST), list[int]()
    for batch in batches:
        recent.update(batch)
        for key in batch:
            order = [*(one for one in order if one != key), key]
        assert all(key in recent for key in order[-LEAST:])
        assert sum(key in recent for key in range(61)) <= 4 * LEAST


def test_what_was_set_longest_ago_is_forgotten() -> None:
    recent: Recent[str, int] = Recent(2)
    for number, key in enumerate("abac"):
        recent[key] = number
    assert recent == {"a": 2, "c": 3}
