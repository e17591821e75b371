"""Decide who is in a cohort from what an unreliable sender says. Pure: no Redis, no clock of its own.

A diff is relative to Mixpanel's last successful snapshot, and whether a sync succeeded is only known to
Mixpanel. So every export is an *attempt*: its changes are applied at once, but each entry remembers what the
sender's snapshot held before. Later attempts are the evidence: an attempt that failed has its changes named
again, one that succeeded is built upon. Only what evidence (or a kind of failure that this project has
proven) shows as failed is taken back.

`words` holds the words (Entry, Page, Change); `trust` what a project has proven; `attempt` one export;
`routing` which attempt a page belongs to; `naming` what a page does to one member; `completion` what follows
when an attempt is complete; `settling` what that does to one member; `correcting` what a reconcile does to
one; `machine` the state of one cohort between pages that ties them together.
"""

from app.cohorts.epochs.attempt import Attempt, Call, Round
from app.cohorts.epochs.machine import Machine
from app.cohorts.epochs.trust import Trust
from app.cohorts.epochs.words import (
    ABSENT,
    ADD,
    ENTERED,
    EXITED,
    MEMBERS,
    REMOVE,
    Entry,
    Page,
    Sighting,
    Task,
)

__all__ = [
    "ABSENT",
    "ADD",
    "ENTERED",
    "EXITED",
    "MEMBERS",
    "REMOVE",
    "Attempt",
    "Call",
    "Entry",
    "Machine",
    "Page",
    "Round",
    "Sighting",
    "Task",
    "Trust",
]
