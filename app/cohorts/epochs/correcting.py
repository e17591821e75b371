"""What a reconcile does to one entry: it makes it what Mixpanel says that it is.

Mixpanel was asked who is in the cohort now; the sender compares with a snapshot that may be older, and that
nobody sees. So a corrected entry says nothing about snapshots: its `was` is its `now`, no attempt in doubt
can take it back, and it is no evidence for or against one. What the sender says of the person next, it may
well say for the first time (who joined since the last sync was brought in by the reconcile already), so it is
no contradiction either; see `Machine.foreseen`.
"""

from collections.abc import Collection

from app.cohorts.epochs.machine import Machine
from app.cohorts.epochs.words import ENTERED, EXITED, SETTLED, Change, Entry


class Correcting:
    """Corrects entries, one by one. Made anew for every step.

    Args:
        machine: the cohort.
        since: its last epoch as the reading began.
        named: earlier epochs under which pages came since.
    """

    def __init__(self, machine: Machine, since: int, named: Collection[int]) -> None:
        self._machine = machine
        self._since = since
        self._named = frozenset(named)
        self._owners = machine.by_epoch()

    def is_newer(self, entry: Entry) -> bool:
        """Say whether a page may have named the person since the reading began: then that page is right."""
        return entry.epoch > self._since or entry.epoch in self._named

    def correct(self, entry: Entry, *, present: bool) -> Change:
        """Bring somebody in, or let somebody go; the entry, which says otherwise, is changed in place."""
        machine = self._machine
        machine.release(entry, self._owners)
        entry.now = entry.was = present
        entry.also = entry.again = False
        entry.fingerprint = 0
        machine.count += 1 if present else -1
        if present:
            entry.epoch = entry.entered = machine.reconciled[-1]
            return ENTERED
        entry.epoch = SETTLED
        machine.excused += 1
        return EXITED
