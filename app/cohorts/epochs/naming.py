"""What a page does to one member: the evidence it gives, and what it changes."""

from dataclasses import dataclass

from app.cohorts.epochs.attempt import DONE, OPEN, Attempt
from app.cohorts.epochs.machine import Machine
from app.cohorts.epochs.words import ADD, ENTERED, EXITED, MEMBERS, Change, Entry


@dataclass(slots=True)
class Named:
    """What naming came to.

    Attributes:
        change: who entered or exited, if anybody.
        listed: the entry would change if the attempt fell, so the attempt's list of ids must hold it.
    """

    change: Change | None
    listed: bool


class Naming:
    """Names people under one attempt's current round. Made anew for every page."""

    def __init__(self, machine: Machine, attempt: Attempt, action: str) -> None:
        self._machine = machine
        self._attempt = attempt
        self._action = action
        self._owners = machine.by_epoch()
        self._own = set(attempt.epochs)
        self._round = attempt.round

    def name(self, entry: Entry) -> Named:
        """Name the person of this entry; the entry is changed in place."""
        if entry.epoch in self._own:
            return self._repeat(entry)
        owner = self._owner(entry)
        if owner and entry.also and self._machine.elder(owner) is self._attempt:
            return Named(None, listed=False)
        known = owner if owner and owner.number < self._attempt.number else None
        self._machine.release(entry, self._owners)
        was_now = entry.now
        if self._action == MEMBERS:
            self._list(entry, owner)
        else:
            self._diff(entry, known, overtaken=owner is not known)
        self._move(entry, owner)
        self._machine.claim(entry, self._owners)
        self._round.named += 1
        change = self._record(entry, was_now)
        return Named(change, listed=entry.changed)

    def _owner(self, entry: Entry) -> Attempt | None:
        owner = self._owners.get(entry.epoch) if entry.epoch > self._machine.prev else None
        return owner[0] if owner else None

    def _repeat(self, entry: Entry) -> Named:
        """Move a person whom an earlier round of this attempt named into the current round."""
        if entry.epoch == self._round.epoch:
            return Named(None, listed=False)
        self._machine.release(entry, self._owners)
        entry.epoch = self._round.epoch
        self._machine.claim(entry, self._owners)
        self._round.named += 1
        self._round.repeats += entry.changed
        return Named(None, listed=entry.changed)

    def _list(self, entry: Entry, owner: Attempt | None) -> None:
        if owner is None or owner.state == DONE:
            entry.was = entry.now
        entry.now = True

    def _diff(self, entry: Entry, known: Attempt | None, *, overtaken: bool) -> None:
        want = self._action != ADD
        foreseen = False
        if known and entry.changed:
            if want is entry.now:
                known.stood += 1
            else:
                known.fell += 1
        elif want is not entry.now and not overtaken and not (foreseen := self._machine.foreseen(entry)):
            self._round.contradictions += 1
            self._machine.contradicted += 1
            if want and self._machine.partial:
                self._machine.partial = "proven"
        settled = known is None or known.state == DONE
        # What an attempt that failed named again is still named again by the next one.
        entry.again = self._action == ADD and entry.now and (settled or entry.again) and not foreseen
        self._round.again += entry.again
        entry.was, entry.now = want, not want

    def _move(self, entry: Entry, owner: Attempt | None) -> None:
        """Give the entry to this attempt, or to the later of two that are open at one time."""
        both = owner is not None and owner.state == OPEN
        entry.also = both
        if not (both and owner is not None and owner.number > self._attempt.number):
            entry.epoch = self._round.epoch
        elif entry.changed:
            owner.unlisted = True  # it did not change the person itself, so its list need not have the id

    def _record(self, entry: Entry, was_now: bool) -> Change | None:
        if entry.now is was_now:
            return None
        if entry.now:
            self._machine.count += 1
            entry.entered = self._round.epoch
            return ENTERED
        self._machine.count -= 1
        self._round.removed += 1
        return EXITED
