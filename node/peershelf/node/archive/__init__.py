"""Trees as archives and as files on disk.

The command line's fast path imports all of this but what a node makes archives with, so it must stay light.
"""
