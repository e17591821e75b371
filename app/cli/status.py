"""`flask status`: how everything stands, at a glance."""

from collections.abc import Iterator, Sequence

import click

from app.cli.cohorts import notes
from app.cli.formatting import ago, clean, duration, moment, number, plural, section, size, table
from app.cli.opening import json_option, opened, print_json
from app.lanes.state import LaneState
from app.status.attention import needs_attention
from app.status.checks import Check
from app.status.overview import Overview, ProjectStatus, read_overview


# Without an application: wrong settings are to be listed, not to be stumbled over.
@click.command("status")
@json_option
def status(as_json: bool) -> None:
    """Show projects, cohorts, inbox, lanes, destinations, processes and queues."""
    with opened(as_json=as_json) as services:
        overview = read_overview(services)
    attention = needs_attention(overview)
    if as_json:
        print_json({"ok": all(check.ok for check in attention), "attention": attention, "status": overview})
    else:
        click.echo("\n".join(_parts(overview, attention)))


def _parts(overview: Overview, attention: Sequence[Check]) -> Iterator[str]:
    yield f"cohort-relay at {moment(overview.at_ms)}\n"
    yield section("PROJECTS", projects_table(overview))
    yield section("DESTINATIONS", destinations_table(overview))
    yield section("LANES", lanes_table(overview))
    yield section("COHORTS", cohorts_table(overview))
    yield section("PROCESSES", processes_table(overview))
    yield section("QUEUES", queues_table(overview))
    yield attention_text(attention)


def projects_table(overview: Overview) -> str:
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
    return table(headers, rows, numbers=counts)


def destinations_table(overview: Overview) -> str:
    """Return a line a destination: how it is, and how far behind."""
    rows = (
        (
            project.id,
            name,
            each.state,
            ago(each.since_ms, overview.at_ms) if each.state != "ok" else "",
            number(each.behind),
            duration(each.lag_s),
            number(each.tries),
            number(each.delivered),
            number(each.dead_lettered),
            ago(each.advanced_ms, overview.at_ms),
        )
        for project in overview.projects
        for name, each in project.destinations.items()
    )
    counts = ("behind", "seconds", "tries", "delivered", "given up")
    headers = ("project", "destination", "state", "since", "behind", "oldest", "tries", *counts[3:], "moved")
    return table(headers, rows, numbers=(*counts, "oldest"))


def lanes_table(overview: Overview) -> str:
    """Return a line a lane."""
    rows = (
        (project.id, lane.name, lane.state, _when(lane, overview.at_ms), clean(lane.reason, 80))
        for project in overview.projects
        for lane in project.lanes
    )
    return table(("project", "lane", "state", "time", "reason"), rows)


def _when(lane: LaneState, now_ms: int) -> str:
    if lane.queued_ms:
        return f"for {duration((now_ms - lane.queued_ms) / 1000)}"
    if not lane.until_ms:
        return ""
    left = duration((lane.until_ms - now_ms) / 1000)
    return f"again in {left}" if lane.state == "waiting" else f"leased for {left}"


def cohorts_table(overview: Overview) -> str:
    """Return a line a cohort."""
    rows = [row for project in overview.projects for row in _cohort_rows(project, overview.at_ms)]
    if not rows:
        return "none yet; they appear with their first page"
    return table(("project", "cohort", "name", "members", "synced", "notes"), rows, numbers=("members",))


def _cohort_rows(project: ProjectStatus, now_ms: int) -> Iterator[Sequence[str]]:
    for each in project.cohorts:
        synced = ago(each.synced_ms, now_ms)
        yield project.id, each.id, clean(each.name), number(each.members), synced, "; ".join(notes(each))


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


def attention_text(attention: Sequence[Check]) -> str:
    """Return what a person should know or do, or that there is nothing."""
    if not attention:
        return "All is well."
    lines = []
    for check in attention:
        whose = f"project {check.project_id}, {check.name}" if check.project_id else check.name
        lines.append(f"{check.verdict.upper():<4}  {whose}: {clean(check.found, 300)}")
        lines += [f"      -> {check.advice}"] if check.advice else []
    return section("NEEDS ATTENTION", "\n".join(lines)).rstrip()
