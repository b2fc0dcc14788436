"""File modes as Go writes them, and so Kubo's API: setuid, setgid and sticky are not where Unix has them.

Imports nothing, for commands that talk to a daemon use it too. https://pkg.go.dev/io/fs#FileMode
"""

from __future__ import annotations

DIRECTORY = 1 << 31

_PERMISSIONS = 0o777
_SETUID_SETGID, _STICKY = 0o6000, 0o1000
_SETUID_SETGID_SHIFT, _STICKY_SHIFT = 12, 11


def to_go(mode: int) -> int:
    """Return the permissions of a Unix mode, 07777 of it, in Go's bits."""
    return (
        mode & _PERMISSIONS
        | (mode & _SETUID_SETGID) << _SETUID_SETGID_SHIFT
        | (mode & _STICKY) << _STICKY_SHIFT
    )


def from_go(mode: int) -> int:
    """Return what Go's bits say about permissions, 07777 at most."""
    return (
        mode & _PERMISSIONS | mode >> _SETUID_SETGID_SHIFT & _SETUID_SETGID | mode >> _STICKY_SHIFT & _STICKY
    )
