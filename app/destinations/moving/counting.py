"""Count what entries of the log, or records of an outbox, come to in Mixpanel: lost, or done again."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from app.cohorts.changelog import Entry
from app.destinations.events.causes import tellings
from app.destinations.identity.caused import caused
from app.destinations.outbox import Submission
from app.destinations.profiles.causes import acts
from app.destinations.profiles.operations import COUNTS
from app.lanes.work import EVENTS, IDENTITY, OUTBOX_LANES, PROFILES
from config.rules import RuleSet

EVENT: Final = "event"
LINK: Final = "link"
WAYS: Final = ("entered", "exited", "updated")
_WALKS: Final = frozenset({"rename", "rules"})


@dataclass
class Counted:
    """What was looked at.

    Attributes:
        entries: of the log, or submissions.
        records: of an outbox.
        changes: `entered`, `exited`, `updated`: members that entries of the log name so.
        operations: what is sent for them at the most, by kind: `$union`, `event`, `link`.
        walked: members whom entries of a rename or of a migration to other rules name.
    """

    entries: int = 0
    records: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    walked: int = 0

    @property
    def twice(self) -> Mapping[str, int]:
        """Operations that count once more where they are repeated."""
        return {kind: number for kind, number in self.operations.items() if kind in COUNTS}

    def entry(
        self, project_id: str, lane: str, entry: Entry, rules: RuleSet, others: Mapping[str, RuleSet]
    ) -> None:
        """Add an entry of the log, which is delivered by `rules`; `others` are those that it names as old."""
        self.entries += 1
        for way in WAYS:
            self.changes[way] += len(getattr(entry, way))
        self.walked += len(entry.entered) if entry.cause in _WALKS else 0
        self.operations.update(_OF_ENTRY[lane](project_id, entry, rules, others))

    def submission(self, lane: str, submission: Submission) -> None:
        """Add an entry of an outbox."""
        self.entries += 1
        self.records += len(submission.records)
        if lane == OUTBOX_LANES["events"].name:
            self.operations[EVENT] += len(submission.records)
            return
        for record in submission.records:
            self.operations.update(_kinds(orjson.loads(record)))


def _profiles(
    _project_id: str, entry: Entry, rules: RuleSet, others: Mapping[str, RuleSet]
) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for way, some in zip(WAYS, acts(entry, rules, others), strict=True):
        members = len(getattr(entry, way))
        for act in some if members else ():
            found[act.operation.kind] += members
    return found


def _events(
    _project_id: str, entry: Entry, rules: RuleSet, _others: Mapping[str, RuleSet]
) -> Mapping[str, int]:
    members = {"enter": entry.entered, "exit": entry.exited, "update": entry.updated}
    return {EVENT: sum(len(members[telling.way]) for telling in tellings(entry, rules))}


def _links(
    project_id: str, entry: Entry, rules: RuleSet, _others: Mapping[str, RuleSet]
) -> Mapping[str, int]:
    return {LINK: sum(1 for _ in caused(project_id, entry, rules))} if rules.has_links else {}


def _kinds(record: Mapping[str, object]) -> list[str]:
    """Name the operations of a profile's or a group's update; what has none is a link."""
    return [name for name in record if name in _OPERATIONS] or [LINK]


_OPERATIONS: Final = frozenset({"$set", "$set_once", "$union", "$remove", "$unset", "$delete", *COUNTS})
_Counting = Callable[[str, Entry, RuleSet, Mapping[str, RuleSet]], Mapping[str, int]]
_OF_ENTRY: Final[Mapping[str, _Counting]] = {
    PROFILES.name: _profiles,
    EVENTS.name: _events,
    IDENTITY.name: _links,
}
