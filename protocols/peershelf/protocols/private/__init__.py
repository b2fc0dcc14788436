"""Private networks: peers that hold one secret key, and talk to nobody else. Without I/O, and without libp2p.

Spec: https://github.com/libp2p/specs/blob/master/pnet/Private-Networks-PSK-V1.md
"""

from peershelf.protocols.private.channel import GREETING, NotInThisNetwork, Opening, Sealing
from peershelf.protocols.private.key import MalformedKey, SwarmKey

__all__ = ["GREETING", "MalformedKey", "NotInThisNetwork", "Opening", "Sealing", "SwarmKey"]
