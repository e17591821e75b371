"""What of a project's cohorts a person should look at: drift, silence, lists that shrink them."""

from collections.abc import Iterator, Sequence
from typing import Final

from app.status.checks import Check
from app.status.overview import ProjectStatus

NAMED_AT_MOST: Final = 5
TOLD_FOR_MS: Final = 24 * 3_600_000
"""How long a full list that has removed many is told of."""
_MINUTE_MS: Final = 60_000


def odd_cohorts(project: ProjectStatus, now_ms: int) -> Iterator[Check]:
    """Look at what audits found, at silences, and at lists that remove many."""
    yield from _drift(project)
    yield from _silence(project, now_ms)
    yield from _held(project)
    yield from _shrunk(project, now_ms)


def _drift(project: ProjectStatus) -> Iterator[Check]:
    drifts = project.audit.drifts
    if drifts:
        told = [f"{each.cohort_id} ({each.missing:,} missing, {each.surplus:,} too many)" for each in drifts]
        advice = "`flask cohorts resync COHORT --mode reconcile` makes it good; see docs/resync.md"
        found = f"the copy differs from Mixpanel's: cohort {_some(told)}"
        yield Check("drift", "warn", found, advice, project.id)
    if project.audit.reason:
        found = f"the counts of cohorts could not be compared: {project.audit.reason}"
        advice = "the audit tries again by itself; a refused service account has to be corrected"
        yield Check("audit", "warn", found, advice, project.id)


def _silence(project: ProjectStatus, now_ms: int) -> Iterator[Check]:
    silent = [each for each in project.silences if each.alarming]
    if not silent or project.held.closed:  # Mixpanel does call then, and is refused
        return
    minutes = (now_ms - silent[-1].heard_ms) // _MINUTE_MS
    named = _some([each.cohort_id for each in silent])
    found = f"Mixpanel calls every 30 minutes, and has not for {minutes:,} minutes or more: cohort {named}"
    advice = "look whether its sync is paused in Mixpanel and resume it there"
    if len(silent) == len(project.cohorts):
        advice = "all are silent: is the webhook's address reachable from outside? else " + advice
    yield Check("silence", "warn", found, f"{advice}; if it is meant: flask cohorts mute COHORT", project.id)


def _held(project: ProjectStatus) -> Iterator[Check]:
    told = [
        f"{each.id} ({each.held.goes:,} of {each.held.of:,})"
        for each in project.cohorts
        if each.held and not each.held.refused
    ]
    if told:
        found = f"a full list would remove many members, and is held: cohort {_some(told)}"
        yield Check("shrinking", "warn", found, "flask holds list, then confirm or refuse", project.id)


def _shrunk(project: ProjectStatus, now_ms: int) -> Iterator[Check]:
    told = [
        f"{each.id} ({each.shrunk.goes:,} of {each.shrunk.of:,})"
        for each in project.cohorts
        if each.shrunk and not each.held and now_ms - each.shrunk.at_ms < TOLD_FOR_MS
    ]
    if told:
        found = f"a full list removed many members within the last day: cohort {_some(told)}"
        advice = "if it is not meant, correct the cohort in Mixpanel; HOLD_SHRINKING=true asks beforehand"
        yield Check("shrinking", "warn", found, advice, project.id)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    return f"{', '.join(names[:NAMED_AT_MOST])}{more}"
