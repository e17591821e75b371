"""The real engine of `app/cohorts/epochs`, over dictionaries in place of Redis."""

from typing import Any

from app.cohorts.epochs import Entry, Machine, Page, Sighting, Task, Trust
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
        naming = Naming(self.machine, attempt, page.action)
        for person in page.members:
            attempt.listed += naming.name(self.entries.setdefault(person, Entry())).listed
        self.seen[page.session, page.action, page.number] = Sighting(digest, attempt.round.epoch)
        arrived(self.machine, self.trust, attempt, came)
        self._run_tasks()

    def quiet_until(self, at: float) -> None:
        expire(self.machine, self.trust, int(at * 1000))
        self._run_tasks()

    def members(self) -> frozenset[str]:
        return frozenset(person for person, entry in self.entries.items() if entry.now)

    def _run_tasks(self) -> None:
        while self.machine.tasks:
            task = self.machine.tasks.pop(0)
            settling = Settling(self.machine, task)
            for person, entry in list(self.entries.items()):
                if task.kind == "revert":
                    settling.revert(entry)
                elif task.kind == "sweep":
                    self._sweep(settling, task, entry)
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
