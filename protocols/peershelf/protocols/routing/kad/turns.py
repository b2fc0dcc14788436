"""Who is told of to whoever searches: so that one liar does not drown out what the others say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest

from peershelf.protocols.routing.kad.messages import Contact

AT_ONCE = 4
"""Providers of one answer that are not kept waiting."""


class Turns:
    """What many answers name. Whoever listens may stop after so many, so each answer gets its turn.

    The first few of an answer are told of at once, the others when all have answered, one of each in turn.
    """

    def __init__(self) -> None:
        self._seen: set[Contact] = set()
        self._waiting: list[Sequence[Contact]] = []

    def take(self, contacts: Sequence[Contact]) -> list[Contact]:
        """Return those of an answer that are news, and may be told of at once."""
        new = [contact for contact in contacts if contact not in self._seen]
        self._seen.update(new[:AT_ONCE])
        self._waiting.append(new[AT_ONCE:])
        return new[:AT_ONCE]

    def rest(self) -> Iterator[Contact]:
        """The others, in their turn, each once."""
        for contact in chain.from_iterable(zip_longest(*self._waiting)):
            if contact is not None and contact not in self._seen:
                self._seen.add(contact)
                yield contact
