"""Masks of addresses."""

from __future__ import annotations

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.errors import DialFailed
from peershelf.protocols.filters import AddressFilters, InvalidMask, Mask

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


@given(V4, V4, st.integers(0, 32))
def test_an_address_is_the_same_in_its_ipv6_form(address, base, bits):
    mask = Mask(f"/ip4/{base}/ipcidr/{bits}")
    inside = address in ipaddress.ip_network((base, bits), strict=False)
    assert (str(address) in mask) is inside
    assert (f"::ffff:{address}" in mask) is inside
    mapped = Mask(f"/ip6/::ffff:{base}/ipcidr/{bits + 96}")
    assert mapped == mask
    assert str(mapped) == str(mask)


@given(V6, V6, st.integers(0, 128))
def test_ipv6_addresses_are_compared_by_their_first_bits(address, base, bits):
    mask = Mask(f"/ip6/{base}/ipcidr/{bits}")
    if address.ipv4_mapped is None and mask == Mask(str(mask)) and "ip6" in str(mask):
        assert (str(address) in mask) is (address in ipaddress.ip_network((base, bits), strict=False))


def test_all_of_ipv6_is_not_all_of_ipv4():
    everything = Mask("/ip6/::/ipcidr/0")
    assert "2001:db8::1" in everything
    assert "192.0.2.1" not in everything
    assert "::ffff:192.0.2.1" not in everything


def test_bits_beyond_the_length_mean_nothing():
    assert Mask("/ip4/10.1.2.3/ipcidr/8") == Mask("/ip4/10.0.0.0/ipcidr/8")
    assert str(Mask("/ip6/FD00:0::1/ipcidr/64")) == "/ip6/fd00::/ipcidr/64"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.0/8",
        "/ip4/10.0.0.0",
        "/ip4/10.0.0.0/tcp/8",
        "/ip4/10.0.0.0/ipcidr/33",
        "/ip4/10.0.0.0/ipcidr/-1",
        "/ip4/10.0.0.0/ipcidr/8/",
        "/ip4/10.0.0.0/ipcidr/255.0.0.0",
        "/ip4/10.0.0.0/ipcidr/٨",
        "/ip4/10.0.0/ipcidr/8",
        "/ip4/fd00::/ipcidr/8",
        "/ip6/10.0.0.0/ipcidr/8",
        "/ip6/fe80::1%eth0/ipcidr/64",
        "/dns4/example.org/ipcidr/8",
    ],
)
def test_what_is_no_mask_is_refused_with_an_example(text):
    with pytest.raises(InvalidMask, match="write one as /ip4/10"):
        Mask(text)


@given(st.text(max_size=60))
def test_no_text_raises_anything_else(text):
    for candidate in (text, f"/ip4/{text}/ipcidr/8", f"/ip6/fd00::/ipcidr/{text}"):
        with suppress(InvalidMask):
            assert Mask(str(Mask(candidate))) == Mask(candidate)


def test_the_filter_that_blocks_is_named():
    filters = AddressFilters([Mask("/ip4/10.0.0.0/ipcidr/8"), Mask("/ip6/fd00::/ipcidr/8")])
    with pytest.raises(DialFailed, match="filtered by /ip6/fd00::/ipcidr/8"):
        filters.check_dial("fd12::1")
    filters.remove([Mask("/ip6/fd00::/ipcidr/8"), Mask("/ip4/192.0.2.0/ipcidr/24")])
    filters.check_dial("fd12::1")
    assert [str(mask) for mask in filters] == ["/ip4/10.0.0.0/ipcidr/8"]
