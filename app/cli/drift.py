"""`flask drift ...`: what the scheduled audit found (docs/resync.md)."""

import click
from flask.cli import AppGroup

from app.cli.finding import names_of
from app.cli.formatting import ago, clean, number, table
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option
from app.resync.audit.findings import AuditState
from app.resync.audit.judging import Check
from app.resync.state import id_of

drift_cli = AppGroup("drift", help="Cohorts whose copy differs from Mixpanel's, as audits found.")
_SAYS = {
    "reading": "being read",
    "settling": "differs; its next sync may explain it",
    "drift": "DRIFT",
    "same": "nobody differs, the count is an estimate",
}


@drift_cli.command("list", with_appcontext=False)
@project_option
@json_option
def list_(project_id: str | None, as_json: bool) -> None:
    """List the cohorts whose counts differed, and what reading them has shown."""
    with opened(as_json=as_json) as services:
        chosen = chosen_projects(services.settings, project_id)
        found = {each: services.copies.audit(each) for each in chosen}
        asks = {each for each in chosen if services.settings.projects[each].service_account}
        every_s = services.settings.audit_interval_s
        names = names_of(services, [each for each, state in found.items() if state.checks])
        now_ms = int(services.redis.time()[0]) * 1000
    if as_json:
        print_json({"ok": True, "projects": found})
        return
    for each, state in found.items():
        click.echo(f"Project {each}: {_said(state, now_ms, asks=each in asks and every_s > 0)}")
    rows = [
        _row(each, check, names.get((each, check.cohort_id), ""), now_ms)
        for each, state in found.items()
        for check in state.checks.values()
    ]
    if rows:
        counts = ("ours", "Mixpanel's", "missing", "too many")
        headers = ("project", "cohort", "name", *counts, "read", "as", "")
        click.echo("\n" + table(headers, rows, numbers=counts, spare=("name", "project")))


def _said(state: AuditState, now_ms: int, *, asks: bool) -> str:
    """Say when counts were compared."""
    if not asks:
        return "no audits, for want of a service account, or by AUDIT_INTERVAL_S=0."
    compared = f"counts compared {ago(state.listed_ms, now_ms)}" if state.listed_ms else "not compared yet"
    return f"{compared}, {len(state.drifts)} drifted" + (
        f"; {clean(state.reason, 80)}" if state.reason else ""
    )


def _row(project_id: str, check: Check, name: str, now_ms: int) -> tuple[str, ...]:
    return (
        project_id,
        check.cohort_id,
        name,
        number(check.ours),
        number(check.theirs),
        number(check.missing),
        number(check.surplus),
        ago(check.looked_ms, now_ms),
        id_of(project_id, check.resync),
        _SAYS[check.state] if not check.raised or check.state == "drift" else f"DRIFT, {_SAYS[check.state]}",
    )
