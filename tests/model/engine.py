"""The real engine of `app/cohorts/epochs`, over dictionaries in place of Redis."""

from collections.abc import Iterable
from typing import Any

from app.cohorts.epochs import Entry, Machine, Page, Sighting, Task, Trust
from app.cohorts.epochs.correcting import Correcting
from app.cohorts.epochs.naming import Naming
from app.cohorts.epochs.routing import admit, arrived, begins, expire, twins, yield_halves
from app.cohorts.epochs.settling import Settling
from tests.model.wire import SentPage


class EngineReceiver:
    """Keeps one cohort as the relay's lane does, the store apart."""

    def __init__(self, trust: dict[str, Any] | None = None) -> None:
        self.machine = Machine()
        self.trust = Trust(**(trust or {}))
        self.entries: dict[str, Entry] = {}
        self.seen: dict[tuple[str, str, int], Sighting] = {}
        self.sessions: set[str] = set()
        self.since = 0
        self.named: set[int] = set()
        self.gone: set[str] | None = None

    def receive(self, page: SentPage) -> None:
        at = int(page.at * 1000)
        self.quiet_until(page.at)
        digest = f"{page.total}:{','.join(sorted(page.members))}"
        came = Page(page.session, page.action, page.number, page.total, digest, at, len(page.members))
        known = page.session in self.sessions
        if begins(self.machine, self.trust, came, known):
            yield_halves(self.machine, self.trust, at)
            self._run_tasks()
        seen = {key: self.seen[key] for key in twins(self.machine, came) if key in self.seen}
        attempt = admit(self.machine, self.trust, came, seen, known)
        self.sessions.add(page.session)
        if attempt is None:
            return
        may_name = (attempt, *self.machine.open_attempts())
        self.named |= {epoch for each in may_name for epoch in each.epochs if epoch <= self.since}
        naming = Naming(self.machine, attempt, page.action)
        for person in page.members:
            entry = self.entries.setdefault(person, Entry())
            attempt.listed += naming.name(entry).listed
            self._note_gone(person, entry)
        self.seen[page.session, page.action, page.number] = Sighting(digest, attempt.round.epoch)
        arrived(self.machine, self.trust, attempt, came)
        self._run_tasks()

    def quiet_until(self, at: float) -> None:
        expire(self.machine, self.trust, int(at * 1000))
        self._run_tasks()

    def confirm(self) -> None:
        """Let go whom a held full list did not name."""
        self.machine.confirm()
        self._run_tasks()
        self.machine.held = None
        self.check_counts()

    def members(self) -> frozenset[str]:
        return frozenset(person for person, entry in self.entries.items() if entry.now)

    def begin_reconcile(self) -> None:
        """Let a reconcile begin to read."""
        self.since, self.named, self.gone = self.machine.epoch, set(), set()

    def end_reconcile(self, read: Iterable[str]) -> set[str]:
        """Make good what differs from what was read; return whom that concerned."""
        names = set(read)
        correcting = Correcting(self.machine, self.since, self.named)
        corrected: set[str] = set()
        for person in sorted(names | set(self.entries)):
            entry = self.entries.setdefault(person, Entry())
            present = person in names
            left_alone = correcting.is_newer(entry) or person in (self.gone or ())
            if entry.now is not present and not left_alone:
                if not corrected:
                    self.machine.begin_correcting()
                correcting.correct(entry, present=present)
                corrected.add(person)
            if entry.gone:
                del self.entries[person]
        self.since, self.gone = 0, None
        self.machine.partial = ""
        self.check_counts()
        return corrected

    def check_counts(self) -> None:
        """Hold what the rounds count against a look at all entries."""
        for attempt in self.machine.attempts:
            for each in attempt.rounds:
                mine = [entry for entry in self.entries.values() if entry.epoch == each.epoch]
                assert each.present == sum(entry.now for entry in mine)
                assert each.left == sum(entry.changed for entry in mine)

    def _note_gone(self, person: str, entry: Entry) -> None:
        if self.gone is not None and not entry.now:
            self.gone.add(person)

    def _run_tasks(self) -> None:
        while self.machine.tasks:
            task = self.machine.tasks.pop(0)
            settling = Settling(self.machine, task)
            for person, entry in list(self.entries.items()):
                if task.kind == "revert":
                    if settling.revert(entry):
                        self._note_gone(person, entry)
                elif task.kind == "sweep":
                    self._sweep(settling, task, entry)
                    self._note_gone(person, entry)
                elif task.kind == "hold":
                    settling.hold(entry)
                elif task.kind == "dismiss" and settling.dismiss(entry):
                    self._note_gone(person, entry)
                if entry.gone or (task.kind == "forget" and settling.forgotten(entry)):
                    del self.entries[person]
            if task.kind == "complete":
                self.machine.settle()
        assert self.machine.count == len(self.members())

    def _sweep(self, settling: Settling, task: Task, entry: Entry) -> None:
        epoch = entry.epoch
        settling.sweep(entry)
        attempt = self.machine.numbered(task.attempt)
        if attempt and entry.epoch != epoch:
            attempt.listed += entry.changed
