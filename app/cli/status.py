"""`flask status`: how everything stands, at a glance."""

import textwrap
from collections.abc import Iterator, Sequence

import click

from app.cli.formatting import clean, moment, section, terminal_width
from app.cli.opening import json_option, opened, print_json
from app.cli.status_tables import (
    cohorts_table,
    destinations_table,
    lanes_table,
    outboxes_table,
    processes_table,
    projects_table,
    queues_table,
    subscribers_table,
)
from app.status.attention import needs_attention
from app.status.checks import Check
from app.status.overview import Overview, read_overview


# Without an application: wrong settings are to be listed, not to be stumbled over.
@click.command("status")
@json_option
def status(as_json: bool) -> None:
    """Show projects, cohorts, inbox, lanes, destinations, processes and queues."""
    with opened(as_json=as_json) as services:
        overview = read_overview(services)
    attention = needs_attention(overview)
    if as_json:
        print_json({"ok": all(check.ok for check in attention), "attention": attention, "status": overview})
    else:
        click.echo("\n".join(_parts(overview, attention, terminal_width())))


def _parts(overview: Overview, attention: Sequence[Check], width: int | None) -> Iterator[str]:
    yield f"cohort-relay at {moment(overview.at_ms)}\n"
    yield section("PROJECTS", projects_table(overview, width))
    yield section("DESTINATIONS", destinations_table(overview, width))
    if any(project.outboxes for project in overview.projects):
        yield section("OUTBOXES", outboxes_table(overview, width))
    if any(project.subscribers for project in overview.projects):
        yield section("SUBSCRIPTIONS", subscribers_table(overview, width))
    yield section("LANES", lanes_table(overview, width))
    yield section("COHORTS", cohorts_table(overview, width))
    yield section("PROCESSES", processes_table(overview))
    yield section("QUEUES", queues_table(overview))
    yield attention_text(attention, width)


def attention_text(attention: Sequence[Check], width: int | None = None) -> str:
    """Return what a person should know or do, or that there is nothing."""
    if not attention:
        return "All is well."
    lines = []
    for check in attention:
        whose = f"project {check.project_id}, {check.name}" if check.project_id else check.name
        lines += _broken(f"{check.verdict.upper():<4}  ", f"{whose}: {clean(check.found, 300)}", width)
        lines += _broken("      -> ", check.advice, width) if check.advice else []
    return section("NEEDS ATTENTION", "\n".join(lines)).rstrip()


def _broken(head: str, text: str, width: int | None) -> list[str]:
    """Break a text into lines that begin behind its head."""
    return textwrap.wrap(
        text, width or len(head + text) + 1, initial_indent=head, subsequent_indent=" " * len(head)
    )
