"""`flask dead-letters list|show|export`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import click
import orjson

from app.cli.dead_letters.options import filter_of, filter_options, now_ms
from app.cli.dead_letters.tables import Found, letter_text, letters_table
from app.cli.formatting import clean, plural
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.cli.progress import progress
from app.destinations.dead_letters.filter import is_letter_id
from app.destinations.dead_letters.records import letter_json
from app.destinations.dead_letters.store import Order
from app.services import Services


@click.command("list")
@project_option
@filter_options
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Of a project.")
@click.option("--newest", is_flag=True, help="The newest first, instead of the oldest.")
@click.option("--after", metavar="ID", help="Go on behind this letter.")
@click.option("--records", is_flag=True, help="Show the records, too: personal data.")
@json_option
def list_(  # noqa: PLR0917 - click passes them by name
    project_id: str | None,
    limit: int,
    newest: bool,
    after: str | None,
    records: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """List dead letters."""
    if after and not is_letter_id(after):
        raise click.BadParameter("is no dead letter's id", param_hint="--after")
    order: Order = "newest" if newest else "oldest"
    with opened(as_json=as_json) as services:
        pages = [
            _page(services, each, asked, after=after, limit=limit, records=records, order=order)
            for each in chosen_projects(services.settings, project_id)
        ]
        at_ms = now_ms(services)
    _print(pages, at_ms, records=records, as_json=as_json)


@click.command("show")
@click.argument("letter_id", metavar="ID")
@project_option
@json_option
def show(letter_id: str, project_id: str | None, as_json: bool) -> None:
    """Show one dead letter with its record, which is personal data."""
    with opened(as_json=as_json) as services:
        where, stored = find_one(services, letter_id, project_id, as_json=as_json)
        at_ms = now_ms(services)
    if as_json:
        print_json({"ok": True, "project_id": where, **_whole(stored)})
    else:
        click.echo(letter_text(where, stored, at_ms))


@click.command("export")
@project_option
@filter_options
@click.option("--output", type=click.File("wb"), default="-", help="A file, instead of standard output.")
def export(project_id: str | None, output: BinaryIO, **asked: Any) -> None:
    """Write dead letters whole, one JSON object a line. It is personal data."""
    written = 0
    with opened(as_json=False) as services:
        for each in chosen_projects(services.settings, project_id):
            which, total = filter_of(asked, now_ms(services)), services.dead_letters.count(each)
            with progress(f"Project {each}", total, hidden=output.isatty()) as advance:
                for stored in services.dead_letters.all(each, which):
                    line = {"project_id": each, **_whole(stored)}
                    output.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                    written += 1
                    advance(1)
    click.echo(f"{plural(written, 'dead letter')} exported.", err=True)


@dataclass(frozen=True, slots=True)
class _Page:
    project_id: str
    letters: list[Found]
    next: str | None
    kept: int


def _page(
    services: Services,
    project_id: str,
    asked: dict[str, Any],
    *,
    after: str | None,
    limit: int,
    records: bool,
    order: Order,
) -> _Page:
    """Read a page that is full, however many have to be looked at for it."""
    letters: list[Found] = []
    wanted = filter_of(asked, now_ms(services))
    while len(letters) < limit:
        page = services.dead_letters.page(
            project_id,
            wanted,
            after=after,
            limit=min(500, limit - len(letters)),
            records=records,
            order=order,
        )
        letters += ((project_id, stored) for stored in page.letters)
        after = page.next
        if after is None:
            break
    return _Page(project_id, letters, after, services.dead_letters.count(project_id))


def _print(pages: list[_Page], at_ms: int, *, records: bool, as_json: bool) -> None:
    found = [each for page in pages for each in page.letters]
    if as_json:
        print_json(
            {
                "ok": True,
                "dead_letters": [_listed(*each, records=records) for each in found],
                "projects": [
                    {"project_id": page.project_id, "kept": page.kept, "next": page.next} for page in pages
                ],
            }
        )
        return
    click.echo(letters_table(found, at_ms, records=records) if found else "No dead letters.")
    for page in pages:
        if page.next:
            click.echo(
                f"\nProject {page.project_id} keeps {page.kept:,}; go on with: --project {page.project_id}"
                f" --after {page.next}"
            )


def _listed(project_id: str, stored: Any, *, records: bool) -> dict[str, Any]:
    return {"project_id": project_id, **letter_json(stored, whole=records)}


def _whole(stored: Any) -> dict[str, Any]:
    return letter_json(stored, whole=True)


def find_one(services: Services, letter_id: str, project_id: str | None, *, as_json: bool) -> Found:
    """Find a letter by its id, or say that there is none and end."""
    found = list(_with_id(services, letter_id, project_id)) if is_letter_id(letter_id) else []
    if len(found) != 1:
        wanted = clean(letter_id)
        several = f"Several projects have a dead letter {wanted}; give --project."
        missing = f"There is no dead letter {wanted}; `flask dead-letters list` shows those that there are."
        end([several if found else missing], as_json=as_json)
    return found[0]


def _with_id(services: Services, letter_id: str, project_id: str | None) -> Iterator[Found]:
    for each in chosen_projects(services.settings, project_id):
        if stored := services.dead_letters.get(each, letter_id):
            yield each, stored
