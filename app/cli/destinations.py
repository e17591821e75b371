"""`flask destinations ...`: how what is sent to Mixpanel stands, and how a person holds it."""

from dataclasses import asdict

import click
from flask.cli import AppGroup

from app.access.operator import operator
from app.cli.auditing import audited
from app.cli.cursor_moving import rewind, skip
from app.cli.formatting import ago, clean, number, table
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option
from app.destinations.held import read_held
from app.destinations.status import DestinationStatus
from app.lanes.work import LANES, lanes_of
from app.services import Services

destinations_cli = AppGroup(
    "destinations", help="What is sent to Mixpanel: how it stands; pause, resume, skip."
)
destinations_cli.add_command(skip)
destinations_cli.add_command(rewind)

_LONGEST_WORD = 200
_OF_LANES = tuple(name for name, kind in LANES.items() if kind.source in {"log", "outbox"})

name_argument = click.argument("name", metavar="NAME", type=click.Choice(_OF_LANES))


@destinations_cli.command("list", with_appcontext=False)
@project_option
@json_option
def list_(project_id: str | None, as_json: bool) -> None:
    """List the destinations with their states; more of them is in `flask status`."""
    with opened(as_json=as_json) as services:
        found = {each: _statuses(services, each) for each in chosen_projects(services.settings, project_id)}
        now_ms = int(services.redis.time()[0]) * 1000
    if as_json:
        told = {each: {name: asdict(one) for name, one in some.items()} for each, some in found.items()}
        print_json({"ok": True, "projects": told})
        return
    rows = [
        (
            each,
            name,
            one.state,
            ago(one.since_ms, now_ms) if one.state != "ok" else "",
            f"{number(one.behind)} {one.unit}" if one.behind else "0",
            clean(one.reason, 80),
        )
        for each, some in found.items()
        for name, one in some.items()
    ]
    click.echo(table(("project", "destination", "state", "since", "behind", "reason"), rows))


@destinations_cli.command("pause", with_appcontext=False)
@name_argument
@project_option
@click.option("--why", default="", help="The reason, for other operators.")
@json_option
def pause(name: str, project_id: str | None, why: str, as_json: bool) -> None:
    """Hold a destination before its next window, until it is resumed.

    What comes for it is kept: changes in the log, so that applying pages waits once it is full, and what
    services submit in its outbox, until they are answered 429.
    """
    with (
        opened(as_json=as_json) as services,
        audited(services, "destinations pause", destination=name) as note,
    ):
        project_id = note.resources["project_id"] = _one_project(services, project_id)
        why = clean(why.strip(), _LONGEST_WORD)
        newly = services.operating.pause(project_id, name, operator().id, why)
    if as_json:
        print_json({"ok": True, "project": project_id, "destination": name, "newly_paused": newly})
        return
    click.echo(f"Project {project_id}, {name}: {'paused' if newly else 'was paused already'}.")
    click.echo(f"To let it go on: flask destinations resume --project {project_id} {name}")


@destinations_cli.command("resume", with_appcontext=False)
@name_argument
@project_option
@json_option
def resume(name: str, project_id: str | None, as_json: bool) -> None:
    """Let a destination go on that was paused, or that Mixpanel's answer has stopped, at once."""
    with (
        opened(as_json=as_json) as services,
        audited(services, "destinations resume", destination=name) as note,
    ):
        project_id = note.resources["project_id"] = _one_project(services, project_id)
        resumed = services.operating.resume(project_id, name)
        whole = read_held(services.redis, project_id).paused
    if as_json:
        print_json({"ok": True, "project": project_id, "destination": name, **asdict(resumed)})
    elif resumed:
        before = " and ".join(
            word for word, was in (("stopped", resumed.was_stopped), ("paused", resumed.was_paused)) if was
        )
        click.echo(f"Project {project_id}, {name}: was {before}, and goes on now.")
    else:
        click.echo(f"Project {project_id}, {name}: was neither stopped nor paused; nothing to do.")
    if whole and not as_json:
        click.echo(f"But {whole.sentence}. To let it go on: flask projects resume --project {project_id}")


def _statuses(services: Services, project_id: str) -> dict[str, DestinationStatus]:
    lanes = lanes_of(services.settings.projects[project_id])
    return {
        lane.name: services.destinations.status(project_id, lane) for lane in lanes if lane.name in _OF_LANES
    }


def _one_project(services: Services, project_id: str | None) -> str:
    chosen = chosen_projects(services.settings, project_id)
    if len(chosen) > 1:
        raise click.UsageError(f"Say which project with --project: {', '.join(chosen)}")
    return chosen[0]
