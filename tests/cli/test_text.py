from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.cli.text import human_duration, human_size, one_line, safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("naïve – 日本.iso", "naïve – 日本.iso"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\nb\r", "a\\nb\\r"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("\u2066x\u2069\u200b", "\\u2066x\\u2069\\u200b"),
        ("\udcff", "\\udcff"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_what_could_change_the_terminal_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(st.text())
def test_safe_text_is_printable_and_one_line(text: str) -> None:
    assert safe(text).isprintable()
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536 << 10, "1.5 MiB"),
        (10 << 30, "10.0 GiB"),
        (5 << 50, "5120.0 TiB"),
    ],
)
def test_sizes_are_in_binary_units(count: int, shown: str) -> None:
    assert human_size(count) == shown


def test_short_times_are_in_milliseconds() -> None:
    assert (human_duration(0.000626), human_duration(2)) == ("0.63 ms", "2.00 s")
