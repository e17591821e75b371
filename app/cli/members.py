"""`flask members ...`: why somebody is in cohorts."""

import click
from flask.cli import AppGroup

from app.cli.formatting import ago, clean, moment, section, table
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option
from app.cohorts.why import Named, Why
from app.status.telling import told_why

members_cli = AppGroup("members", help="The people in the cohorts.")


@members_cli.command("show", with_appcontext=False)
@click.argument("distinct_id")
@project_option
@json_option
def show(distinct_id: str, project_id: str | None, as_json: bool) -> None:
    """Say in which cohorts somebody is, since when, and by which syncs."""
    with opened(as_json=as_json) as services:
        found = [
            (each, why)
            for each in chosen_projects(services.settings, project_id)
            for why in services.whys.of(each, distinct_id)
        ]
        now_ms = services.redis.time()[0] * 1000
    if as_json:
        told = [{"project_id": each, **told_why(why)} for each, why in found]
        print_json({"ok": True, "distinct_id": distinct_id, "cohorts": told})
    elif found:
        click.echo(why_text(found, now_ms))
    else:
        click.echo("In no cohort, as far as the relay knows.")


def why_text(found: list[tuple[str, Why]], now_ms: int) -> str:
    """Return a line a cohort, and what is in doubt below."""
    rows = (
        (
            project_id,
            clean(why.cohort_id),
            clean(why.cohort_name),
            "yes" if why.member else "no",
            f"{moment(why.brought.time_ms)} ({ago(why.brought.time_ms, now_ms)})" if why.brought else "-",
            _named(why.brought),
            _named(why.last_named),
        )
        for project_id, why in found
    )
    headers = ("project", "cohort", "name", "in it", "since", "brought in by", "last named by")
    doubts = [f"{clean(why.cohort_name)}: {doubt}" for _, why in found for doubt in why.doubts]
    text = table(headers, rows)
    return text + "\n\n" + section("NOT CERTAIN YET", "\n".join(doubts)).rstrip() if doubts else text


def _named(named: Named | None) -> str:
    if named is None:
        return "not known"
    page = f", {named.page[0]} page {named.page[1]}" if named.page else ""
    return f"{clean(named.session_id)}{page}"
