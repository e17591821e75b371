"""`flask mixpanel list` and `flask mixpanel budget`: what there is, and what is left of the budgets."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import click

from app.cli.formatting import duration, number, size, table
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option
from app.mixpanel.calling.budgets import FamilyLeft, WindowLeft
from app.mixpanel.catalog.catalog import CATALOG
from app.mixpanel.catalog.families import FAMILIES
from app.mixpanel.catalog.row import Endpoint

_UNITS: Final = {"requests": "", "records": "records ", "bytes": ""}
_EACH: Final[dict[float, str]] = {1: "a second", 60: "a minute", 3600: "an hour"}
_SHORT: Final = {
    "service_account": "account",
    "project_token": "token",
    "project_secret": "secret",
    "oauth": "oauth",
    "signature": "signature",
    "none": "none",
}


@click.command("list")
@click.argument("family", required=False, type=click.Choice(tuple(FAMILIES)), metavar="[FAMILY]")
@json_option
def list_(family: str | None, as_json: bool) -> None:
    """List the endpoints: of a family, or all."""
    rows = [row for row in CATALOG.values() if family in (None, row.family)]
    if as_json:
        print_json({"ok": True, "endpoints": [_facts(row) for row in rows]})
        return
    headers = ("family", "endpoint", "changes", "credentials", "budget", "what it does")
    cells = [
        (
            *(row.family, row.name, "" if row.reads else "yes"),
            ", ".join(_SHORT[kind] for kind in row.credentials),
            row.budget or "",
            row.summary + (" (retired)" if row.retired else ""),
        )
        for row in rows
    ]
    click.echo(table(headers, cells, spare=("budget", "credentials", "changes")))
    click.echo("\nflask mixpanel FAMILY ENDPOINT --help tells the options; `raw` sends anything else.")


@click.command("budget")
@project_option
@json_option
def budget(project_id: str | None, as_json: bool) -> None:
    """Show what is left of each family's budget, and when the next slot is free."""
    with opened(as_json=as_json) as services:
        left = {
            each: services.mixpanel.budget(each) for each in chosen_projects(services.settings, project_id)
        }
    if as_json:
        told = {each: {name: asdict(one) for name, one in found.items()} for each, found in left.items()}
        print_json({"ok": True, "projects": told})
        return
    rows = [
        (each, name, _windows(one.windows), _at_once(one), _next(one))
        for each, found in left.items()
        for name, one in found.items()
    ]
    click.echo(table(("project", "budget", "left", "at once", "next slot"), rows))


def _facts(row: Endpoint) -> dict[str, Any]:
    return {
        "family": row.family,
        "endpoint": row.name,
        "method": row.method,
        "path": row.path,
        "summary": row.summary,
        "credentials": row.credentials,
        "role": row.role,
        "budget": row.budget,
        "changes": not row.reads,
        "retired": row.retired,
        "docs": row.docs,
    }


def _windows(windows: Sequence[WindowLeft]) -> str:
    return "; ".join(
        f"{_amount(one, one.left)} of {_amount(one, one.most)} {_UNITS[one.unit]}{_each(one.length_s)}"
        for one in windows
    )


def _amount(one: WindowLeft, value: int) -> str:
    return size(value) if one.unit == "bytes" else number(value)


def _each(length_s: float) -> str:
    return _EACH.get(length_s) or f"in {duration(length_s)}"


def _at_once(one: FamilyLeft) -> str:
    return f"{one.at_once} of {one.most_at_once}" if one.at_once is not None else ""


def _next(one: FamilyLeft) -> str:
    return f"in {duration(one.next_slot_s)}" if one.next_slot_s >= 1 else "now"
