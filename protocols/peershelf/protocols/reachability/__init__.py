"""Finding out whether others can reach this node, by having them dial it; and dialing others who ask.

Imports nothing by itself: every command knows the words of `case`, and only a node that is online the rest.
"""
