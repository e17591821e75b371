"""`flask dead-letters discard`."""

from typing import Any

import click

from app.cli.auditing import audited
from app.cli.dead_letters.asked import Asked, asking_options
from app.cli.dead_letters.looking import find_one
from app.cli.dead_letters.options import filter_of, now_ms
from app.cli.formatting import plural
from app.cli.opening import chosen_projects, opened, print_json
from app.cli.progress import progress
from app.destinations.dead_letters.discarding import discard_step
from app.services import Services


@click.command("discard")
@asking_options
def discard(letter_ids: tuple[str, ...], **options: Any) -> None:
    """Throw dead letters away, for good."""
    asked = Asked.of(letter_ids, options)
    with (
        opened(as_json=asked.as_json) as services,
        audited(services, "dead-letters discard", **asked.about()) as note,
    ):
        discarded = _each(services, asked) if letter_ids else _by_filter(services, asked)
        note.counts.update(discarded=discarded, dry_run=asked.dry_run)
    if asked.as_json:
        print_json({"ok": True, "dry_run": asked.dry_run, "discarded": discarded})
    else:
        verb = "would be discarded" if asked.dry_run else "discarded"
        click.echo(f"{plural(discarded, 'dead letter')} {verb}.")


def _each(services: Services, asked: Asked) -> int:
    found = [find_one(services, each, asked.project_id, as_json=asked.as_json) for each in asked.letter_ids]
    asked.confirm(f"Discard {plural(len(found), 'dead letter')} for good?")
    return sum(services.dead_letters.discard(project_id, [stored.id]) for project_id, stored in found)


def _by_filter(services: Services, asked: Asked) -> int:
    if asked.dry_run:
        return _walk(services, asked, dry_run=True)
    if not asked.yes:
        counted = _walk(services, asked, dry_run=True)
        asked.confirm(f"Discard {plural(counted, 'dead letter')} for good?")
    return _walk(services, asked, dry_run=False)


def _walk(services: Services, asked: Asked, *, dry_run: bool) -> int:
    """Take all the steps, project by project."""
    discarded = 0
    wanted = filter_of(asked.filters, now_ms(services))
    for project_id in chosen_projects(services.settings, asked.project_id):
        total = services.dead_letters.count(project_id)
        label = "Counting" if dry_run else "Discarding"
        with progress(label, total, hidden=asked.as_json) as advance:
            place = None
            while True:
                step = discard_step(services.dead_letters, project_id, wanted, place=place, dry_run=dry_run)
                discarded += step.discarded
                advance(step.looked)
                place = step.next
                if place is None:
                    break
    return discarded
