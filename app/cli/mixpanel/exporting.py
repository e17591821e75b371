"""`flask mixpanel export events`: raw events to a file, gone on with where it stopped, or to a stream."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from app.cli.formatting import number, plural, size
from app.cli.mixpanel.calls import calling, failing, help_of
from app.cli.mixpanel.choices import Choices, choice_options, choices_of, chosen_project
from app.cli.mixpanel.options import arguments_of, options_of
from app.cli.opening import end, print_json
from app.mixpanel.calling.exporting import Exporter
from app.mixpanel.calling.journal import Exported, NotResumable
from app.mixpanel.catalog.row import Endpoint
from app.services import Services

_PERIOD: Final = frozenset({"from_date", "to_date"})
_SHOWN_EVERY_S: Final = 0.1
_DAY: Final = click.DateTime(formats=["%Y-%m-%d"])
_MORE: Final = """\
A file is written day by day; called again after a break, the same command goes on at the first day that is
not complete. Until the end, FILE.progress stands beside it."""


def export_command(row: Endpoint) -> click.Command:
    """Make the command of the raw export."""

    def run(**given: Any) -> None:
        choices = choices_of(given)
        with calling(choices) as services:
            _run(services, row, choices, given)

    # --from and --to are days here, and --csv is nothing that events could be written as.
    own = [one for one in options_of(row) if not {"--from", "--to"} & set(one.opts)]
    shared = [one for one in choice_options() if "--csv" not in one.opts]
    return click.Command(
        row.name,
        params=[*_own_options(), *own, *shared, click.Option(["--csv", "as_csv"], is_flag=True, hidden=True)],
        callback=run,
        help=f"{help_of(row)}\n\n{_MORE}",
        short_help=row.summary,
        epilog=row.docs,
    )


def _own_options() -> list[click.Option]:
    return [
        click.Option(
            ["--from-date", "--from", "first"], type=_DAY, required=True, help="First day, inclusive."
        ),
        click.Option(["--to-date", "--to", "last"], type=_DAY, required=True, help="Last day, inclusive."),
        click.Option(
            ["--file", "path"],
            required=True,
            metavar="FILE",
            help="Where to; - is standard output, and can not be gone on with.",
        ),
        click.Option(["--gzip", "compress"], is_flag=True, help="Write gzip; so is what ends in .gz."),
        click.Option(
            ["--step-days"],
            type=click.IntRange(1),
            default=1,
            show_default=True,
            help="Days of a request. Mixpanel allows 60 requests an hour.",
        ),
    ]


def _run(services: Services, row: Endpoint, choices: Choices, given: dict[str, Any]) -> None:
    project = chosen_project(services, choices)
    first, last = given["first"].date(), given["last"].date()
    if last < first:
        raise click.UsageError("--to is before --from.")
    path = given["path"]
    compress = given["compress"] or path.endswith(".gz")
    if path == "-" and compress:
        raise click.UsageError("Standard output is not compressed here: pipe it through gzip.")
    if choices.as_json and path == "-":
        raise click.UsageError("Standard output has room for the events or for --json, not both.")
    arguments = {name: one for name, one in arguments_of(row, given).items() if name not in _PERIOD}
    with failing(choices, row), _bar(first, last) as tell:
        exporter = Exporter(
            services.mixpanel,
            project,
            arguments,
            step_days=given["step_days"],
            wait=choices.patience(),
            options=choices.options,
            tell=tell,
        )
        done = _written(exporter, path, (first, last), choices, compress=compress)
    if choices.as_json:
        print_json({"ok": True, "events": done.events, "days": done.days_done, "size_bytes": done.size_bytes})
    else:
        told = f"{plural(done.events, 'event')} of {plural(done.days_done, 'day')}, {size(done.size_bytes)}"
        click.echo(f"{told}{'' if path == '-' else f', in {path}'}.", err=True)


def _written(
    exporter: Exporter, path: str, days: tuple[date, date], choices: Choices, *, compress: bool
) -> Exported:
    if path == "-":
        done = exporter.to_stream(sys.stdout.buffer, *days)
        sys.stdout.buffer.flush()
        return done
    try:
        return exporter.to_file(Path(path), *days, compress=compress)
    except (NotResumable, OSError) as error:
        end([f"{error}."], as_json=choices.as_json)


@contextmanager
def _bar(first: date, last: date) -> Iterator[Callable[[Exported], None]]:
    """Show the days that are done, events a second and the time that is left, where somebody sees it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    begun_s, shown_s = time.monotonic(), 0.0
    before: Exported | None = None
    now = ""
    bar: Any = click.progressbar(
        length=(last - first).days + 1,
        label="Exporting",
        show_pos=True,
        show_eta=True,
        item_show_func=lambda _: now,
        file=sys.stderr,
    )

    def tell(done: Exported) -> None:
        nonlocal shown_s, before, now
        before = before or done
        now_s = time.monotonic()
        if now_s - shown_s < _SHOWN_EVERY_S and done.next_day <= last:
            return
        shown_s = now_s
        rate = (done.events - before.events) / max(now_s - begun_s, _SHOWN_EVERY_S)
        now = f"{number(done.events)} events, {rate:,.0f}/s"
        bar.update(done.days_done - bar.pos, current_item=done)

    with bar:
        yield tell
