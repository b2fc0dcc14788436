"""What the connections of one host share."""

from __future__ import annotations

from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.places import StreamPlaces
from peershelf.protocols.libp2p.yamux.unread import SharedBudget
from peershelf.protocols.pacing.debts import Debts


class Shared:
    """Time for frames without data, unread bytes, and places for the peers' streams."""

    def __init__(self, limits: YamuxLimits) -> None:
        self.debts = Debts(share=limits.toll_share, share_all=limits.tolls_share, ahead=limits.toll_ahead)
        self.unread = SharedBudget(limits.unread_in_all)
        self.places = StreamPlaces(limits.inbound_streams_in_all)
