"""What every command is given: the global options, and the way to the node that answers."""

from __future__ import annotations

from peershelf.cli import locate, output, waiting
from peershelf.cli.address import Address
from peershelf.cli.collector import Importing
from peershelf.cli.errors import CliError
from peershelf.cli.grammar import Option
from peershelf.cli.text import safe
from peershelf.cli.values import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from peershelf.blockstore.store.pack import PackStore
    from peershelf.cli.backend import Backend, Record
    from peershelf.cli.grammar import Call
    from peershelf.cli.remote import RemoteBackend

GLOBAL_OPTIONS = (
    Option(
        "--repo",
        "the repo's directory; default $PEERSHELF_PATH, else the user's data directory",
        metavar="DIR",
    ),
    Option(
        "--api",
        "the API of the node to use, such as /ip4/127.0.0.1/tcp/5001",
        metavar="ADDR",
        check=Address.parse,
    ),
    Option("--offline", "use only what is stored here; ask no peer"),
    Option("--json", "print JSON, with the keys of Kubo's API"),
    Option("--timeout", "give up after this time, such as 30s or 2m", metavar="D", check=duration),
    Option("-v, --verbose", "say more: which node answers, details, tracebacks"),
    Option("-h, --help", "show this help"),
)


class Context:
    """The global options of one call, and what follows from them."""

    def __init__(self, call: Call) -> None:
        self.json = call.flag("json")
        self.verbose = call.flag("verbose")
        self.offline = call.flag("offline")
        self.api = call.text("api")
        self._repo = call.text("repo")
        self._common = call.only("timeout", "offline")

    @property
    def repo(self) -> str:
        """The repo's directory."""
        return self._repo or locate.default_repo()

    @property
    def timeout(self) -> float | None:
        """The seconds of --timeout."""
        text = self._common.get("timeout")
        return None if text is None else duration(text)

    def daemon(self, *, wait: float = locate.WAIT_SECONDS, hands_over: bool = False) -> RemoteBackend | None:
        """The daemon that --api names or that has the repo; None if there is none. Raises CliError."""
        connected: socket.socket | None = None
        if self.api is not None:
            address = Address.parse(self.api)
        elif found := locate.find_daemon(self.repo, wait=wait, hands_over=hands_over):
            address, connected = found
        else:
            return None
        from peershelf.cli.remote import RemoteBackend

        backend = RemoteBackend(address, self._common, self.timeout, connected)
        self._tell(backend)
        return backend

    def running_daemon(self) -> RemoteBackend:
        """The daemon. Raises CliError where there is none."""
        backend = self.daemon()
        if backend is None:
            raise CliError("this needs a running daemon: start one with `node daemon`")
        return backend

    def backend(
        self, *, create: bool = False, online: bool = False, finds: bool = False, hands_over: bool = False
    ) -> Backend:
        """The daemon, or else the repo itself, opened for this command and locked meanwhile.

        `create` makes a repo where there is none; `online` starts a node that can dial a peer; with `finds` a
        node starts that finds peers, once something is missing. With `hands_over` the daemon is reached so
        that it can be handed open files.
        """
        daemon = self.daemon(hands_over=hands_over)
        if daemon is None:
            return self._local(create=create, online=online, finds=finds)
        if finds:
            waiting.begin()
        return daemon

    def reader(self, *, create: bool = False, hands_over: bool = False) -> Backend:
        """As `backend`, for what needs settings and identity only: nothing is locked, nobody waited for."""
        try:
            backend = self.daemon(wait=0, hands_over=hands_over)
        except CliError:
            if self.api is not None:
                raise
            backend = None  # someone has the repo and no API: settings and identity can be read all the same
        return backend or self._local(create=create, read_only=True)

    def _local(
        self, *, create: bool, online: bool = False, finds: bool = False, read_only: bool = False
    ) -> Backend:
        def make(store: PackStore | None = None) -> Backend:
            # A daemon may have started since it was looked for, and have the repo by now.
            if store is None and not read_only and (daemon := self.daemon()) is not None:
                return daemon
            with Importing():
                from peershelf.cli.local import LocalBackend

            if finds:
                waiting.begin()
            return LocalBackend(
                self.repo,
                self._common,
                create=create,
                online=online,
                finds=finds,
                read_only=read_only,
                store=store,
            )

        backend: Backend
        if read_only:
            from peershelf.cli.settings_first import SettingsFirst

            backend = SettingsFirst(self.repo, self._common, make)
        elif not online:
            from peershelf.cli.here import HereFirst

            backend = HereFirst(self.repo, self._common, make)
        else:
            backend = make()
        self._tell(backend)
        return backend

    def show(self, record: Record, lines: Iterable[str], *, flush: bool = False) -> None:
        """Print a record: as JSON where that was asked for, or else the lines that say what is in it.

        What is no printable text in them is escaped, but for a tab at the beginning.
        """
        if self.json:
            output.json_line(record, flush=flush)
            return
        for line in lines:
            indent = "\t" if line.startswith("\t") else ""
            output.line(indent + safe(line.removeprefix("\t")), flush=flush)

    def _tell(self, backend: Backend) -> None:
        if self.verbose:
            output.note(f"Asking {backend.description}")
