"""Make up logs, and say what they imply."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from app.cohorts.changelog import Entry
from app.feed.event import Event
from app.feed.types import CHANGES, ENTERED, EXITED, TOLD, UNTOLD, UPDATED

GENERATION = "g1"
PEOPLE = tuple("abcdefgh")
COHORTS = {"1": "VIP", "2": "Trial users"}

Membership = dict[str, frozenset[str]]
Story = dict[tuple[str, str], list[str]]
"""(cohort, person) -> what happened, in order."""


@st.composite
def entries(draw: st.DrawFn, most: int = 16) -> list[Entry]:
    """A log as the relay writes it: in an entry, nobody stands twice; who enters, was not there before."""
    told = sorted(TOLD)
    present: dict[str, set[str]] = {cohort_id: set() for cohort_id in COHORTS}
    made: list[Entry] = []
    for sequence in range(1, draw(st.integers(0, most)) + 1):
        cohort_id = draw(st.sampled_from([*COHORTS, ""]))
        session = draw(st.sampled_from(["s1", "s2"]))
        if not cohort_id or draw(st.integers(0, 5)) == 0:
            kind = "sync.completed" if cohort_id else "batch.dead_lettered"
            made.append(_entry(sequence, kind, "sync", cohort_id, session))
            continue
        people = draw(st.lists(st.sampled_from(PEOPLE), unique=True, min_size=1))
        here = present[cohort_id]
        if draw(st.integers(0, 4)) == 0:  # told to Mixpanel again; nothing happened
            again = [each for each in people if each in here] or people[:1]
            cause = draw(st.sampled_from(sorted(UNTOLD)))
            made.append(_entry(sequence, CHANGES, cause, cohort_id, session, entered=again))
            continue
        entered = [each for each in people if each not in here]
        staying = [each for each in people if each in here]
        cut = draw(st.integers(0, len(staying)))
        exited, updated = staying[:cut], staying[cut:]
        if draw(st.booleans()) and entered:
            exited, updated = [], []
        here |= set(entered)
        here -= set(exited)
        cause = draw(st.sampled_from(told))
        entry = _entry(
            sequence, CHANGES, cause, cohort_id, session, entered=entered, exited=exited, updated=updated
        )
        made.append(entry)
    return made


def implied(log: Iterable[Entry]) -> Membership:
    """Say who is in which cohort."""
    present: dict[str, set[str]] = defaultdict(set)
    for entry in log:
        if entry.kind == CHANGES and entry.cause in TOLD:
            present[entry.cohort_id] |= {distinct_id for distinct_id, _ in entry.entered}
            present[entry.cohort_id] -= set(entry.exited)
    return {cohort_id: frozenset(found) for cohort_id, found in present.items() if found}


def story(log: Iterable[Entry]) -> Story:
    """Say what happened to each, by the log."""
    found: Story = defaultdict(list)
    for entry in log:
        if entry.kind == CHANGES and entry.cause in TOLD:
            for distinct_id, _ in entry.entered:
                found[entry.cohort_id, distinct_id].append(ENTERED)
            for distinct_id in entry.exited:
                found[entry.cohort_id, distinct_id].append(EXITED)
            for distinct_id, _ in entry.updated:
                found[entry.cohort_id, distinct_id].append(UPDATED)
    return found


def told_story(events: Iterable[Event]) -> Story:
    """Say what happened to each, by what a subscriber was told."""
    found: Story = defaultdict(list)
    for event in events:
        for member in event.data.get("members", ()):
            found[event.cohort_id, member["distinct_id"]].append(event.type)
    return found


class Subscriber:
    """Applies what it is told to sets; told again, it does the same again."""

    def __init__(self) -> None:
        self.present: dict[str, set[str]] = defaultdict(set)

    def take(self, event: Event) -> None:
        ids = {member["distinct_id"] for member in event.data.get("members", ())}
        if event.type == ENTERED:
            self.present[event.cohort_id] |= ids
        elif event.type == EXITED:
            self.present[event.cohort_id] -= ids

    @property
    def membership(self) -> Membership:
        return {cohort_id: frozenset(found) for cohort_id, found in self.present.items() if found}


def _entry(
    sequence: int,
    kind: str,
    cause: str,
    cohort_id: str,
    session: str,
    *,
    entered: Sequence[str] = (),
    exited: Sequence[str] = (),
    updated: Sequence[str] = (),
) -> Entry:
    return Entry(
        sequence=sequence,
        generation=GENERATION,
        kind=kind,
        cause=cause,
        cohort_id=cohort_id,
        cohort_name=COHORTS.get(cohort_id, ""),
        session_id=session,
        time_ms=1_767_225_600_000 + sequence,
        entered=tuple((each, {}) for each in entered),
        exited=tuple(exited),
        updated=tuple((each, {"plan": str(sequence)}) for each in updated),
        detail={"members": 7} if kind == "sync.completed" else {},
    )
