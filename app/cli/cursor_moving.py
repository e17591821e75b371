"""`flask destinations skip|rewind`: put a cursor elsewhere, once it was said what that means."""

from dataclasses import asdict
from typing import Final, NoReturn

import click

from app.cli.auditing import audited
from app.cli.formatting import number
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.destinations.moving.cursors import OutdatedError, OutOfRangeError
from app.destinations.moving.preview import Bounds, Preview
from app.lanes.lanes import LaneLost
from app.lanes.taking import LaneBusyError, NotPausedError
from app.lanes.work import LANES, LaneKind, lanes_of
from app.services import Services
from config.projects import Project

_NAMES: Final = tuple(name for name, kind in LANES.items() if kind.source in {"log", "outbox"})
name_argument = click.argument("name", metavar="NAME", type=click.Choice(_NAMES))
to_option = click.option(
    "--to", type=click.IntRange(min=0), metavar="SEQUENCE", help="The last settled sequence."
)
entries_option = click.option(
    "--entries", type=click.IntRange(min=1), metavar="N", help="So many, from the cursor."
)
all_option = click.option("--all", "everything", is_flag=True, help="As far as it goes.")
yes_option = click.option("--yes", is_flag=True, help="Do it. Without this, only say what it means.")


@click.command("skip")
@name_argument
@project_option
@to_option
@entries_option
@all_option
@yes_option
@json_option
def skip(
    name: str,
    *,
    project_id: str | None,
    to: int | None,
    entries: int | None,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Leave out what a paused destination would send next: entries of the log, or submissions.

    Without --yes it says what that means, with counts, and does nothing.
    """
    with opened(as_json=as_json) as services:
        project, lane = _found(services, project_id, name)
        bounds = services.cursors.bounds(project, lane)
        wanted = _wanted(bounds.cursor, bounds.latest, to=to, entries=entries, everything=everything)
        if wanted <= bounds.cursor:
            end([_wrong_way(bounds, "skip", "rewind")], as_json=as_json)
        _do(services, project, lane, wanted, yes=yes, as_json=as_json)


@click.command("rewind")
@name_argument
@project_option
@to_option
@entries_option
@all_option
@yes_option
@json_option
def rewind(
    name: str,
    *,
    project_id: str | None,
    to: int | None,
    entries: int | None,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Deliver entries of the log once more: as far back as the log is still there.

    Without --yes it says what that means, with counts, and does nothing.
    """
    with opened(as_json=as_json) as services:
        project, lane = _found(services, project_id, name)
        if lane.outbox:
            end(["An outbox keeps nothing that was delivered, so it cannot be rewound."], as_json=as_json)
        bounds = services.cursors.bounds(project, lane)
        wanted = _wanted(bounds.cursor, bounds.earliest, to=to, entries=entries, everything=everything)
        if wanted >= bounds.cursor:
            end([_wrong_way(bounds, "rewind", "skip")], as_json=as_json)
        _do(services, project, lane, wanted, yes=yes, as_json=as_json)


def _found(services: Services, project_id: str | None, name: str) -> tuple[Project, LaneKind]:
    chosen = chosen_projects(services.settings, project_id)
    if len(chosen) > 1:
        raise click.UsageError(f"Say which project with --project: {', '.join(chosen)}")
    project = services.settings.projects[chosen[0]]
    for lane in lanes_of(project):
        if lane.name == name:
            return project, lane
    raise click.UsageError(f"Project {project.id} has no destination {name}: none of its rules needs one.")


def _wanted(cursor: int, limit: int, *, to: int | None, entries: int | None, everything: bool) -> int:
    if sum((to is not None, entries is not None, everything)) != 1:
        raise click.UsageError("Say how far: --to, --entries or --all.")
    if to is not None:
        return to
    return limit if entries is None else cursor + (entries if limit >= cursor else -entries)


def _wrong_way(bounds: Bounds, wanted: str, other: str) -> str:
    return (
        f"Nothing to {wanted}: the cursor is at {bounds.cursor}, and can be put between {bounds.earliest} and"
        f" {bounds.latest}; see also: flask destinations {other}."
    )


def _do(services: Services, project: Project, lane: LaneKind, to: int, *, yes: bool, as_json: bool) -> None:
    try:
        preview = services.cursors.preview(project, lane, to)
    except OutOfRangeError as error:
        end([f"The cursor can be put {error}."], as_json=as_json)
    if not yes:
        _show(preview, done=False, as_json=as_json)
        return
    resources = {"project_id": project.id, "destination": lane.name}
    with audited(services, f"destinations {preview.action}", **resources) as note:
        note.counts.update(cursor_before=preview.bounds.cursor, cursor=to, entries=preview.entries)
        try:
            services.cursors.move(project, lane, to, preview.confirmation)
        except (NotPausedError, LaneBusyError, OutdatedError, LaneLost) as error:
            _refuse(project, lane, error, as_json=as_json)
    _show(preview, done=True, as_json=as_json)


def _refuse(project: Project, lane: LaneKind, error: Exception, *, as_json: bool) -> NoReturn:
    how = f"flask destinations pause --project {project.id} {lane.name}"
    if isinstance(error, NotPausedError):
        end(
            [f"Nothing was done: it is not paused, so a worker could be at it. First: {how}"], as_json=as_json
        )
    if isinstance(error, LaneBusyError):
        wait = f"{error.wait_s:.0f} s, or less"
        end([f"Nothing was done: a window is under way still ({wait}). Look again then."], as_json=as_json)
    end(["It was moved or delivered meanwhile; look again at what it means."], as_json=as_json)


def _show(preview: Preview, *, done: bool, as_json: bool) -> None:
    bounds = preview.bounds
    if as_json:
        print_json({"ok": True, "done": done, "action": preview.action, **asdict(preview)})
        return
    where = f"Project {bounds.project_id}, {bounds.destination}"
    verb = {"skip": "skips", "rewind": "rewinds"}[preview.action]
    if done:
        click.echo(f"{where}: the cursor was at {number(bounds.cursor)} and is at {number(preview.to)} now.")
    else:
        click.echo(f"{where}: this {verb} from {number(bounds.cursor)} to {number(preview.to)}. It means:")
    click.echo("".join(f"\n- {sentence}" for sentence in preview.means))
    if done:
        how = f"flask destinations resume --project {bounds.project_id} {bounds.destination}"
        click.echo(f"\nIt is paused still; when it may go on: {how}")
    else:
        click.echo(
            f"\nNothing was done. To do it, while it is paused: the same with --to {preview.to} --yes."
        )
