"""What the node does on its own to be connected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
import trio

from peershelf.node import network
from peershelf.protocols.errors import DialedTooSoon, DialFailed, LocalProtocolError, NetworkError
from peershelf.protocols.transport import PeerId

PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
OTHER = PeerId("12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")


class Answers:
    """Stands in for the host: one answer after another to each attempt to reach a peer."""

    def __init__(self, *answers: NetworkError | None) -> None:
        self.left = list(answers)

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        if error := self.left.pop(0):
            raise error


async def test_a_bootstrap_peer_is_tried_again_when_its_pause_is_over(autojump_clock: Any) -> None:
    start = trio.current_time()
    failed = DialFailed("refused")
    host = Answers(failed, DialedTooSoon(PEER, 4), failed, DialedTooSoon(PEER, 9), None)
    await network._keep_trying(cast(Any, host), PEER, ["/ip4/192.0.2.1/tcp/1"])
    assert host.left == []
    assert trio.current_time() - start == pytest.approx(13 + 2 * network._BREATH)


async def test_what_can_never_be_reached_is_not_tried_for_ever() -> None:
    host = Answers(LocalProtocolError("that is this node"))
    await network._keep_trying(cast(Any, host), PEER, [])


def test_bootstrap_addresses_of_one_peer_are_tried_together_and_nonsense_is_left_out() -> None:
    ours = [f"/ip4/192.0.2.{last}/tcp/1/p2p/{PEER}" for last in (1, 2)]
    other = f"/ip4/192.0.2.1/tcp/1/p2p/{OTHER}"
    assert network._by_peer([ours[0], "nonsense", other, ours[1]]) == {PEER: ours, OTHER: [other]}
