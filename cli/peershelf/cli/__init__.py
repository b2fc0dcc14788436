"""The command line: what a user types, and what is printed of the answer."""
