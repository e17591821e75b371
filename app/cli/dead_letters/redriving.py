"""`flask dead-letters redrive`."""

import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final, Literal

import click
import orjson

from app.cli.auditing import audited
from app.cli.dead_letters.asked import LEFT, Asked, asking_options
from app.cli.dead_letters.looking import find_one
from app.cli.dead_letters.options import filter_of, now_ms
from app.cli.dead_letters.tables import redriven_text
from app.cli.formatting import clean, moment, plural, table
from app.cli.opening import chosen_projects, end, opened, print_json
from app.cli.progress import progress
from app.destinations.checks.invalid import Invalid
from app.destinations.dead_letters.filter import is_letter_id
from app.destinations.dead_letters.records import shown
from app.destinations.dead_letters.redriving import (
    CONFIRMATION,
    FAULTS_A_STEP,
    NeedsConfirmation,
    NoSuchLetter,
    RedriveStep,
)
from app.destinations.outbox import OutboxFull
from app.services import Services

State = Literal["redriven", "redriven_before", "not_found", "needs_confirmation", "invalid", "outbox_full"]
_DETAIL: Final = 60
_DONE: Final = ("redriven", "redriven_before")


@click.command("redrive")
@asking_options
@click.option("--record", "file", type=click.File("rb"), help="Send this instead: a file with JSON, or -.")
@click.option("--edit", is_flag=True, help="Correct the record in $EDITOR first.")
@click.option("--confirm-outcome-unknown", "confirmed", is_flag=True, help=CONFIRMATION)
def redrive(letter_ids: tuple[str, ...], **options: Any) -> None:
    """Send dead letters again, as they are or corrected.

    A letter moves into an outbox in one step: to do it twice adds nothing. It is sent as of now, over what
    has changed in the same profile since. By a filter, letters that need a
    correction or a confirmation are left, and counted.
    """
    asked = Asked.of(letter_ids, options)
    if (options["file"] or options["edit"]) and len(letter_ids) != 1:
        raise click.UsageError("--record and --edit correct one dead letter: give its ID.")
    with (
        opened(as_json=asked.as_json) as services,
        audited(services, "dead-letters redrive", **asked.about()) as note,
    ):
        if letter_ids:
            edited = _edited(services, asked, options["file"], edit=options["edit"])
            ended = [
                _one(services, asked, each, edited, confirmed=options["confirmed"])
                for each in asked.letter_ids
            ]
            status = _say_each(ended, as_json=asked.as_json)
            note.counts["redriven"] = sum(each.state == "redriven" for each in ended)
        else:
            step = _by_filter(services, asked, confirmed=options["confirmed"])
            status = _say_step(asked, step)
            note.counts.update(redriven=step.redriven, dry_run=asked.dry_run)
        note.status = status
    sys.exit(status)


@dataclass(frozen=True, slots=True)
class _Ended:
    """What became of one letter."""

    id: str
    state: State
    detail: str


def _edited(services: Services, asked: Asked, file: BinaryIO | None, *, edit: bool) -> Any:
    """Return the correction; None if there is none."""
    if file is not None:
        return _decoded(file.read(), asked)
    if not edit:
        return None
    _, stored = find_one(services, asked.letter_ids[0], asked.project_id, as_json=asked.as_json)
    before = orjson.dumps(shown(stored), option=orjson.OPT_INDENT_2).decode()
    after = click.edit(before, extension=".json")
    if after is None:
        end(["Nothing was saved, so nothing was done."], as_json=asked.as_json)
    return _decoded(after.encode(), asked)


def _decoded(text: bytes, asked: Asked) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        end([f"The record is no JSON: {wrong.msg}, in line {wrong.lineno}."], as_json=asked.as_json)
    if not isinstance(value, dict):
        end(["The record must be a JSON object."], as_json=asked.as_json)
    return value


