"""Types of events, and which kind of log entry becomes which."""

from collections.abc import Mapping
from typing import Final

PREFIX: Final = "cohort-relay."
VERSION: Final = 1
"""Of the data of all types; another one stands in `dataschema` once a field changes its meaning or goes."""

ENTERED: Final = f"{PREFIX}members.entered"
EXITED: Final = f"{PREFIX}members.exited"
UPDATED: Final = f"{PREFIX}members.updated"
GAP: Final = f"{PREFIX}gap"
ERASED: Final = f"{PREFIX}person.erased"
TEST: Final = f"{PREFIX}test"
"""Sent to a webhook subscription's receiver when a person asks for it; in no log, so no filter names it."""
ALWAYS: Final = frozenset({GAP, ERASED})
"""Told whatever the filter: what was lost may have been something that it lets through, and a person who was
erased may stand in any subscriber's copy."""

CHANGES: Final = "changes"
"""The kind of entry that holds members."""
_KINDS: Final = (
    "sync.started",
    "sync.completed",
    "sync.superseded",
    "sync.shrinking",
    "hold.ended",
    "cohort.renamed",
    "cohort.rename_completed",
    "cohort.rules_applied",
    "delivery.completed",
    "delivery.failed",
    "resync.started",
    "resync.completed",
    "resync.cancelled",
    "resync.failed",
    "drift.detected",
    "drift.cleared",
    "identity.linked",
    "person.erased",
    "subscription.paused",
    "subscription.ended",
)
OF_KIND: Final[Mapping[str, str]] = {
    **{kind: PREFIX + kind for kind in _KINDS},
    "batch.dead_lettered": f"{PREFIX}dead_letter.created",
}
"""Kind of a log entry -> type of its event."""
UNTOLD_KINDS: Final = frozenset({"gap"})
"""What another consumer of the log is missing; what a subscriber itself is missing shows when it is read."""
TYPES: Final = frozenset({ENTERED, EXITED, UPDATED, GAP, *OF_KIND.values()})
"""All of them, as documented."""

TOLD: Final = frozenset({"sync", "taken_back", "reconcile", "erased"})
"""Causes of changes that say who came, went or changed."""
UNTOLD: Final = frozenset({"reasserted", "replay", "rename", "rules"})
"""Causes of changes that only let Mixpanel be told again: nobody came, went or changed."""


def type_of(kind: str) -> str:
    """Return the type of a lifecycle entry's event; a newer relay's kinds, not known here, have one, too."""
    return OF_KIND.get(kind, PREFIX + kind)
