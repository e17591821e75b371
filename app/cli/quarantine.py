"""`flask quarantine ...`: what of the cohorts' pages could not be applied (docs/dead-letters.md)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import click
from flask.cli import AppGroup

from app.cli.auditing import audited
from app.cli.dead_letters.options import now_ms
from app.cli.formatting import ago, clean, plural, section, size, table
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option
from app.cli.quarantine_looking import COMMANDS
from app.cli.quarantine_options import means, which_of, which_options
from app.cohorts.quarantine import PageAside, QuarantinedMember, Which
from app.services import Services

quarantine_cli = AppGroup("quarantine", help="What of the cohorts' pages could not be applied.")
for _command in COMMANDS:
    quarantine_cli.add_command(_command)

NEVER_LATER: Final = (
    "A page is never applied later: it is out of date as soon as the cohort's next one has come.\nWhat heals"
    " its cohort is a full sync: disconnect the cohort in Mixpanel and connect it again."
)


@quarantine_cli.command("list", with_appcontext=False)
@project_option
@which_options
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Of a project.")
@json_option
def list_(project_id: str | None, limit: int, as_json: bool, **asked: Any) -> None:
    """List members that could not be used and pages that were set aside."""
    members: list[tuple[str, QuarantinedMember]] = []
    pages: list[tuple[str, PageAside]] = []
    with opened(as_json=as_json) as services:
        which = which_of(services, asked)
        for each in chosen_projects(services.settings, project_id):
            if means(asked, "members"):
                found, _ = services.quarantine.members(each, which, limit=limit)
                members += ((each, one) for one in found)
            if means(asked, "pages"):
                pages += ((each, one) for one in services.quarantine.pages(each, which)[:limit])
        at_ms = now_ms(services)
    if as_json:
        print_json({"ok": True, "members": _told(members), "pages": _told(pages)})
        return
    if members:
        click.echo(section("MEMBERS without a usable id", members_table(members, at_ms)))
    if pages:
        click.echo(section("PAGES set aside", f"{pages_table(pages, at_ms)}\n\n{NEVER_LATER}"))
    if not (members or pages):
        click.echo("Nothing is in quarantine.")


@quarantine_cli.command("discard", with_appcontext=False)
@project_option
@which_options
@click.option("--all", "everything", is_flag=True, help="All of them: no filter is needed.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def discard(
    project_id: str | None, everything: bool, dry_run: bool, yes: bool, as_json: bool, **asked: Any
) -> None:
    """Throw away what is in quarantine, for good. The cohorts of pages stay suspect until a full sync."""
    if not (everything or any(asked.values())):
        raise click.UsageError("Say which: --kind, --cohort, --reason, an age, or --all.")
    if as_json and not (yes or dry_run):
        raise click.UsageError("With --json nothing can be asked: give --yes, or --dry-run.")
    with (
        opened(as_json=as_json) as services,
        audited(services, "quarantine discard", project_id=project_id, cohort_id=asked["cohort_id"]) as note,
    ):
        projects = chosen_projects(services.settings, project_id)
        which = which_of(services, asked)
        members, pages = _discarded(services, projects, asked, which, dry_run=True)
        if not dry_run:
            if not yes:
                question = f"Discard {plural(members, 'member')} and {plural(pages, 'page')} for good?"
                click.confirm(question, abort=True, err=True)
            members, pages = _discarded(services, projects, asked, which, dry_run=False)
        note.counts.update(members=members, pages=pages, dry_run=dry_run)
    if as_json:
        print_json({"ok": True, "dry_run": dry_run, "members": members, "pages": pages})
    else:
        verb = "would be discarded" if dry_run else "discarded"
        click.echo(f"{plural(members, 'member')} and {plural(pages, 'page')} {verb}.")


def members_table(found: Sequence[tuple[str, QuarantinedMember]], now_ms: int) -> str:
    """Return a line a member: where it stood, and what is wrong with it."""
    headers = ("project", "cohort", "session", "action", "page", "index", "put here", "reason")
    rows = (
        (
            *(project_id, clean(one.cohort_id), clean(one.session_id), one.action),
            *(one.page, one.index, ago(one.time_ms, now_ms), one.reason),
        )
        for project_id, one in found
    )
    return table(headers, rows, numbers=("page", "index"), spare=("project", "index", "page", "action"))


def pages_table(found: Sequence[tuple[str, PageAside]], now_ms: int) -> str:
    """Return a line a page; a question mark stands for what could not be read."""
    headers = ("project", "id", "cohort", "session", "action", "page", "size", "accepted", "reason")
    rows = (
        (
            *(project_id, one.id, clean(one.cohort_id) or "?", clean(one.session_id) or "?"),
            *(one.action or "?", one.page or "?", size(one.size_bytes), ago(one.time_ms, now_ms)),
            clean(one.reason) or "?",
        )
        for project_id, one in found
    )
    return table(headers, rows, numbers=("page", "size"), spare=("project", "size", "action", "session"))


def _discarded(
    services: Services, projects: Sequence[str], asked: dict[str, Any], which: Which, *, dry_run: bool
) -> tuple[int, int]:
    members = pages = 0
    for each in projects:
        if means(asked, "members"):
            members += services.quarantine.discard_members(each, which, dry_run=dry_run)
        if means(asked, "pages"):
            pages += services.quarantine.discard_pages(each, which, dry_run=dry_run)
    return members, pages


def _told(found: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [{"project_id": project_id, **asdict(one)} for project_id, one in found]
