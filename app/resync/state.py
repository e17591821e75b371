"""A resync as it is asked for, and as it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from app.cohorts.resync import ENDED, Mode

AUDITOR: Final = "audit"
"""Asks for reconciles that only look, behind everybody else."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        mode: `replay` or `reconcile`.
        dry_run: only count.
        output_properties: to read with each member; only for `reconcile`.
        asked_by: who asks: a token's id, the command line, or `audit`.
        expected: people in the cohort by Mixpanel's count, where that was asked just now.
        members: how many it has by the copy's, then.
    """

    mode: Mode
    dry_run: bool = False
    output_properties: tuple[str, ...] = ()
    asked_by: str = ""
    expected: int = 0
    members: int = 0

    @property
    def background(self) -> bool:
        """Whether it comes behind all others, and leaves queries to them."""
        return self.asked_by == AUDITOR


@dataclass(frozen=True, slots=True)
class ResyncState:
    """A resync as it stands; times in ms since 1970, 0 for not yet.

    Attributes:
        id: names it among all projects'.
        project_id, cohort_id: what it is about.
        mode, dry_run, output_properties: as asked for.
        state: `asked`, `reading`, `applying`, `completed`, `cancelled` or `failed`.
        reason: why it failed or waits, else nothing.
        cancelling: it is asked to stop, and has not yet.
        asked_by: who asked.
        asked_ms, began_ms, ended_ms: when.
        members: how many the cohort had as it began.
        expected: how many Mixpanel says that there are; 0 where it has not been asked.
        pages: read so far.
        read: members read so far.
        counts: what it has come to so far, by name.
        sample: ids by kind of difference; for a dry run.
    """

    id: str
    project_id: str
    cohort_id: str
    mode: str
    dry_run: bool
    output_properties: tuple[str, ...]
    state: str
    reason: str
    cancelling: bool
    asked_by: str
    asked_ms: int
    began_ms: int
    ended_ms: int
    members: int
    expected: int
    pages: int
    read: int
    counts: Mapping[str, int] = field(default_factory=dict)
    sample: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ENDED


def parse_id(resync_id: str) -> tuple[str, int] | None:
    """Return the project's id and the resync's number that an id names, None for no id."""
    project_id, _, number = resync_id.rpartition("-")
    most = 15  # digits of what Redis and JSON count exactly
    return (project_id, int(number)) if _is_number(number) and len(number) <= most else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def id_of(project_id: str, number: int) -> str:
    """Return the id that names a resync among all projects'."""
    return f"{project_id}-{number}"


def state_of(project_id: str, number: int, text: Mapping[str, str]) -> ResyncState:
    """Read a resync's hash."""

    def whole(name: str) -> int:
        return int(text.get(name) or 0)

    return ResyncState(
        id=id_of(project_id, number),
        project_id=project_id,
        cohort_id=text["cohort_id"],
        mode=text["mode"],
        dry_run=text["dry_run"] == "1",
        output_properties=tuple(orjson.loads(text["output_properties"])),
        state=text["state"],
        reason=text.get("reason", ""),
        cancelling="cancel" in text and text["state"] not in ENDED,
        asked_by=text.get("asked_by", ""),
        asked_ms=whole("asked_ms"),
        began_ms=whole("began_ms"),
        ended_ms=whole("ended_ms"),
        members=whole("members"),
        expected=whole("expected"),
        pages=whole("pages"),
        read=whole("read"),
        counts=orjson.loads(text.get("counts", "{}")),
        sample=orjson.loads(text.get("sample", "{}")),
    )
