"""`flask projects pause|resume|stop-accepting|accept|drain`: hold a whole project (docs/operations.md)."""

import time
from typing import Final

import click

from app.access.operator import operator
from app.cli.auditing import audited
from app.cli.formatting import clean, duration, number, plural
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option
from app.cli.progress import progress
from app.destinations.remaining import Remaining, Standing
from app.lanes.work import lanes_of
from app.services import Services

LEFT: Final = 3
"""Exit status: something is not delivered."""
LOOK_S: Final = 1.0
_TELL_EVERY_S: Final = 10.0
_LONGEST_WORD: Final = 200

all_option = click.option("--all", "everything", is_flag=True, help="All projects that are configured.")
why_option = click.option("--why", default="", help="The reason, for other operators.")


@click.command("pause")
@project_option
@all_option
@why_option
@json_option
def pause(project_id: str | None, *, everything: bool, why: str, as_json: bool) -> None:
    """Send nothing of a project to Mixpanel, and ask nothing there, until it is resumed.

    Accepting goes on: changes wait in the log, then pages in the inbox, then Mixpanel is answered 429.
    """
    with opened(as_json=as_json) as services:
        newly = {}
        for each in _chosen(services, project_id, everything=everything):
            with audited(services, "projects pause", project_id=each):
                newly[each] = services.operating.pause_project(each, operator().id, _said(why))
    _tell(newly, "newly_paused", ("paused", "was paused already"), as_json=as_json)
    if not as_json:
        click.echo(f"To let it go on: flask projects resume {_option(newly)}")


@click.command("resume")
@project_option
@all_option
@json_option
def resume(project_id: str | None, *, everything: bool, as_json: bool) -> None:
    """Let a paused project go on at once; destinations that are paused by themselves stay so."""
    with opened(as_json=as_json) as services:
        was = {}
        for each in _chosen(services, project_id, everything=everything):
            with audited(services, "projects resume", project_id=each):
                lanes = lanes_of(services.settings.projects[each])
                was[each] = services.operating.resume_project(each, lanes)
    _tell(was, "was_paused", ("goes on now", "was not paused; nothing to do"), as_json=as_json)


@click.command("stop-accepting")
@project_option
@all_option
@why_option
@json_option
def stop_accepting(project_id: str | None, *, everything: bool, why: str, as_json: bool) -> None:
    """Answer pages and submissions 503, until `accept`; what was taken in is applied and delivered."""
    with opened(as_json=as_json) as services:
        newly = {}
        for each in _chosen(services, project_id, everything=everything):
            with audited(services, "projects stop-accepting", project_id=each):
                newly[each] = close(services, each, why)
    _tell(newly, "newly_stopped", ("takes nothing in now", "took nothing in already"), as_json=as_json)
    if not as_json:
        click.echo(f"To accept again: flask projects accept {_option(newly)}")


@click.command("accept")
@project_option
@all_option
@json_option
def accept(project_id: str | None, *, everything: bool, as_json: bool) -> None:
    """Accept pages and submissions again."""
    with opened(as_json=as_json) as services:
        was = {}
        for each in _chosen(services, project_id, everything=everything):
            with audited(services, "projects accept", project_id=each):
                was[each] = services.operating.open(each)
    _tell(was, "was_stopped", ("accepts again", "accepted already; nothing to do"), as_json=as_json)


@click.command("drain")
@project_option
@all_option
@why_option
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0), help="Seconds; without it, as long as needed."
)
@json_option
def drain(
    project_id: str | None, *, everything: bool, why: str, timeout_s: float | None, as_json: bool
) -> None:
    """Stop accepting, and wait until all that was taken in is applied and delivered.

    That is: inbox, change log, outboxes and waiting rooms are empty. Accepting stays stopped, however this
    ends, until `flask projects accept`. The status is 0 when all is delivered, 3 when the time is up, or what
    is left waits for a person: a destination is paused or stopped.
    """
    until_s = time.monotonic() + timeout_s if timeout_s is not None else float("inf")
    with opened(as_json=as_json) as services:
        chosen = _chosen(services, project_id, everything=everything)
        for each in chosen:
            with audited(services, "projects drain", project_id=each):
                close(services, each, why or "draining")
        try:
            ended = {each: _wait(services, each, until_s, hidden=as_json) for each in chosen}
        except KeyboardInterrupt:
            click.echo(_STAYS, err=True)
            raise
    drained = all(each.remaining.nothing for each in ended.values())
    if as_json:
        print_json({"ok": drained, "projects": {each: _told(ended[each]) for each in ended}})
    else:
        for each, standing in ended.items():
            click.echo(f"Project {each}: {_came_to(standing)}")
        click.echo(f"Accepting is stopped; when it may go on: flask projects accept {_option(ended)}")
    if not drained:
        raise SystemExit(LEFT)


