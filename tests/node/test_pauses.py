import pytest

from peershelf.node.pauses import Pauses


def test_pauses_double_up_to_the_longest_and_can_start_over() -> None:
    pauses = Pauses(first=5, longest=30, chance=lambda: 0.0)
    assert [pauses.next() for _ in range(5)] == [5, 10, 20, 30, 30]
    pauses.start_over()
    assert pauses.next() == 5


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 8.0), (0.5, 6.0), (1.0, 4.0)])
def test_chance_takes_up_to_half(chance: float, pause: float) -> None:
    assert Pauses(first=8, chance=lambda: chance).next() == pause
