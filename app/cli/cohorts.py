"""`flask cohorts ...`: which cohorts there are, and how one of them stands."""

import sys
from collections.abc import Iterator
from itertools import islice

import click
import orjson
from flask.cli import AppGroup

from app.cli.finding import not_one
from app.cli.formatting import ago, clean, moment, number, section, table
from app.cli.muting import mute, silent, unmute
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.cli.progress import progress
from app.cli.resync import resync
from app.cohorts.registry import Cohort, Session
from app.cohorts.walking import Member
from app.status.cohorts import CohortDetail, Found, find_cohorts, list_cohorts, read_detail
from app.status.telling import told_member

cohorts_cli = AppGroup("cohorts", help="The cohorts and their syncs.")
for _command in (resync, mute, unmute, silent):
    cohorts_cli.add_command(_command)
SESSIONS_SHOWN = 10
MEMBERS_SHOWN = 50
LONGEST_ID = 255
_PARTIAL = {
    "assumed": "no full list yet",
    "proven": "partial: people unknown here have left it",
}


@cohorts_cli.command("list", with_appcontext=False)
@project_option
@json_option
def list_(project_id: str | None, as_json: bool) -> None:
    """List the cohorts with their counts."""
    with opened(as_json=as_json) as services:
        found = list_cohorts(services, chosen_projects(services.settings, project_id))
        now_ms = services.redis.time()[0] * 1000
    if as_json:
        print_json({"ok": True, "cohorts": found})
    elif found:
        click.echo(cohorts_table(found, now_ms))
    else:
        click.echo("No cohorts yet; they appear with their first page.")


@cohorts_cli.command("show", with_appcontext=False)
@click.argument("cohort")
@project_option
@click.option("--sessions", default=SESSIONS_SHOWN, show_default=True, help="How many of the newest.")
@json_option
def show(cohort: str, project_id: str | None, sessions: int, as_json: bool) -> None:
    """Show one cohort and its newest syncs. COHORT is its id or its name."""
    with opened(as_json=as_json) as services:
        projects = chosen_projects(services.settings, project_id)
        found = find_cohorts(services, projects, cohort)
        if len(found) != 1:
            end([not_one(cohort, found)], as_json=as_json)
        detail = read_detail(services, found[0], sessions)
        now_ms = services.redis.time()[0] * 1000
    if as_json:
        print_json({"ok": True, **_fields(detail)})
    else:
        click.echo(detail_text(detail, now_ms))


@cohorts_cli.command("members", with_appcontext=False)
@click.argument("cohort")
@project_option
@click.option(
    "--ndjson", "as_lines", is_flag=True, help="One JSON object a line; all, unless --limit says less."
)
@click.option("--limit", type=click.IntRange(1), help=f"How many at most.  [default: {MEMBERS_SHOWN}]")
@json_option
def members(cohort: str, project_id: str | None, as_lines: bool, limit: int | None, as_json: bool) -> None:
    """List who is in a cohort, in no order that means anything. COHORT is its id or its name."""
    if as_lines and as_json:
        raise click.UsageError("--ndjson or --json, not both.")
    with opened(as_json=as_json) as services:
        found = find_cohorts(services, chosen_projects(services.settings, project_id), cohort)
        if len(found) != 1:
            end([not_one(cohort, found)], as_json=as_json)
        position = str(services.feed.end(found[0].project_id))
        everybody = services.walk.all(found[0].project_id, found[0].cohort.id)
        if as_lines:
            click.echo(f"position: {position}", err=True)
            total = min(found[0].cohort.members, limit or found[0].cohort.members)
            with progress("Listing", total, hidden=sys.stdout.isatty()) as advance:
                for member in islice(everybody, limit):
                    click.echo(orjson.dumps(told_member(member)))
                    advance(1)
            return
        some = list(islice(everybody, limit or MEMBERS_SHOWN))
    count = found[0].cohort.members
    if as_json:
        told = [told_member(each) for each in some]
        print_json({"ok": True, "members": told, "count": count, "position": position})
    else:
        click.echo(members_text(some, count))


