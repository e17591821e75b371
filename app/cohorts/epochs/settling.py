"""What a completed attempt's tasks do to one entry."""

from app.cohorts.epochs.attempt import DONE, Attempt
from app.cohorts.epochs.machine import Machine
from app.cohorts.epochs.words import ENTERED, EXITED, SETTLED, Change, Entry, Task


class Settling:
    """Carries out one task, entry by entry. Made anew for every portion of entries."""

    def __init__(self, machine: Machine, task: Task) -> None:
        self._machine = machine
        self._task = task
        self._owners = machine.by_epoch()
        fallen = machine.numbered(task.attempt)
        elder = machine.elder(fallen) if fallen else None
        self._heir = elder if elder and elder.state == DONE else None

    def revert(self, entry: Entry) -> Change | None:
        """Take back an entry whose attempt fell, unless the other attempt that named it is done.

        The entry is changed in place.
        """
        if entry.epoch not in self._task.epochs or not entry.changed:
            return None
        self._machine.release(entry, self._owners)
        change: Change | None = None
        if entry.also and self._heir:
            entry.epoch, entry.also = self._heir.round.epoch, False
            self._heir.unlisted = True
        else:
            change = self._set(entry, present=entry.was)
            entry.was = entry.now
            entry.epoch, entry.also = self._task.by, False
        self._machine.claim(entry, self._owners)
        return change

    def sweep(self, entry: Entry) -> Change | None:
        """Remove somebody whom a full list did not name; the entry is changed in place."""
        owner = self._owner(entry)
        if entry.epoch in self._task.epochs or (owner and owner.number > self._task.attempt):
            return None
        self._machine.release(entry, self._owners)
        if owner is None or owner.state == DONE:
            entry.was = entry.now
        change = self._set(entry, present=False)
        entry.epoch, entry.also = self._task.by, False
        self._machine.claim(entry, self._owners)
        return change

    def hold(self, entry: Entry) -> bool:
        """Settle somebody whom a held list did not name: nothing but a later page or a person moves them.

        A tombstone is swept as ever.

        Returns:
            Whether the entry was changed, in place.
        """
        if not entry.now:
            epoch = entry.epoch
            self.sweep(entry)
            return entry.epoch != epoch
        owner = self._owner(entry)
        if entry.epoch in self._task.epochs or (owner and owner.number > self._task.attempt):
            return False
        self._machine.release(entry, self._owners)
        entry.was, entry.epoch, entry.also, entry.again = True, SETTLED, False, False
        return True

    def dismiss(self, entry: Entry) -> Change | None:
        """Let somebody go whom a held list did not name and nothing has named since; changed in place."""
        if not entry.now or entry.epoch >= self._task.attempt:
            return None
        self._machine.release(entry, self._owners)
        entry.was, entry.epoch, entry.also, entry.again = False, SETTLED, False, False
        self._machine.excused += 1
        return self._set(entry, present=False)

    def entered(self, entry: Entry) -> bool:
        """Say whether this attempt brought the person in."""
        return entry.epoch in self._task.epochs and entry.now and not entry.was

    def forgotten(self, entry: Entry) -> bool:
        """Say whether the entry is a settled attempt's tombstone, which nobody needs any more."""
        return entry.epoch in self._task.epochs and not entry.now

    def _owner(self, entry: Entry) -> Attempt | None:
        owner = self._owners.get(entry.epoch) if entry.epoch > self._machine.prev else None
        return owner[0] if owner else None

    def _set(self, entry: Entry, *, present: bool) -> Change | None:
        if entry.now is present:
            return None
        entry.now = present
        self._machine.count += 1 if present else -1
        if present:
            entry.entered = self._task.by
        return ENTERED if present else EXITED
