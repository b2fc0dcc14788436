"""Who owes how much of the thread's time, and how long one has to rest until enough of that is paid.

Debts are seconds of CPU. They are paid with time that passes, at the part of it that a debtor has.
"""

from __future__ import annotations

from collections.abc import Hashable

_MANY = 1_024
"""Debtors that are known at a time; the oldest is forgiven for one more if none has paid."""


_Debt = tuple[float, float, float]
"""What was owed, when that was, and when all of it would be paid, as it looked then."""


class Debts:
    """The debts of all. Times in seconds, of one clock.

    Args:
        share: part of the time, 0 to 1, with which one pays.
        share_all: the same for all who owe something together, in equal parts; None if they do not matter.
        ahead: seconds that one may owe without having to rest.
    """

    def __init__(self, *, share: float, share_all: float | None = None, ahead: float) -> None:
        self._share = share
        self._share_all = share_all
        self._ahead = ahead
        self._debts: dict[Hashable, _Debt] = {}

    def __len__(self) -> int:
        return len(self._debts)

    def charge(self, debtor: Hashable, seconds: float, now: float) -> None:
        """Work took so much CPU time."""
        if debtor not in self._debts:
            self._make_room(now)
        self._settle(debtor, seconds, now)

    def rest(self, debtor: Hashable, now: float) -> float:
        """Return for how long nothing more is to be done for somebody."""
        if debtor not in self._debts or self._debts[debtor][0] <= self._ahead:
            return 0.0
        return max(0.0, self._settle(debtor, 0.0, now) - self._ahead) / self.rate(now)

    def forget(self, debtor: Hashable) -> None:
        """Somebody has left, and has nothing to pay."""
        self._debts.pop(debtor, None)

    def rate(self, now: float) -> float:
        """Return the part of the time that each debtor has: the more owe some, the less."""
        if self._share_all is None:
            return self._share
        debtors = sum(paid_at > now for _, _, paid_at in self._debts.values())
        return min(self._share, self._share_all / max(1, debtors))

    def _settle(self, debtor: Hashable, seconds: float, now: float) -> float:
        """Take off what was paid since the last look, and add what is new. Return what that makes."""
        rate = self.rate(now)
        owed, then, _ = self._debts.get(debtor, (0.0, now, now))
        owed = max(0.0, owed - rate * (now - then)) + seconds
        self._debts[debtor] = owed, now, now + owed / rate
        return owed

    def _make_room(self, now: float) -> None:
        if len(self._debts) >= _MANY:
            paid = [debtor for debtor, (_, _, paid_at) in self._debts.items() if paid_at <= now]
            for debtor in paid or [next(iter(self._debts))]:
                del self._debts[debtor]
