"""`flask resyncs ...`: the resyncs there were, and those under way (docs/resync.md)."""

import click
from flask.cli import AppGroup

from app.cli.auditing import audited
from app.cli.formatting import ago, clean, table
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.cli.resync_text import counted, detail, told
from app.resync.state import ResyncState
from app.services import Services

resyncs_cli = AppGroup("resyncs", help="Resyncs of cohorts; `flask cohorts resync` asks for one.")


@resyncs_cli.command("list", with_appcontext=False)
@project_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Of a project.")
@json_option
def list_(project_id: str | None, limit: int, as_json: bool) -> None:
    """List resyncs, the newest first."""
    with opened(as_json=as_json) as services:
        found = [
            state
            for each in chosen_projects(services.settings, project_id)
            for state in services.resyncs.list(each, limit=limit)[0]
        ]
        now_ms = int(services.redis.time()[0]) * 1000
    if as_json:
        print_json({"ok": True, "resyncs": [told(each) for each in found]})
    elif found:
        click.echo(resyncs_table(found, now_ms))
    else:
        click.echo("No resyncs; ask for one with: flask cohorts resync COHORT --mode replay|reconcile")


@resyncs_cli.command("show", with_appcontext=False)
@click.argument("resync_id", metavar="ID")
@json_option
def show(resync_id: str, as_json: bool) -> None:
    """Show one resync: how far it is, or what it came to."""
    with opened(as_json=as_json) as services:
        state = _find(services, resync_id, as_json=as_json)
        text = "" if as_json else detail(services, state)
    if as_json:
        print_json({"ok": True, "resync": told(state)})
    else:
        click.echo(f"Resync {state.id}\n\n{text}")


@resyncs_cli.command("cancel", with_appcontext=False)
@click.argument("resync_id", metavar="ID")
@json_option
def cancel(resync_id: str, as_json: bool) -> None:
    """Stop a resync at its next step; what it has done stays."""
    with opened(as_json=as_json) as services:
        state = _find(services, resync_id, as_json=as_json)
        with audited(services, "resyncs cancel", project_id=state.project_id, resync_id=state.id):
            if not services.resyncs.cancel(resync_id):
                end([f"Resync {state.id} has ended: it is {state.state}."], as_json=as_json)
    if as_json:
        print_json({"ok": True, "cancelling": state.id})
    else:
        click.echo(f"Resync {state.id} stops at its next step.")


def resyncs_table(found: list[ResyncState], now_ms: int) -> str:
    """Return a line a resync."""
    rows = (
        (
            each.id,
            each.cohort_id,
            f"{each.mode}{' (dry run)' if each.dry_run else ''}",
            each.state,
            ago(each.asked_ms, now_ms),
            counted(each),
        )
        for each in found
    )
    return table(("resync", "cohort", "mode", "state", "asked", "came to"), rows)


def _find(services: Services, resync_id: str, *, as_json: bool) -> ResyncState:
    found = services.resyncs.get(resync_id)
    if found is None:
        end([f"There is no resync {clean(resync_id)}; `flask resyncs list` shows all."], as_json=as_json)
    return found
