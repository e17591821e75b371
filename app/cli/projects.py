"""`flask projects ...`: which projects there are, and deleting one (docs/installation.md)."""

from dataclasses import asdict
from typing import Any, Final

import click
from flask.cli import AppGroup

from app.access.operator import operator
from app.cli.auditing import audited
from app.cli.formatting import clean, moment, number, plural, table
from app.cli.opening import end, json_option, opened, print_json
from app.cli.progress import progress
from app.cli.project_holding import COMMANDS
from app.destinations.held import read_held
from app.installation.deleting import Deleting, Holdings, StillWritten
from app.installation.stored import KINDS, stored_projects, total
from app.services import Services

projects_cli = AppGroup("projects", help="The projects there are: pause, drain, delete them.")
for command in COMMANDS:
    projects_cli.add_command(command)

_NAMES: Final = {**KINDS, "tokens": "tokens", "metrics": "numbers in the metrics"}


@projects_cli.command("list", with_appcontext=False)
@json_option
def list_(as_json: bool) -> None:
    """List projects: those that are configured, and those of which anything is stored."""
    with opened(as_json=as_json) as services:
        configured = services.settings.projects
        deleting = _deleting(services)
        found = [
            {
                "project": each,
                "name": configured[each].name if each in configured else "",
                "configured": each in configured,
                "cohorts": (cohorts := len(services.cohorts.list(each))),
                "stored": bool(cohorts) or each in stored,
                "held": _held(services, each),
                "leaving_since_ms": deleting.leaving(each).leaving_since_ms,
            }
            for stored in [stored_projects(services.redis)]
            for each in [*configured, *sorted(stored - configured.keys())]
        ]
    if as_json:
        print_json({"ok": True, "projects": found})
        return
    rows = [
        (
            each["project"],
            each["name"],
            "yes" if each["configured"] else "NO",
            each["cohorts"],
            _said(each),
        )
        for each in found
    ]
    click.echo(table(("project", "name", "configured", "cohorts", "notes"), rows, numbers={"cohorts"}))


@projects_cli.command("delete", with_appcontext=False)
@click.argument("project_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Delete it. Without this, only count what there is.")
@click.option("--although-configured", is_flag=True, help="Also if it is configured: it then begins anew.")
@json_option
def delete(project_id: str, yes: bool, although_configured: bool, as_json: bool) -> None:
    """Delete everything of a project from Redis. Without --yes it is only counted.

    It can be broken off, and goes on when called again; until it is through, nothing of the project is taken
    in. The status is 0 when it is gone (or was counted), 1 when nothing was done.
    """
    with opened(as_json=as_json) as services:
        deleting = _deleting(services)
        if yes and project_id in services.settings.projects and not although_configured:
            end([_CONFIGURED.format(project_id)], as_json=as_json)
        there = deleting.look(project_id)
        if not there:
            end(
                [f"There is nothing of a project {clean(project_id)}; see: flask projects list"],
                as_json=as_json,
            )
        if not yes:
            _tell(project_id, there, deleted=False, as_json=as_json)
            return
        with audited(services, "projects delete", project_id=project_id) as note:
            with progress("Deleting", total(there.amounts).keys, hidden=as_json) as advance:
                try:
                    for removed in deleting.run(project_id, operator().id):
                        advance(removed)
                except StillWritten:
                    end([_STILL_WRITTEN], as_json=as_json)
            gone = deleting.finish(project_id)
            note.counts.update(_counts(gone))
    _tell(project_id, gone, deleted=True, as_json=as_json)


_CONFIGURED: Final = (
    "Project {} is configured: take it out of the configuration and restart the processes first, or say"
    " --although-configured: then it begins anew, with what comes next."
)


_STILL_WRITTEN: Final = (
    "Something keeps writing what is of this project; stop the workers and the clock, and call this again."
)


def _deleting(services: Services) -> Deleting:
    return Deleting(services.redis, services.tokens, services.stored_metrics)


def _held(services: Services, project_id: str) -> list[str]:
    held = read_held(services.redis, project_id)
    return [each.sentence for each in (held.paused, held.closed) if each]


def _said(each: dict[str, Any]) -> str:
    if each["leaving_since_ms"]:
        return f"BEING DELETED since {moment(each['leaving_since_ms'])}; go on: flask projects delete"
    notes = [] if each["stored"] else ["nothing stored yet"]
    if each["stored"] and not each["configured"]:
        notes.append("stored, but not configured")
    return "; ".join((*notes, *(clean(sentence, 200) for sentence in each["held"])))


def _counts(gone: Holdings) -> dict[str, int]:
    every = total(gone.amounts)
    return {"keys": every.keys, "entries": every.entries, "tokens": gone.tokens, "metrics": gone.metrics}


def _tell(project_id: str, there: Holdings, *, deleted: bool, as_json: bool) -> None:
    every = total(there.amounts)
    if as_json:
        kinds = {kind: asdict(amount) for kind, amount in there.amounts.items()}
        told = {"deleted": deleted, "kinds": kinds, **_counts(there)}
        print_json({"ok": True, "project": project_id, **told})
        return
    rows = [
        (_NAMES.get(kind, kind), number(amount.keys), number(amount.entries))
        for kind, amount in there.amounts.items()
    ]
    rows.append(("together", number(every.keys), number(every.entries)))
    click.echo(table(("of it", "keys", "entries"), rows, numbers={"keys", "entries"}))
    others = f"{plural(there.tokens, 'token')} for it alone, {plural(there.metrics, 'number')} in the metrics"
    if deleted:
        click.echo(f"\nBesides: {others}.\nProject {project_id} is deleted.")
    else:
        click.echo(f"\nBesides: {others}.\nNothing was changed. To delete all of it, add --yes.")
