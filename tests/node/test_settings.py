import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.node.errors import ConfigError
from peershelf.node.settings import SETTINGS, check
from peershelf.node.units import parse_duration, parse_rate, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("17", 17), ("10GB", 10 * 10**9), ("64MiB", 64 << 20), ("1.5 kib", 1536), ("2TB", 2 * 10**12)],
)
def test_sizes_are_read_in_decimal_and_binary_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 potato", "1e9", "0x10", "1GB2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("2MB/s", 2_000_000),
        ("500KB", 500_000),
        (" 1.5 MiB/s ", 1_572_864),
        ("20000", 20_000),
        ("1KB/s", 1000),
        ("0", 0),
        ("Unlimited", 0),
    ],
)
def test_rates_are_sizes_a_second_or_unlimited(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "/s", "-1", "fast", "2MB/h", "2Mbit/s", "1MB/s/s", "999B/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no rate|is too slow"):
        parse_rate(text)


def test_a_rate_may_be_a_bare_number() -> None:
    assert check("Swarm.UploadRate", 0) == 0
    for wrong in (True, -1, 1.5, 999):
        with pytest.raises(ConfigError, match="takes a rate"):
            check("Swarm.UploadRate", wrong)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m30s", 90), ("250ms", 0.25), ("1.5h", 5400), ("1h1m1s1ms", 3661.001)],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "30", "s", "1m 30s", "-1s", "1d", "1s!"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@given(st.text(max_size=40))
def test_no_text_makes_the_parsers_fail_otherwise(text: str) -> None:
    for parse in (parse_size, parse_duration, parse_rate):
        with contextlib.suppress(ValueError):
            assert parse(text) >= 0


@pytest.mark.parametrize("key", SETTINGS)
def test_every_default_is_a_value_that_its_key_takes(key: str) -> None:
    assert check(key, SETTINGS[key].default) == SETTINGS[key].default


@pytest.mark.parametrize("key", SETTINGS)
def test_every_key_refuses_a_value_of_another_kind(key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        check(key, {"nested": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Addresses.Swarm", ["/ip4/127.0.0.1/tcp/0", "/ip4/1.2.3.4"]),
        ("Addresses.Swarm", ["/ip4/0.0.0.0/udp/4001/quic-v1"]),
        ("Addresses.Swarm", ["/ip6/127.0.0.1/tcp/1"]),
        ("Addresses.Swarm", ["/ip4/127.0.0.1/tcp/65536"]),
        ("Addresses.Swarm", ["localhost:4001"]),
        ("Addresses.API", "/ip4/0.0.0.0/tcp/5001"),
        ("Addresses.API", "127.0.0.1:5001"),
        ("Addresses.API", ""),
    ],
)
def test_an_address_that_no_daemon_could_listen_on_is_refused(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{key} takes"):
        check(key, value)


def test_addresses_of_both_families_and_none_at_all_are_taken() -> None:
    both = ["/ip6/::1/tcp/0", "/ip4/192.0.2.1/tcp/65535"]
    assert check("Addresses.Swarm", both) == both
    assert check("Addresses.Swarm", []) == []


def test_an_unknown_key_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"did you mean Addresses\.Swarm\?"):
        check("addresses.swram", [])
