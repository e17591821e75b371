"""`flask people ...`: erase people, and see how that goes (docs/erasure.md)."""

import sys
import time
from dataclasses import asdict
from typing import Final

import click
from flask.cli import AppGroup

from app.access.audit import hashed
from app.cli.auditing import audited
from app.cli.formatting import ago, clean, moment, plural, table
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.erasure.erasures import NoDeletionAccess
from app.erasure.state import ErasureState
from app.services import Services

people_cli = AppGroup("people", help="The people whom the relay knows: erase them.")

_LOOK_S: Final = 0.5
_LEFT: Final = 3


@people_cli.command("erase", with_appcontext=False)
@click.argument("distinct_id")
@project_option
@click.option("--mixpanel", is_flag=True, help="Also file Mixpanel's own deletion.")
@click.option(
    "--dry-run", is_flag=True, help="Only say which ids are the person's, and where they are members."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="Leave it to the workers.")
@json_option
def erase(
    distinct_id: str,
    project_id: str | None,
    *,
    mixpanel: bool,
    dry_run: bool,
    yes: bool,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Erase a person, with all ids that the relay has linked; `-` reads the id from standard input."""
    if distinct_id == "-":  # a shell keeps what was typed
        distinct_id = sys.stdin.readline().rstrip("\r\n")
    if not distinct_id or any("\ud800" <= character <= "\udfff" for character in distinct_id):
        raise click.BadParameter("must be text in UTF-8, and not empty", param_hint="DISTINCT_ID")
    with opened(as_json=as_json) as services:
        (chosen, *others) = chosen_projects(services.settings, project_id)
        if others:
            raise click.UsageError("There are several projects; say which: --project ID")
        ids = services.erasures.known(chosen, distinct_id)
        if dry_run:
            _show_what_there_is(services, chosen, ids, as_json=as_json)
            return
        if not (yes or as_json):
            what = "and have Mixpanel delete them, too" if mixpanel else "and leave Mixpanel as it is"
            click.confirm(
                f"Erase a person of {plural(len(ids), 'id')} {what}? It cannot be undone.", abort=True
            )
        state = _ask(services, chosen, distinct_id, mixpanel=mixpanel, as_json=as_json)
        if not no_wait:
            state = _wait(services, state, quiet=as_json)
    if as_json:
        print_json({"ok": True, "erasure": asdict(state)})
    else:
        click.echo(erasure_text(state))
    failed = state.mixpanel.state == "failed"
    sys.exit(_LEFT if failed or not (state.ended or no_wait) else 0)


@people_cli.command("erasures", with_appcontext=False)
@click.argument("erasure_id", metavar="[ID]", required=False)
@project_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Of a project.")
@json_option
def erasures(erasure_id: str | None, project_id: str | None, limit: int, *, as_json: bool) -> None:
    """List erasures, the newest first, or show one. None of it names the person."""
    with opened(as_json=as_json) as services:
        if erasure_id is not None:
            _show(services, erasure_id, as_json=as_json)
            return
        found = [
            state
            for each in chosen_projects(services.settings, project_id)
            for state in services.erasures.page(each, limit=limit)[0]
        ]
        now_ms = int(services.redis.time()[0]) * 1000
    if as_json:
        print_json({"ok": True, "erasures": [asdict(each) for each in found]})
    elif found:
        click.echo(erasures_table(found, now_ms))
    else:
        click.echo("Nobody was erased; erase somebody with: flask people erase DISTINCT_ID")


def erasures_table(found: list[ErasureState], now_ms: int) -> str:
    """Return a line an erasure."""
    headers = ("erasure", "state", "asked", "ids", "mixpanel", "waits for")
    rows = (
        (each.id, each.state, ago(each.asked_ms, now_ms), str(each.ids), each.mixpanel.state, each.reason)
        for each in found
    )
    return table(headers, rows)


def erasure_text(state: ErasureState) -> str:
    """Return all that is known of an erasure."""
    counts = ", ".join(f"{number} {name}" for name, number in state.counts.items())
    lines = [
        ("State", f"{state.state}: {state.reason}" if state.reason else state.state),
        ("Asked", f"{moment(state.asked_ms)} by {clean(state.asked_by)}"),
        ("Ids", str(state.ids)),
        ("Taken out", counts or "nothing so far" if not state.ended else counts or "nothing was there"),
        ("Rewritten", state.persisted or "not yet"),
        ("Left out until", moment(state.suppressed_until_ms)),
        ("Mixpanel", f"{state.mixpanel.state}: {state.mixpanel.reason}".removesuffix(": ")),
    ]
    lines += [("", f"{task}: {word}") for task, word in state.mixpanel.tasks.items()]
    return f"Erasure {state.id}\n\n" + "\n".join(f"  {name:<15} {value}" for name, value in lines)


def _ask(
    services: Services, project_id: str, distinct_id: str, *, mixpanel: bool, as_json: bool
) -> ErasureState:
    project = services.settings.projects[project_id]
    person = hashed(distinct_id, services.settings.secret_key)
    with audited(services, "people erase", project_id=project_id, distinct_id=person) as note:
        try:
            state, _ = services.erasures.ask(project, distinct_id, mixpanel=mixpanel, asked_by="command line")
        except NoDeletionAccess:
            end(["The project has no OAuth token (oauth_token), so nothing can be filed."], as_json=as_json)
        note.resources["erasure_id"] = state.id
    return state


def _wait(services: Services, state: ErasureState, *, quiet: bool) -> ErasureState:
    """Wait until it has ended, or only Mixpanel is at it; Ctrl-C leaves it to the workers."""
    told = ""
    try:
        while not state.ended and state.state != "deleting":
            now = f"{state.state}: {state.reason}" if state.reason else state.state
            if now != told and not quiet:
                click.echo(now, err=True)
                told = now
            time.sleep(_LOOK_S)
            state = services.erasures.get(state.id) or state
    except KeyboardInterrupt:
        click.echo(f"The workers go on; see: flask people erasures {state.id}", err=True)
    return state


def _show(services: Services, erasure_id: str, *, as_json: bool) -> None:
    state = services.erasures.get(erasure_id)
    if state is None:
        end([f"There is no erasure {clean(erasure_id)}; `flask people erasures` lists all."], as_json=as_json)
    if as_json:
        print_json({"ok": True, "erasure": asdict(state)})
    else:
        click.echo(erasure_text(state))


def _show_what_there_is(services: Services, project_id: str, ids: list[str], *, as_json: bool) -> None:
    cohorts = sorted({why.cohort_id for each in ids for why in services.whys.of(project_id, each)})
    if as_json:
        print_json({"ok": True, "ids": ids, "cohorts": cohorts})
        return
    click.echo(f"{plural(len(ids), 'id')} of one person, as far as the relay knows:")
    click.echo("\n".join(f"  {clean(each)}" for each in ids))
    click.echo(
        f"In {plural(len(cohorts), 'cohort')}{': ' + ', '.join(map(clean, cohorts)) if cohorts else ''}."
    )
