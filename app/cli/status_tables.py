"""The tables of `flask status`, each as wide as it comes, or as the terminal where that is narrower."""

from collections.abc import Iterator, Sequence
from typing import Final

from app.cli.cohorts import notes
from app.cli.formatting import LONGEST_NAME, ago, clean, duration, number, plural, size, table
from app.lanes.state import LaneState
from app.status.overview import Overview, ProjectStatus
from app.status.subscribed import STATES

BROAD: Final = 100
"""Columns of a terminal that has room for long names."""


def _alone(overview: Overview) -> tuple[str, ...]:
    """Name the column that says nothing where there is one project only."""
    return ("project",) if len(overview.projects) == 1 else ()


def projects_table(overview: Overview, width: int | None = None) -> str:
    """Return a line a project: what came in, and what of it could not be used."""
    rows = (
        (
            project.id,
            clean(project.name),
            project.region,
            number(len(project.cohorts)),
            number(sum(cohort.members for cohort in project.cohorts)),
            f"{plural(project.inbox.pages, 'page')}, {size(project.inbox.bytes)}",
            number(project.set_aside),
            number(project.quarantined),
            number(project.dead_letters),
        )
        for project in overview.projects
    )
    counts = ("cohorts", "members", "set aside", "quarantined", "dead letters")
    headers = ("project", "name", "region", *counts[:2], "inbox", *counts[2:])
    spare = ("region", "cohorts", "name", "quarantined")
    return table(headers, rows, numbers=counts, spare=spare, width=width)


def destinations_table(overview: Overview, width: int | None = None) -> str:
    """Return a line a destination: how it is, and how far behind."""
    rows = [
        (
            project.id,
            name,
            each.state,
            ago(each.since_ms, overview.at_ms) if each.state != "ok" else "",
            f"{number(each.behind)} {each.unit}" if each.behind else "0",
            duration(each.lag_s),
            number(each.waiting),
            number(each.tries),
            number(each.delivered),
            number(each.dead_lettered),
            ago(each.advanced_ms, overview.at_ms),
        )
        for project in overview.projects
        for name, each in project.destinations.items()
    ]
    counts = ("behind", "oldest", "waiting", "tries", "delivered", "given up")
    return table(
        ("project", "destination", "state", "since", *counts, "moved"),
        rows,
        numbers=counts,
        spare=(*_alone(overview), "moved", "tries", "waiting", "since", "given up"),
        width=width,
    )


def subscribers_table(overview: Overview, width: int | None = None) -> str:
    """Return a line a project: how its webhook subscriptions stand, and how far the last one is behind."""
    rows = [
        (
            project.id,
            *(number(each.states.get(state, 0)) for state in STATES),
            number(each.behind),
            duration(each.lag_s),
            number(each.waiting),
            *(number(each.counts.get(name, 0)) for name in ("taken", "failed", "gaps")),
        )
        for project in overview.projects
        if (each := project.subscribers)
    ]
    counts = (*STATES, "behind", "oldest", "waiting", "taken", "failed tries", "gaps")
    spare = (*_alone(overview), "gaps", "waiting")
    return table(("project", *counts), rows, numbers=counts, spare=spare, width=width)


def outboxes_table(overview: Overview, width: int | None = None) -> str:
    """Return a line an outbox that was used: what waits in it, and of how much room."""
    rows = (
        (
            project.id,
            name.removesuffix("-outbox"),
            number(each.records),
            size(each.bytes),
            f"{each.bytes / each.cap_bytes:.0%} of {size(each.cap_bytes)}",
        )
        for project in overview.projects
        for name, each in project.outboxes.items()
    )
    headers = ("project", "outbox", "records", "size", "room in use")
    return table(headers, rows, numbers=("records", "size"), spare=_alone(overview), width=width)


def lanes_table(overview: Overview, width: int | None = None) -> str:
    """Return a line a lane: what it does, for how long, and what comes next."""
    rows = (
        (
            project.id,
            lane.name,
            lane.state,
            duration((overview.at_ms - lane.since_ms) / 1000) if lane.since_ms else "",
            _next(lane, overview.at_ms),
            clean(lane.reason, 80),
        )
        for project in overview.projects
        for lane in project.lanes
    )
    headers = ("project", "lane", "state", "for", "next", "reason")
    return table(headers, rows, numbers=("for",), spare=_alone(overview), width=width)


def _next(lane: LaneState, now_ms: int) -> str:
    if not lane.until_ms:
        return ""
    left = duration((lane.until_ms - now_ms) / 1000)
    return f"again in {left}" if lane.state == "waiting" else f"leased for {left}"


def cohorts_table(overview: Overview, width: int | None = None) -> str:
    """Return a line a cohort."""
    longest = LONGEST_NAME if width is None or width >= BROAD else LONGEST_NAME // 2
    rows = [row for project in overview.projects for row in _cohort_rows(project, overview.at_ms, longest)]
    if not rows:
        return "none yet; they appear with their first page"
    headers = ("project", "cohort", "name", "members", "synced", "notes")
    return table(headers, rows, numbers=("members",), spare=_alone(overview), width=width)


def _cohort_rows(project: ProjectStatus, now_ms: int, longest: int) -> Iterator[Sequence[str]]:
    for each in project.cohorts:
        synced = ago(each.synced_ms, now_ms)
        name = clean(each.name, longest)
        yield project.id, each.id, name, number(each.members), synced, "; ".join(notes(each))


def processes_table(overview: Overview) -> str:
    """Return a line a process that has shown itself within the hour."""
    if not overview.processes:
        return "none: start clock and workers (Procfile)"
    rows = (
        (each.name, "alive" if each.alive else "SILENT", f"{duration(each.age_s)} ago")
        for each in overview.processes
    )
    return table(("process", "state", "last sign"), rows)


def queues_table(overview: Overview) -> str:
    """Return a line a queue."""
    rows = (
        (each.name, "unknown" if each.jobs is None else number(each.jobs), number(each.workers))
        for each in overview.queues
    )
    return table(("queue", "jobs waiting", "workers"), rows, numbers=("jobs waiting", "workers"))
