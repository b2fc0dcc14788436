"""The bench's judgement and its table; what it measures is not tested here."""

from __future__ import annotations

import pytest

from bench.results import Measured, Result, Series, Target, Verdict, failed
from bench.table import as_json, number, render, tally


def result(ours: float, theirs: float, target: Target | None) -> Result:
    return Result(
        "add", "add a file", "MB/s", Series("peershelf", (ours,)), Series("kubo", (theirs,)), target
    )


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(300, Verdict.AIM), (299, Verdict.MET), (200, Verdict.MET), (199, Verdict.MISSED)],
)
def test_a_ratio_is_held_against_reach_and_aim(ours: float, verdict: Verdict) -> None:
    assert result(ours, 100, Target(2, 3)).verdict is verdict


@pytest.mark.parametrize(
    ("ours", "verdict"), [(4, Verdict.AIM), (5, Verdict.AIM), (10, Verdict.MET), (11, Verdict.MISSED)]
)
def test_a_time_is_held_against_upper_bounds(ours: float, verdict: Verdict) -> None:
    assert result(ours, 100, Target(0.1, 0.05, at_most=True)).verdict is verdict


def test_an_absolute_target_looks_at_our_figure_alone() -> None:
    target = Target(220, 150, at_most=True, absolute=True)
    assert result(150, 1, target).verdict is Verdict.AIM
    assert result(221, 1_000, target).verdict is Verdict.MISSED


def test_ratios_are_of_medians() -> None:
    ours, theirs = Series("peershelf", (1.0, 30.0, 1_000.0)), Series("kubo", (10.0, 20.0))
    assert Result("add", "add", "MB/s", ours, theirs).ratio == 2


def test_without_a_target_there_is_no_verdict() -> None:
    assert result(1, 100, None).verdict is Verdict.NONE


def test_a_contender_that_failed_fails_the_line_with_its_reason() -> None:
    measured = Measured({"peershelf": [{"MB/s": 5.0}]}, {"kubo": "it ended with 1"})
    line = Result("add", "add", "MB/s", measured.series("peershelf", "MB/s"), measured.series("kubo", "MB/s"))
    assert line.verdict is Verdict.FAIL
    assert line.failure == "kubo: it ended with 1"
    assert line.ratio is None


def test_samples_from_before_a_failure_are_kept_but_give_no_figure() -> None:
    measured = Measured({"kubo": [{"MB/s": 5.0}]}, {"kubo": "it ended with 1"})
    series = measured.series("kubo", "MB/s")
    assert series.samples == (5.0,)
    assert series.median is None


def test_a_row_without_samples_fails() -> None:
    assert Result("add", "add", "MB/s", Series("peershelf")).verdict is Verdict.FAIL


def test_the_table_shows_failures_with_their_reasons_and_goes_on() -> None:
    lines = render(
        [failed("cat", "cat a file", "no such program"), result(300, 100, Target(2, 3))]
    ).splitlines()
    assert "FAIL" in lines[2]
    assert lines[3].strip() == "peershelf: no such program"
    assert lines[4] == ""  # another row begins
    assert lines[5].split() == [
        "add",
        "a",
        "file",
        "MB/s",
        "300",
        "kubo",
        "100",
        "3.00",
        "≥",
        "2",
        "(3)",
        "aim",
    ]


def test_small_ratios_read_as_fractions() -> None:
    assert "1/40" in render([result(1, 40, Target(0.1, 0.05, at_most=True))])


def test_the_tally_counts_each_verdict() -> None:
    results = [
        result(300, 100, Target(2, 3)),
        result(200, 100, Target(2, 3)),
        result(1, 100, Target(2, 3)),
        result(1, 100, None),
        failed("cat", "cat a file", "no"),
    ]
    assert tally(results) == "2 met (1 of them the aim), 1 missed, 1 FAIL"


def test_json_has_every_sample() -> None:
    line = Result("add", "add", "MB/s", Series("peershelf", (1.0, 2.0, 9.0)), None, Target(2, absolute=True))
    shown = as_json(line)
    assert shown["ours"]["samples"] == [1.0, 2.0, 9.0]
    assert (shown["ours"]["median"], shown["verdict"], shown["target"]) == (2.0, "met", "≥ 2")


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.12"), (12.34, "12.3"), (123.4, "123"), (12_345.6, "12,346")]
)
def test_figures_are_short(value: float, text: str) -> None:
    assert number(value) == text
