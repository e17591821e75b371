"""`flask consumers ...`: who reads the change log in Redis, how far each has come, and forgetting one."""

from dataclasses import asdict

import click
from flask.cli import AppGroup

from app.cli.auditing import audited
from app.cli.formatting import clean, duration, number, table
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.cohorts.consumers import GroupStatus

consumers_cli = AppGroup("consumers", help="Who reads the change log in Redis: how they stand; forget one.")


@consumers_cli.command("list", with_appcontext=False)
@project_option
@json_option
def list_(project_id: str | None, as_json: bool) -> None:
    """List the consumer groups, for which the log is kept within limits (docs/streams.md)."""
    with opened(as_json=as_json) as services:
        chosen = chosen_projects(services.settings, project_id)
        found = {each: services.consumers.list(each) for each in chosen}
    if as_json:
        told = {each: [asdict(group) for group in groups] for each, groups in found.items()}
        print_json({"ok": True, "projects": told})
        return
    headers = (
        "project",
        "consumer",
        "lag",
        "oldest",
        "pending",
        "idle",
        "of what it may be behind",
        "missing",
    )
    rows = [(each, *_row(group)) for each, groups in found.items() for group in groups]
    click.echo(table(headers, rows, numbers=("lag", "pending")) if rows else "No consumer groups.")


@consumers_cli.command("forget", with_appcontext=False)
@click.argument("name")
@project_option
@json_option
def forget(name: str, project_id: str | None, as_json: bool) -> None:
    """Drop a consumer group, so that the log is no longer kept for it. Who reads by it is refused then."""
    with (
        opened(as_json=as_json) as services,
        audited(services, "consumers forget", consumer=name) as note,
    ):
        chosen = chosen_projects(services.settings, project_id)
        if len(chosen) > 1:
            raise click.UsageError(f"Say which project with --project: {', '.join(chosen)}")
        note.resources["project_id"] = chosen[0]
        if not services.consumers.forget(chosen[0], name):
            problem = f"Project {chosen[0]} has no consumer group {clean(name)}: see flask consumers list"
            end([problem], as_json=as_json)
    if as_json:
        print_json({"ok": True, "project": chosen[0], "consumer": name})
    else:
        click.echo(f"Project {chosen[0]}: {clean(name)} is forgotten.")


def _row(group: GroupStatus) -> tuple[str, ...]:
    missing = f"{group.missing[0]}-{group.missing[1]}" if group.missing else ""
    return (
        clean(group.name),
        number(group.lag),
        duration(group.lag_s) if group.lag else "",
        number(group.pending),
        "never asked" if group.idle_s is None else duration(group.idle_s),
        f"{group.share:.0%}",
        missing,
    )
