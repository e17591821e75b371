"""`flask members ...`: why somebody is in cohorts."""

import click
from flask.cli import AppGroup

from app.cli.formatting import ago, clean, moment
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
    """Return a paragraph a cohort: it is about few of them, and each has much to say."""
    return "\n\n".join(_about(project_id, why, now_ms) for project_id, why in found)


def _about(project_id: str, why: Why, now_ms: int) -> str:
    since = f"{moment(why.brought.time_ms)} ({ago(why.brought.time_ms, now_ms)})" if why.brought else "-"
    fields = [
        ("In it", "yes" if why.member else "no"),
        ("Since", since),
        ("Brought by", _named(why.brought)),
        ("Last named", _named(why.last_named)),
        *(("Not certain", doubt) for doubt in why.doubts),
    ]
    lines = [f"  {name:<12} {value}" for name, value in fields]
    title = f"Cohort {clean(why.cohort_id)} of project {project_id}: {clean(why.cohort_name)}"
    return "\n".join([title, "", *lines])


def _named(named: Named | None) -> str:
    if named is None:
        return "not known"
    page = f", {named.page[0]} page {named.page[1]}" if named.page else ""
    return f"{clean(named.session_id)}{page}"
