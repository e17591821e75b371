"""`flask cohorts silent|mute|unmute`: cohorts that nothing is heard of any more."""

import click

from app.cli.auditing import audited
from app.cli.finding import names_of, one_cohort
from app.cli.formatting import ago, table
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option


@click.command("silent")
@project_option
@json_option
def silent(project_id: str | None, as_json: bool) -> None:
    """List the cohorts that Mixpanel does not call for any more, the longest silent first."""
    with opened(as_json=as_json) as services:
        found = [
            (each, silence)
            for each in chosen_projects(services.settings, project_id)
            for silence in services.copies.silences(
                each, services.cohorts.list(each), services.copies.audit(each)
            )
        ]
        names = names_of(services, {each for each, _ in found})
        now_ms = int(services.redis.time()[0]) * 1000
    if as_json:
        told = [{"project_id": each, "silence": silence} for each, silence in found]
        print_json({"ok": True, "silences": told})
        return
    rows = [
        (
            each,
            silence.cohort_id,
            names.get((each, silence.cohort_id), ""),
            ago(silence.heard_ms, now_ms),
            "muted" if silence.muted else "deleted in Mixpanel" if silence.unlisted else "",
        )
        for each, silence in found
    ]
    click.echo(
        table(("project", "cohort", "name", "heard", "notes"), rows) if rows else "No cohort is silent."
    )


@click.command("mute")
@click.argument("cohort")
@project_option
@json_option
def mute(cohort: str, project_id: str | None, as_json: bool) -> None:
    """Tell no more of a cohort's silence, until its next page comes. COHORT is its id or its name."""
    with opened(as_json=as_json) as services:
        found = one_cohort(services, cohort, project_id, as_json=as_json)
        with audited(services, "cohorts mute", project_id=found.project_id, cohort_id=found.cohort.id):
            services.copies.muting.mute(found.project_id, found.cohort.id)
    if as_json:
        print_json({"ok": True, "muted": found.cohort.id})
    else:
        click.echo(f"Cohort {found.cohort.id} is muted until its next page comes.")


@click.command("unmute")
@click.argument("cohort")
@project_option
@json_option
def unmute(cohort: str, project_id: str | None, as_json: bool) -> None:
    """Tell of a cohort's silence again. COHORT is its id or its name."""
    with opened(as_json=as_json) as services:
        found = one_cohort(services, cohort, project_id, as_json=as_json)
        with audited(services, "cohorts unmute", project_id=found.project_id, cohort_id=found.cohort.id):
            was = services.copies.muting.unmute(found.project_id, found.cohort.id)
    if as_json:
        print_json({"ok": True, "unmuted": found.cohort.id, "was_muted": was})
    else:
        click.echo(f"Cohort {found.cohort.id} {'is not muted any more' if was else 'was not muted'}.")
