"""The facade: one object through which the RPC, the command line and Python programs use a node.

No type of py-libp2p and no HTTP appears here. Every method may be called from any task of the trio run that
entered the node; cancelling a call is always safe.
"""

from __future__ import annotations

from peershelf.node.facade.archives import Archives
from peershelf.node.facade.collecting import GarbageCollection
from peershelf.node.facade.dag_data import DagData
from peershelf.node.facade.denylists import DenylistAccess
from peershelf.node.facade.files import FileAccess
from peershelf.node.facade.network import NetworkAccess
from peershelf.node.facade.routing import RoutingAccess
from peershelf.node.facade.trees import TreeAccess
from peershelf.node.facade.verifying import Verifying


class Node(
    TreeAccess,
    FileAccess,
    Verifying,
    Archives,
    DagData,
    GarbageCollection,
    NetworkAccess,
    RoutingAccess,
    DenylistAccess,
):
    """A repo in use: `async with Node(path) as node`.

    Entering makes the repo where there is none (unless `create` is false), takes its lock, opens its store
    and, if `online`, listens for peers; if `lazily` online, only once something is wanted that is not here,
    and then it announces nothing. A `read_only` node knows settings and identity but takes no lock and
    opens no store, so it works beside a daemon. `settings` override the repo's configuration for this run.
    With `store`, that of the repo, which the caller has both open and locked, neither is opened nor closed.
    Entering raises StoreLocked where another process has the repo, RepoError, ConfigError, IdentityError,
    StoreError or NetworkError.
    """
