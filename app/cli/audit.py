"""`flask audit ...`: who changed what (docs/operations.md, the audit log)."""

import sys
from collections.abc import Iterator
from typing import Any, Final

import click
import orjson
from flask.cli import AppGroup

from app.access.audit import LOGS, Which, Written
from app.cli.dead_letters.options import Age
from app.cli.formatting import clean, moment, table
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option
from app.cli.progress import progress
from app.destinations.dead_letters.filter import AGE_WANTED, read_age
from app.services import Services
from app.status.telling import told_entry

audit_cli = AppGroup("audit", help="Who changed what.")

_LONGEST: Final = 60
log_option = click.option(
    "--log",
    default="changes",
    show_default=True,
    type=click.Choice(LOGS),
    help="ingest: calls that hand data in; mixpanel: the gateway's; changes: all others, and commands.",
)
actor_option = click.option("--actor", metavar="ID", help="Only by this token's id, or this user.")
older_option = click.option("--older-than", type=Age(), help=f"Written before: {AGE_WANTED} (UTC).")
newer_option = click.option("--newer-than", type=Age(), help="Written since; as --older-than.")
action_option = click.option("--action", metavar="TEXT", help="Only with this text in the action.")


@audit_cli.command("list", with_appcontext=False)
@log_option
@actor_option
@action_option
@project_option
@older_option
@newer_option
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
def list_(log: Any, limit: int, as_json: bool, **asked: Any) -> None:
    """List entries, the newest first."""
    with opened(as_json=as_json) as services:
        entries = services.audit.all(log, _which(services, asked))
        found = [written for written, _ in zip(entries, range(limit), strict=False)]
        dropped = services.audit.dropped(log)
    if as_json:
        print_json({"ok": True, "entries": [told_entry(each) for each in found], "dropped": dropped})
    elif found:
        click.echo(audit_table(found))
    else:
        click.echo("No entries.")


@audit_cli.command("export", with_appcontext=False)
@log_option
@actor_option
@action_option
@project_option
@older_option
@newer_option
def export(log: Any, **asked: Any) -> None:
    """Print all entries that are meant, one JSON object a line, the newest first."""
    with opened(as_json=False) as services:
        which, hidden = _which(services, asked), sys.stdout.isatty()
        of_the_time = Which(before_ms=which.before_ms, since_ms=which.since_ms)
        with progress("Entries", services.audit.kept(log), hidden=hidden) as advance:
            for written in services.audit.all(log, of_the_time):
                if which.means(written.entry):
                    click.echo(orjson.dumps(told_entry(written)))
                advance(1)


def audit_table(found: list[Written]) -> str:
    """Return a line an entry."""
    rows = (
        (
            moment(written.time_ms),
            f"{written.entry.actor.kind} {clean(written.entry.actor.id)}",
            clean(written.entry.actor.name),
            clean(written.entry.action, _LONGEST),
            f"{written.entry.outcome} ({written.entry.status})",
            clean(", ".join(_about(written)), 2 * _LONGEST),
        )
        for written in found
    )
    headers = ("time", "who", "name", "what", "outcome", "about")
    return table(headers, rows, spare=("name", "outcome"))


def _which(services: Services, asked: dict[str, Any]) -> Which:
    chosen_projects(services.settings, asked["project_id"])
    now_ms = services.redis.time()[0] * 1000
    return Which(
        actor=asked["actor"] or "",
        action=asked["action"] or "",
        project_id=asked["project_id"] or "",
        before_ms=read_age(asked["older_than"], now_ms) if asked["older_than"] else None,
        since_ms=read_age(asked["newer_than"], now_ms) if asked["newer_than"] else None,
    )


def _about(written: Written) -> Iterator[str]:
    """Yield what it was about, and what it came to."""
    entry = written.entry
    yield from (f"{name} {value}" for name, value in entry.resources.items())
    yield from (f"{name} {value:,}" for name, value in entry.counts.items())
