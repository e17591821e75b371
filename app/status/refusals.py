"""Pages that were refused with a status on which Mixpanel pauses a sync, of late."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.metrics.stored import StoredMetrics
from app.status.checks import Check
from config.projects import Project

PAUSING: Final[Mapping[str, str]] = {
    "invalid_payload": "Mixpanel sends what this version cannot read: report it",
    "bad_credential": "see that Mixpanel has the webhook's username and password, if it was its call",
    "foreign_project": "connect the cohort again in Mixpanel, with this project's credential",
    "unknown_project": "add the project to PROJECTS_FILE",
}
"""What to do about each cause that may pause a sync (docs/http-answers.md)."""
TOLD_FOR_MS: Final = 6 * 3_600_000
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Refused:
    """The last page that was refused for a cause.

    Attributes:
        project_id: for which project; empty where that is not known.
        cause: one of `PAUSING`.
        at_ms: when.
        kept_going: whether it was answered 503 instead, as `never_pause` wants it.
    """

    project_id: str
    cause: str
    at_ms: int
    kept_going: bool


def read_refused(stored: StoredMetrics, projects: Mapping[str, Project], now_ms: int) -> list[Refused]:
    """Return those of the last hours."""
    labels = [(project_id, cause) for project_id in ("", *projects) for cause in PAUSING]
    return [
        Refused(project_id, cause, at_ms, _kept_going(project_id, projects))
        for (project_id, cause), at_ms in zip(labels, stored.last_refused(labels), strict=True)
        if at_ms is not None and now_ms - at_ms <= TOLD_FOR_MS
    ]


def refusal_checks(refused: Iterable[Refused], now_ms: int) -> Iterator[Check]:
    """Tell of each: a sync that is paused says nothing more."""
    for each in refused:
        minutes = max(0, now_ms - each.at_ms) // _MINUTE_MS
        does = (
            "answered 503, as never_pause wants it"
            if each.kept_going
            else "which pauses its sync in Mixpanel"
        )
        found = f"a page was refused {minutes:,} min ago ({each.cause}), {does}"
        then = "" if each.kept_going else "; then resume the sync in Mixpanel"
        advice = f"{PAUSING[each.cause]}{then} (docs/runbook/sync-paused.md)"
        yield Check("refused", "warn", found, advice, each.project_id)


def _kept_going(project_id: str, projects: Mapping[str, Project]) -> bool:
    """Say whether it was answered 503; where no project is named, any with `never_pause` has it so."""
    if project_id in projects:
        return projects[project_id].never_pause
    return any(project.never_pause for project in projects.values())
