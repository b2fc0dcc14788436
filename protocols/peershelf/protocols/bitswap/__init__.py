"""Bitswap: exchanging blocks with connected peers. https://specs.ipfs.tech/bitswap-protocol/"""

from peershelf.protocols.bitswap.exchange import Bitswap
from peershelf.protocols.bitswap.fetching import Session
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import PROTOCOLS
from peershelf.protocols.bitswap.report import Answer
from peershelf.protocols.bitswap.stat import BitswapStat

__all__ = ["PROTOCOLS", "Answer", "Bitswap", "BitswapLimits", "BitswapStat", "Session"]
