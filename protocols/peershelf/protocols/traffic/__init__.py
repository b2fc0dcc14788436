"""What goes over the network, counted and held to rates; for whatever carries streams."""

from peershelf.protocols.traffic.rates import Rates, is_local
from peershelf.protocols.traffic.traffic import Flow, Traffic
from peershelf.protocols.traffic.usage import Usage

__all__ = ["Flow", "Rates", "Traffic", "Usage", "is_local"]
