"""The rows: a module for each kind of work, and the list of them all.

A row is a generator of results. What it raises becomes a FAIL; the repos and processes that it made through
the Bench are gone when it ends.
"""