COMMANDS: Final = (pause, resume, stop_accepting, accept, drain)
_STAYS: Final = "It goes on, and nothing is taken in: see flask status, or flask projects accept."


def close(services: Services, project_id: str, why: str) -> bool:
    """Stop accepting, and note how much is to be done."""
    left = services.standings.read(services.settings.projects[project_id]).remaining.changes
    return services.operating.close(project_id, operator().id, _said(why), left)


def remaining_text(left: Remaining) -> str:
    """Say in words what is to be done."""
    parts = (
        (left.pages, "page", "pages"),
        (left.entries, "log entry", "log entries"),
        (left.records, "record", "records"),
        (left.waiting, "profile that waits for a link", "profiles that wait for links"),
        (left.cohorts, "cohort at work", "cohorts at work"),
    )
    found = [f"{number(value)} {one if value == 1 else several}" for value, one, several in parts if value]
    return ", ".join(found) or "nothing"


def _wait(services: Services, project_id: str, until_s: float, *, hidden: bool) -> Standing:
    """Show what is left until nothing is, twice in a row, or it cannot become less by itself."""
    project = services.settings.projects[project_id]
    standing = services.standings.read(project)
    looks = 0
    told_s = time.monotonic()
    with progress(f"Draining {project_id}", max(1, standing.remaining.changes), hidden=hidden) as advance:
        while True:
            before = standing.remaining.changes
            looks = looks + 1 if standing.remaining.nothing else 0
            if looks > 1 or standing.remaining.held_up or time.monotonic() >= until_s:
                return standing
            time.sleep(LOOK_S)
            standing = services.standings.read(project)
            advance(max(0, before - standing.remaining.changes))
            if not hidden and time.monotonic() - told_s >= _TELL_EVERY_S:
                told_s = time.monotonic()
                click.echo(f"Project {project_id}: {_came_to(standing)}", err=True)


def _came_to(standing: Standing) -> str:
    left = standing.remaining
    if left.nothing:
        more = f"; {plural(left.resyncs, 'resync')} under way" if left.resyncs else ""
        return f"all is delivered{more}."
    eta = f", {duration(standing.eta_s)} at this pace" if standing.eta_s else ""
    held = "".join(f"\n  {name}: {clean(why, 200)}" for name, why in left.held_up.items())
    return f"{remaining_text(left)} left{eta}.{held}"


def _told(standing: Standing) -> dict[str, object]:
    left = standing.remaining
    return {"drained": left.nothing, "remaining": left, "eta_s": standing.eta_s}


def _chosen(services: Services, project_id: str | None, *, everything: bool) -> list[str]:
    """Return the projects that are meant: one, unless all are."""
    if everything and project_id is not None:
        raise click.UsageError("Give --project or --all, not both.")
    chosen = chosen_projects(services.settings, project_id)
    if len(chosen) > 1 and not everything:
        raise click.UsageError(f"Say which project with --project, or --all: {', '.join(chosen)}")
    return chosen


def _said(why: str) -> str:
    return clean(why.strip(), _LONGEST_WORD)


def _option(chosen: dict[str, bool] | dict[str, Standing]) -> str:
    return f"--project {next(iter(chosen))}" if len(chosen) == 1 else "--all"


def _tell(done: dict[str, bool], name: str, words: tuple[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json({"ok": True, "projects": {each: {name: was} for each, was in done.items()}})
        return
    for each, was in done.items():
        click.echo(f"Project {each} {words[0] if was else words[1]}.")