def members_text(some: list[Member], count: int) -> str:
    """Return a line a member, and how many there are."""
    rows = (
        (
            clean(member.distinct_id, LONGEST_ID),
            moment(member.since.time_ms) if member.since else "not known",
            clean(member.since.session_id) if member.since else "not known",
        )
        for member in some
    )
    shown = table(("distinct_id", "since", "brought in by"), rows)
    return f"{shown}\n\n{number(len(some))} of {number(count)}" if some else "Nobody is in it."


def _fields(detail: CohortDetail) -> dict[str, object]:
    return {"project_id": detail.project_id, "cohort": detail.cohort, "sessions": detail.sessions}


def cohorts_table(found: list[Found], now_ms: int) -> str:
    """Return a line a cohort."""
    rows = (
        (
            each.project_id,
            each.cohort.id,
            clean(each.cohort.name),
            number(each.cohort.members),
            number(each.cohort.quarantined),
            ago(each.cohort.synced_ms, now_ms),
            "; ".join(notes(each.cohort)),
        )
        for each in found
    )
    counts = ("members", "quarantined")
    headers = ("project", "cohort", "name", *counts, "synced", "notes")
    return table(headers, rows, numbers=counts, spare=("quarantined", "project"))


def notes(cohort: Cohort) -> Iterator[str]:
    """Yield what is special about a cohort, in a few words each."""
    if cohort.suspect:
        yield f"SUSPECT: {cohort.suspect}"
    if cohort.partial:
        yield _PARTIAL.get(cohort.partial, cohort.partial)
    if cohort.held:
        kept = "refused" if cohort.held.refused else "HELD"
        yield f"{kept}: a full list without {number(cohort.held.goes)} of {number(cohort.held.of)} members"
    if cohort.renaming_from:
        yield f"being renamed from {', '.join(clean(name) for name in cohort.renaming_from)}"


def detail_text(detail: CohortDetail, now_ms: int) -> str:
    """Return everything about a cohort."""
    cohort = detail.cohort
    fields = [
        ("Project", detail.project_id),
        ("Description", clean(cohort.description, 80) or "-"),
        ("Members", number(cohort.members)),
        ("Quarantined", f"{number(cohort.quarantined)} so far (members without a usable id)"),
        ("Remembered", f"{number(cohort.tombstones)} who left, until their syncs are beyond doubt"),
        ("Buckets", number(cohort.buckets)),
        ("Last synced", _both(cohort.synced_ms, now_ms)),
        ("Notes", "; ".join(notes(cohort)) or "-"),
    ]
    head = "\n".join(f"  {name:<12} {value}" for name, value in fields)
    title = f"Cohort {cohort.id}: {clean(cohort.name, 80)}"
    syncs = section("SYNCS, newest first", sessions_table(detail, now_ms))
    return f"{section(title, head)}\n{syncs}".rstrip()


def sessions_table(detail: CohortDetail, now_ms: int) -> str:
    """Return a line a sync: what has come of it."""
    if not detail.sessions:
        return "none remembered"
    rows = (
        (
            clean(each.id),
            each.state,
            _both(each.began_ms, now_ms),
            f"{(each.newest_ms - each.began_ms) / 1000:.1f} s",
            ", ".join(_pages(each)),
        )
        for each in detail.sessions
    )
    headers = ("session", "state", "first page", "until the last", "pages")
    return table(headers, rows, spare=("until the last", "first page"))


def _pages(session: Session) -> Iterator[str]:
    for action, (seen, announced) in sorted(session.calls.items()):
        yield f"{action} {seen:,} of {announced:,}"


def _both(at_ms: int, now_ms: int) -> str:
    return f"{moment(at_ms)} ({ago(at_ms, now_ms)})" if at_ms else "never"
