"""What of a project's state a person should know, or must act upon."""

from collections.abc import Iterator
from typing import Final

from app.cohorts.registry import Cohort
from app.destinations.status import DestinationStatus
from app.lanes.work import QUEUES
from app.status.checks import Check
from app.status.overview import InboxStatus, Overview, ProjectStatus
from app.status.processes import all_living

LAGGING_S: Final = 300.0
NEARLY_FULL: Final = 0.9
NAMED_AT_MOST: Final = 5


def needs_attention(overview: Overview) -> list[Check]:
    """Return everything that is not as it should be, what is worst first."""
    found = [*all_living(overview.processes), *_queues(overview)]
    for project in overview.projects:
        found += project_checks(project)
    return sorted((check for check in found if check.verdict != "ok"), key=lambda check: check.ok)


def project_checks(project: ProjectStatus) -> Iterator[Check]:
    """Look at a project's inbox, destinations, dead letters and cohorts."""
    yield _inbox(project.id, project.inbox)
    for name, destination in project.destinations.items():
        yield _destination(project.id, name, destination)
    yield _set_aside(project)
    yield _dead_letters(project)
    yield _cohorts(project)


def _queues(overview: Overview) -> Iterator[Check]:
    if any(queue.jobs is None for queue in overview.queues):
        advice = "start it, or correct RQ_REDIS_URL; pages are kept meanwhile"
        yield Check(
            "queues", "fail", f"the Redis of the queues ({', '.join(QUEUES)}) does not answer", advice
        )


def _inbox(project_id: str, inbox: InboxStatus) -> Check:
    found = f"{inbox.pages:,} page{'' if inbox.pages == 1 else 's'} waiting"
    if inbox.bytes >= NEARLY_FULL * inbox.hard_cap_bytes:
        found += ", at the hard cap: Mixpanel is answered 429"
        return Check("inbox", "fail", found, "see why its lanes do not get on", project_id)
    if inbox.bytes > inbox.soft_cap_bytes:
        found += ", above the soft cap: answers to Mixpanel are delayed"
        return Check("inbox", "warn", found, "see why its lanes do not get on", project_id)
    return Check("inbox", "ok", found, project_id=project_id)


def _destination(project_id: str, name: str, status: DestinationStatus) -> Check:
    if status.state == "stopped":
        advice = "correct the token or the address and restart the workers; all is kept, and then delivered"
        return Check(name, "fail", f"stopped: {status.reason}", advice, project_id)
    unit = "log entries" if status.unit == "entries" else status.unit
    behind = f"{status.behind:,} {unit} behind, the oldest {status.lag_s:,.0f} s old"
    if status.state == "retrying":
        found = f"failed {status.tries} times so far: {status.reason}; {behind}"
        return Check(name, "warn", found, "nothing, if it passes: it is tried again by itself", project_id)
    if status.lag_s > LAGGING_S:
        return Check(name, "warn", behind, "see its lane, its workers and their log", project_id)
    return Check(name, "ok", behind if status.behind else "up to date", project_id=project_id)


def _set_aside(project: ProjectStatus) -> Check:
    if not project.set_aside:
        return Check("set aside", "ok", "no page", project_id=project.id)
    found = f"{project.set_aside:,} page(s) could not be applied and were set aside"
    advice = "look for page_not_applied in the apply worker's log, and report it"
    return Check("set aside", "fail", found, advice, project.id)


def _dead_letters(project: ProjectStatus) -> Check:
    if not project.dead_letters:
        return Check("dead letters", "ok", "none", project_id=project.id)
    found = f"{project.dead_letters:,} record(s) that Mixpanel did not take"
    if project.dead_letters_dropped:
        found += f"; {project.dead_letters_dropped:,} older ones were dropped"
    return Check("dead letters", "warn", found, "see docs/troubleshooting.md, dead letters", project.id)


def _cohorts(project: ProjectStatus) -> Check:
    doubtful = [cohort for cohort in project.cohorts if is_doubtful(cohort)]
    if not doubtful:
        return Check("cohorts", "ok", f"{len(project.cohorts):,} known", project_id=project.id)
    named = ", ".join(cohort.id for cohort in doubtful[:NAMED_AT_MOST])
    more = f" and {len(doubtful) - NAMED_AT_MOST} more" if len(doubtful) > NAMED_AT_MOST else ""
    found = f"the copy may differ from Mixpanel's: cohort {named}{more}"
    advice = "see `flask cohorts show`; a full sync heals it: disconnect and connect it again in Mixpanel"
    return Check("cohorts", "warn", found, advice, project.id)


def is_doubtful(cohort: Cohort) -> bool:
    """Say whether the copy is known to be able to differ from Mixpanel's cohort."""
    return bool(cohort.suspect) or cohort.partial == "proven"
