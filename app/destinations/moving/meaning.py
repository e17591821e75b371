"""Say in sentences what skipping or repeating comes to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.destinations.moving.counting import EVENT, WAYS, Counted
from app.destinations.moving.preview import Bounds
from app.lanes.work import IDENTITY, PROFILES, LaneKind

HELD_UP: Final = 4_000
"""Entries behind which applying pages waits for a destination."""
_LOST: Final[Mapping[str, str]] = {
    "profiles": "Profiles in Mixpanel then differ from the membership: who entered lacks what the rules give,"
    " until `flask cohorts resync --mode replay`; who exited keeps it, and no resync takes it away.",
    "events": "These events are never told: no resync makes up for them.",
    "identity": "These links are not made: only when somebody enters again, or an exported property changes.",
}
_AGAIN: Final[Mapping[str, str]] = {
    "profiles": "Profiles go through these changes again and end as the last of them says; what somebody else"
    " has set there meanwhile is overwritten.",
    "events": "Each event has the $insert_id that it had before, so Mixpanel leaves the repetition out,"
    " unless the event's rule was changed in between.",
    "identity": "Links that were made are known by the relay's ledger, and are not made again.",
}


def meaning(
    lane: LaneKind, bounds: Bounds, to: int, counted: Counted, *, begun: int, waiting: int
) -> tuple[str, ...]:
    """Say what it means to put the cursor of a lane at `to`.

    Args:
        lane: whose cursor.
        bounds: where it stands.
        to: where it would be put.
        counted: what lies between.
        begun: how many entries behind `to` may have been sent in part.
        waiting: how many profiles have updates in the waiting room.
    """
    skip = to > bounds.cursor
    entries = abs(to - bounds.cursor)
    found = [*_between(lane, counted, entries, skip=skip)]
    found += _operations(counted, skip=skip)
    found += _consequences(lane, counted, skip=skip)
    found += _window(bounds, to, begun)
    if waiting:
        found.append(
            f"{_count(waiting, 'profile')} in the waiting room: what comes from a window that is done is sent"
            " in its time; what the window at hand put in is forgotten with it, unless it is being sent."
        )
    behind = bounds.latest - to
    if lane.source == "log" and behind > HELD_UP:
        found.append(
            f"The destination is {behind:,} entries behind then: no pages are applied until it is less than"
            f" {HELD_UP:,}."
        )
    return tuple(found)


def _between(lane: LaneKind, counted: Counted, entries: int, *, skip: bool) -> Iterator[str]:
    done = "skipped: never sent" if skip else "delivered again"
    if lane.outbox:
        yield (
            f"{_count(counted.records, 'record')} of {_count(entries, 'submission')}: dropped, never sent,"
            " and not to be brought back, although services were told that they are kept."
        )
        return
    changes = ", ".join(f"{counted.changes[way]:,} {way}" for way in WAYS)
    yield f"{_count(entries, 'entry', 'entries')} of the change log with {changes}: {done}."
    if counted.entries < entries:
        yield f"Only the first {counted.entries:,} of these were counted, here and below."


def _operations(counted: Counted, *, skip: bool) -> Iterator[str]:
    if not counted.operations:
        yield "They cause nothing here, by the rules that they are delivered by."
        return
    yield f"By the rules that they are delivered by, at the most: {_kinds(counted.operations)}."
    if counted.twice and not skip:
        yield f"NOT REPEATABLE: {_kinds(counted.twice)} count a second time in Mixpanel."
    if counted.operations.get("$delete") and not skip:
        yield "$delete ends profiles once more, with all that came since."


def _consequences(lane: LaneKind, counted: Counted, *, skip: bool) -> Iterator[str]:
    if lane.outbox or (not counted.operations and lane is not IDENTITY):
        return
    yield (_LOST if skip else _AGAIN)[lane.name]
    if skip and counted.walked and lane is PROFILES:
        yield (
            f"Among them are {_count(counted.walked, 'member')} of a rename or of a migration to other rules:"
            " it counts as done, and nothing takes away later what it would have taken away."
        )


def _window(bounds: Bounds, to: int, begun: int) -> Sequence[str]:
    """Say what becomes of a window that was begun."""
    if not bounds.window_end:
        return ()
    if not begun:
        return ("A window was begun: what of it was sent already stays in Mixpanel.",)
    return (
        f"A window up to sequence {bounds.window_end} was begun. What was sent of its last"
        f" {_count(begun, 'entry', 'entries')} is sent again"
        + (", and what of it counts ($add, $append) counts twice." if to != bounds.cursor else "."),
    )


def _kinds(operations: Mapping[str, int]) -> str:
    ordered = sorted(operations.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(
        _count(number, kind) if kind in (EVENT, "link") else f"{number:,} {kind}"
        for kind, number in ordered
        if number
    )


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"
