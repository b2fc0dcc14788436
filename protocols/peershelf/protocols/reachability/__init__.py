"""Finding out whether others can reach this node, by having them dial it; and dialing others who ask."""

from peershelf.protocols.reachability.case import Outcome as Outcome
from peershelf.protocols.reachability.case import Standing as Standing
from peershelf.protocols.reachability.checker import Checker as Checker
from peershelf.protocols.reachability.messages import Dialed as Dialed
from peershelf.protocols.reachability.service import DialService as DialService
