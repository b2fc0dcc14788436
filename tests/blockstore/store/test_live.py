"""Live keys are compared by a fingerprint that does not depend on how they were entered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.store.live import Fingerprint, LiveKeys

KEYS = st.sampled_from([bytes([number]) * 34 for number in range(12)])


@given(st.lists(st.lists(KEYS)))
def test_the_fingerprint_is_that_of_the_set(groups: list[list[bytes]]) -> None:
    live = LiveKeys()
    for keys in groups:
        if len(keys) == 1:
            live.add(keys[0])
        else:
            live.update(keys)
        assert live.fingerprint == Fingerprint().plus(live.keys)
    assert live.keys == {key for keys in groups for key in keys}


@given(st.sets(KEYS, min_size=1), st.sets(KEYS, min_size=1))
def test_others_have_another(some: set[bytes], others: set[bytes]) -> None:
    assert (LiveKeys(some).fingerprint == LiveKeys(others).fingerprint) == (some == others)
