"""The Kademlia DHT of IPFS: /ipfs/kad/1.0.0 and /ipfs/lan/kad/1.0.0."""

from __future__ import annotations

from peershelf.protocols.routing.kad.dht import Dht as Dht
from peershelf.protocols.routing.kad.scope import LAN as LAN
from peershelf.protocols.routing.kad.scope import WAN as WAN
from peershelf.protocols.routing.kad.serving import new_pacing as new_pacing
