"""What of a project's state a person should know, or must act upon."""

from collections.abc import Iterator
from typing import Final

from app.cohorts.registry import Cohort
from app.lanes.work import APPLY, QUEUES
from app.status.checks import Check
from app.status.cohort_checks import odd_cohorts
from app.status.consumers import consumer_checks
from app.status.destinations import LAGGING_S, destination_checks
from app.status.held import held_checks
from app.status.overview import InboxStatus, Overview, ProjectStatus
from app.status.processes import all_living
from app.status.redis_checks import memory
from app.status.refusals import refusal_checks
from app.status.rules import rule_checks
from app.status.subscribed import subscriber_checks

NEARLY_FULL: Final = 0.9
NAMED_AT_MOST: Final = 5


def needs_attention(overview: Overview) -> list[Check]:
    """Return everything that is not as it should be, what is worst first."""
    found = [*all_living(overview.processes), *_queues(overview)]
    found += [memory(overview.memory)] if overview.memory else []
    found += refusal_checks(overview.refused, overview.at_ms)
    for project in overview.projects:
        found += project_checks(project, overview.at_ms)
    return sorted((check for check in found if check.verdict != "ok"), key=lambda check: check.ok)


def project_checks(project: ProjectStatus, now_ms: int) -> Iterator[Check]:
    """Look at a project's inbox, destinations, dead letters and cohorts, as they are at `now_ms`."""
    yield from held_checks(project.id, project.held, now_ms)
    yield _inbox(project.id, project.inbox)
    yield from _apply(project, now_ms)
    yield from destination_checks(project, now_ms)
    yield from consumer_checks(project.id, project.consumers)
    yield from subscriber_checks(project.id, project.subscribers, now_ms)
    yield _set_aside(project)
    yield _dead_letters(project)
    yield _cohorts(project)
    yield from odd_cohorts(project, now_ms)
    yield from rule_checks(project)


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


def _apply(project: ProjectStatus, now_ms: int) -> Iterator[Check]:
    """Tell that pages are held up; with what a destination is held up, it says itself."""
    for lane in project.lanes:
        if lane.name != APPLY.name or lane.state != "waiting" or not lane.since_ms:
            continue
        if now_ms - lane.since_ms > LAGGING_S * 1000:
            found = f"has not got on for {(now_ms - lane.since_ms) / 1000:,.0f} s: {lane.reason}"
            yield Check("apply", "warn", found, "see docs/troubleshooting.md, the inbox grows", project.id)


def _set_aside(project: ProjectStatus) -> Check:
    if not project.set_aside:
        return Check("set aside", "ok", "no page", project_id=project.id)
    found = f"{project.set_aside:,} page(s) could not be applied and were set aside"
    advice = "look at them with `flask quarantine list --kind pages`, and report it"
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
    advice = "`flask cohorts resync COHORT --mode reconcile`, or a full sync: connect it again in Mixpanel"
    return Check("cohorts", "warn", found, advice, project.id)


def cohort_doubts(cohort: Cohort) -> Iterator[str]:
    """Say in words why the copy may differ from Mixpanel's cohort."""
    if cohort.suspect:
        yield cohort.suspect
    if cohort.partial == "proven":
        yield "people left it whom the relay did not know, so the list that it began with was not whole"


def is_doubtful(cohort: Cohort) -> bool:
    """Say whether the copy is known to be able to differ from Mixpanel's cohort."""
    return any(cohort_doubts(cohort))