def _one(services: Services, asked: Asked, letter_id: str, edited: Any, *, confirmed: bool) -> _Ended:
    """Send a letter again, whichever project's it is."""
    if not is_letter_id(letter_id):
        return _Ended(clean(letter_id), "not_found", "This is no dead letter's id.")
    projects = chosen_projects(services.settings, asked.project_id)
    having = [each for each in projects if services.dead_letters.get(each, letter_id)]
    if len(having) > 1:
        return _Ended(letter_id, "not_found", "Several projects have one with this id; give --project.")
    for project_id in having or projects:
        with suppress(NoSuchLetter):
            return _Ended(letter_id, *_tried(services, project_id, letter_id, edited, confirmed=confirmed))
    return _Ended(letter_id, "not_found", "It was discarded, went for its age or the cap, or never was.")


def _tried(
    services: Services, project_id: str, letter_id: str, edited: Any, *, confirmed: bool
) -> tuple[State, str]:
    project = services.settings.projects[project_id]
    try:
        done = services.redriver.one(project, letter_id, now_ms(services), edited=edited, confirmed=confirmed)
    except NeedsConfirmation:
        return "needs_confirmation", CONFIRMATION
    except Invalid as wrong:
        return "invalid", wrong.detail
    except OutboxFull:
        return "outbox_full", "Try again once some of it has been delivered."
    if done.before_ms is not None:
        return "redriven_before", f"at {moment(done.before_ms)}; nothing was done"
    return "redriven", f"waits in the outbox {done.outbox}"


def _say_each(ended: list[_Ended], *, as_json: bool) -> int:
    """Say what became of each; return the command's status."""
    good = sum(each.state in _DONE for each in ended)
    if as_json:
        print_json({"ok": good == len(ended), "dead_letters": [asdict(each) for each in ended]})
    else:
        rows = ((each.id, each.state, clean(each.detail, _DETAIL)) for each in ended)
        click.echo(table(("id", "state", "detail"), rows))
        if any(each.state == "needs_confirmation" for each in ended):
            click.echo(f"\n{CONFIRMATION}\nTo send it nevertheless: --confirm-outcome-unknown")
    return 0 if good == len(ended) else LEFT if good else 1


def _by_filter(services: Services, asked: Asked, *, confirmed: bool) -> RedriveStep:
    if asked.dry_run or asked.yes:
        return _walk(services, asked, confirmed=confirmed, dry_run=asked.dry_run)
    counted = _walk(services, asked, confirmed=confirmed, dry_run=True)
    if not counted.redriven:
        return counted
    click.echo(redriven_text(counted, dry_run=True), err=True)
    asked.confirm(f"Send {plural(counted.redriven, 'dead letter')} to Mixpanel again?")
    return _walk(services, asked, confirmed=confirmed, dry_run=False)


def _walk(services: Services, asked: Asked, *, confirmed: bool, dry_run: bool) -> RedriveStep:
    """Take all the steps, project by project, until an outbox is full; return what they came to."""
    total = RedriveStep()
    at_ms = now_ms(services)
    wanted = filter_of(asked.filters, at_ms)
    for project_id in chosen_projects(services.settings, asked.project_id):
        project = services.settings.projects[project_id]
        label = "Counting" if dry_run else "Sending again"
        with progress(label, services.dead_letters.count(project_id), hidden=asked.as_json) as advance:
            place = None
            while not total.full:
                try:
                    step = services.redriver.step(
                        project, wanted, at_ms, place=place, confirmed=confirmed, dry_run=dry_run
                    )
                except OutboxFull:
                    step = RedriveStep(full=True)
                _add(total, step)
                advance(step.looked)
                place = step.next
                if place is None:
                    break
    return total


def _add(total: RedriveStep, step: RedriveStep) -> None:
    total.looked += step.looked
    total.redriven += step.redriven
    total.needs_confirmation += step.needs_confirmation
    total.invalid += step.invalid
    total.faults += step.faults[: FAULTS_A_STEP - len(total.faults)]
    total.full = total.full or step.full


def _say_step(asked: Asked, step: RedriveStep) -> int:
    """Say what was done and what was left; return the command's status."""
    left = bool(step.needs_confirmation or step.invalid or step.full)
    if asked.as_json:
        told = asdict(step)
        del told["next"]
        print_json({"ok": not left, "dry_run": asked.dry_run, **told})
    else:
        click.echo(redriven_text(step, dry_run=asked.dry_run))
    if asked.dry_run or not left:
        return 0
    return LEFT if step.redriven else 1
