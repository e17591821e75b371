"""`flask quarantine show|export`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO, Final

import click
import orjson

from app.cli.auditing import audited
from app.cli.dead_letters.options import now_ms
from app.cli.formatting import ago, clean, moment, plural, size
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.cli.progress import progress
from app.cli.quarantine_options import means, which_of, which_options
from app.cohorts.page_masking import told_body
from app.cohorts.quarantine import PageAside
from app.destinations.dead_letters.filter import is_letter_id
from app.services import Services

people_option = click.option(
    "--people", is_flag=True, help="With people's data instead of its form; the audit log tells of it."
)


@click.command("show")
@click.argument("entry_id", metavar="ID")
@project_option
@people_option
@json_option
def show(entry_id: str, project_id: str | None, people: bool, as_json: bool) -> None:
    """Show one member or page; of a page what it holds, and of its people the form of their data alone."""
    with opened(as_json=as_json) as services:
        where, told = _find(services, entry_id, project_id, masked=not people, as_json=as_json)
        if people and "body" in told:
            with audited(services, "quarantine show --people", project_id=where, entry_id=told["id"]):
                pass
        at_ms = now_ms(services)
    if as_json:
        print_json({"ok": True, "project_id": where, **told})
    else:
        click.echo(entry_text(where, told, at_ms))


@click.command("export")
@project_option
@which_options
@people_option
@click.option("--output", type=click.File("wb"), default="-", help="A file, instead of standard output.")
def export(project_id: str | None, people: bool, output: BinaryIO, **asked: Any) -> None:
    """Write all that are meant, one JSON object a line: members, then pages with what they hold."""
    written = {"members": 0, "pages": 0}
    with opened(as_json=False) as services:
        projects = chosen_projects(services.settings, project_id)
        if people:
            with audited(services, "quarantine export --people", project_id=project_id):
                pass
        for each in projects:
            with progress(
                f"Project {each}", _total(services, each, asked), hidden=output.isatty()
            ) as advance:
                for kind, told in _all(services, each, asked, masked=not people):
                    line = {"project_id": each, "kind": kind, **told}
                    output.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                    written[f"{kind}s"] += 1
                    advance(1)
    told_counts = f"{plural(written['members'], 'member')} and {plural(written['pages'], 'page')}"
    click.echo(f"{told_counts} exported.", err=True)


def entry_text(project_id: str, told: dict[str, Any], at_ms: int) -> str:
    """Return everything about a member or a page."""
    fields = [
        ("Project", project_id),
        ("Cohort", clean(told["cohort_id"]) or "?"),
        ("Session", clean(told["session_id"]) or "?"),
        ("Action", told["action"] or "?"),
        ("Page", str(told["page"] or "?")),
        (
            "Accepted" if "body" in told else "Put here",
            f"{moment(told['time_ms'])} ({ago(told['time_ms'], at_ms)})",
        ),
        ("Reason", clean(told["reason"], 500) or "?"),
    ]
    if "body" not in told:
        fields.append(("Index", str(told["index"])))
        return f"Member {told['id']}\n\n{_lines(fields)}\n\nNothing else of the member is kept."
    fields.append(("Size", size(told["size_bytes"])))
    body = orjson.dumps(told["body"], option=orjson.OPT_INDENT_2).decode()
    return f"Page {told['id']}\n\n{_lines(fields)}\n\nBODY\n\n{body}"


def _lines(fields: list[tuple[str, str]]) -> str:
    return "\n".join(f"  {name:<12} {value}" for name, value in fields)


def _find(
    services: Services, entry_id: str, project_id: str | None, *, masked: bool, as_json: bool
) -> tuple[str, dict[str, Any]]:
    """Find a member or a page by its id, or say that there is none and end."""
    found: list[tuple[str, dict[str, Any]]] = []
    for each in chosen_projects(services.settings, project_id) if is_letter_id(entry_id) else ():
        if member := services.quarantine.member(each, entry_id):
            found.append((each, asdict(member)))
        if page := services.quarantine.page(each, entry_id):
            found.append((each, _whole(*page, masked=masked)))
    if len(found) != 1:
        several = f"There are several with the id {clean(entry_id)}: give --project, or look at the export."
        missing = (
            f"Nothing in quarantine has the id {clean(entry_id)}; `flask quarantine list` shows what is."
        )
        end([several if found else missing], as_json=as_json)
    return found[0]


def _all(
    services: Services, project_id: str, asked: dict[str, Any], *, masked: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    which = which_of(services, asked)
    if means(asked, "members"):
        for member in services.quarantine.all_members(project_id, which):
            yield "member", asdict(member)
    if means(asked, "pages"):
        for page, body in services.quarantine.whole_pages(project_id, which):
            yield "page", _whole(page, body, masked=masked)


def _total(services: Services, project_id: str, asked: dict[str, Any]) -> int:
    """Return how many there are to look through; a filter may mean fewer."""
    kept = services.quarantine.kept(project_id)
    return sum(number for kind, number in kept.items() if means(asked, kind))


def _whole(page: PageAside, body: bytes, *, masked: bool) -> dict[str, Any]:
    return {**asdict(page), "body": told_body(body, masked=masked)}


COMMANDS: Final = (show, export)
