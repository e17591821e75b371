"""Plan a window of the change log, purely: entries in, encoded events out.

An event that says nothing of the member is rendered and checked once for all the members of an entry; only
who it is about differs between their records then.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from app.cohorts.changelog import Entry
from app.destinations.dead_letters import DeadLetter
from app.destinations.events.causes import Telling, tellings
from app.destinations.events.encoding import Encode, encoder
from app.destinations.events.limits import TOO_LARGE, invalid, rendered_violations, unusable
from app.destinations.plan import Plan, Round
from app.mixpanel.event_limits import distinct_id_violations, time_violations
from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.violations import MAX_RECORD_BYTES, Violation
from config.ids import is_too_long
from config.projects import Project
from config.rules import RuleSet
from config.templates import Context


def plan(project: Project, entries: Iterable[Entry], rules: RuleSet, now_ms: int) -> Plan:
    """Turn changes into events: one round, in the log's order.

    Args:
        project: whose log it is.
        entries: the window.
        rules: the rules it was begun with.
        now_ms: when it was begun, which an event's time cannot be far ahead of.
    """
    records: list[bytes] = []
    given_up: list[DeadLetter] = []
    for entry in entries:
        for telling in tellings(entry, rules):
            found = _Told(project, telling, time_violations(entry.time_ms, now_ms))
            found.tell()
            records += found.records
            given_up += found.given_up
    return Plan((Round(records),) if records else (), tuple(given_up))


class _Told:
    """The records of one telling."""

    def __init__(self, project: Project, telling: Telling, of_time: list[Violation]) -> None:
        self._project_id = project.id
        self._telling = telling
        self._of_time = of_time
        self._encoder = encoder(project, telling)
        self.records: list[bytes] = []
        self.given_up: list[DeadLetter] = []

    def tell(self) -> None:
        if self._telling.event.personal:
            self._tell_each()
        else:
            self._tell_alike()

    def _tell_each(self) -> None:
        for distinct_id, member in self._telling.members:
            prepared = self._prepared(distinct_id, member)
            if prepared is not None:
                self._tell_one(distinct_id, *prepared)

    def _tell_alike(self) -> None:
        prepared = self._prepared("", {})
        if prepared is None:  # only a name that needs a member could be missing
            return
        encode, broken = prepared
        for distinct_id, _ in self._telling.members:
            self._tell_one(distinct_id, encode, broken)

    def _prepared(self, distinct_id: str, member: Mapping[str, Any]) -> tuple[Encode, list[Violation]] | None:
        """Render and check the event; None where there is none for lack of a member property."""
        rendered = self._telling.event.rendered(self._context(distinct_id, member))
        if rendered is None:
            return None
        broken = self._of_time + rendered_violations(*rendered)
        return self._encoder(*rendered), broken

    def _tell_one(self, distinct_id: str, encode: Encode, broken: list[Violation]) -> None:
        record = encode(distinct_id)
        if distinct_id in REFUSED_IDS:
            self.given_up.append(unusable(self._telling.place, record))
        elif broken or len(record) > MAX_RECORD_BYTES or is_too_long(distinct_id):
            broken = broken or distinct_id_violations(distinct_id) or [TOO_LARGE]
            self.given_up.append(invalid(self._telling.place, broken, record))
        else:
            self.records.append(record)

    def _context(self, distinct_id: str, member: Mapping[str, Any]) -> Context:
        entry = self._telling.entry
        return Context(
            self._project_id,
            entry.cohort_id,
            entry.cohort_name,
            entry.session_id,
            entry.time_ms,
            distinct_id,
            member,
        )
