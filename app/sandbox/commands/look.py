"""Commands that look at a running sandbox."""

from typing import Any
from urllib.parse import quote

import click
import orjson

from app.sandbox.commands.remote import Remote, remote

SHOWN = ("$email", "$name", "plan", "Cohorts")


@click.command()
@remote
def status(sandbox: Remote) -> None:
    """Show what lives in the sandbox and what happened so far."""
    sandbox.show(sandbox.call("GET", "/"))


@click.command()
@click.argument("distinct_id")
@remote
def profile(sandbox: Remote, distinct_id: str) -> None:
    """Show one profile whole."""
    found = sandbox.call("GET", f"/profiles/{quote(distinct_id, safe='')}")
    sandbox.show(found if sandbox.as_json else {"distinct_id": distinct_id} | found["properties"])


@click.command()
@click.option("--property", "name", help="Only profiles with this property...")
@click.option("--value", help="...equal to this value, or a list with it.")
@click.option("--count", is_flag=True, help="Only say how many.")
@click.option("--limit", default=20, show_default=True)
@remote
def profiles(sandbox: Remote, name: str | None, value: str | None, count: bool, limit: int) -> None:
    """List or count profiles."""
    if count:
        sandbox.show(sandbox.call("GET", "/profile-count", property=name, value=value))
        return
    answer = sandbox.call("GET", "/profiles", property=name, value=value, limit=limit)
    sandbox.show(answer, [_profile_row(one) for one in answer["profiles"]], "no such profiles")


def _profile_row(found: dict[str, Any]) -> dict[str, Any]:
    return {"distinct_id": found["distinct_id"]} | {name: found["properties"].get(name) for name in SHOWN}


@click.command()
@remote
def cohorts(sandbox: Remote) -> None:
    """List cohorts and where their syncs stand."""
    answer = sandbox.call("GET", "/cohorts")
    rows = [
        {
            "id": one["cohort_id"],
            "name": one["name"],
            "members": one["members"],
            "exported": "-" if one["snapshot_ms"] is None else one["snapshot_members"],
            "last sync": (one["last_sync"] or {}).get("state"),
            "why": one["paused"] or (one["last_sync"] or {}).get("reason", ""),
        }
        for one in answer["cohorts"]
    ]
    sandbox.show(answer, rows, "no cohorts")


@click.command()
@click.argument("cohort_id", type=int)
@remote
def members(sandbox: Remote, cohort_id: int) -> None:
    """List who is in a cohort now."""
    answer = sandbox.call("GET", f"/cohorts/{cohort_id}/members")
    sandbox.show(answer, [{"distinct_id": one} for one in answer["current"]], "nobody")


@click.command(name="requests")
@click.option("--direction", type=click.Choice(["in", "out"]), help="in: to the API; out: to the webhook.")
@click.option("--limit", default=20, show_default=True)
@remote
def requests_(sandbox: Remote, direction: str | None, limit: int) -> None:
    """List the last requests."""
    answer = sandbox.call("GET", "/requests", direction=direction, limit=limit)
    rows = [{"request": orjson.dumps(one).decode()} for one in answer["requests"]]
    sandbox.show(answer, rows, "no requests yet")


@click.command()
@click.option(
    "--property", "name", default="Cohorts", show_default=True, help="The list property that names cohorts."
)
@click.option("--against", type=click.Choice(["snapshot", "current"]), default="snapshot", show_default=True)
@remote
def check(sandbox: Remote, name: str, against: str) -> None:
    """Compare each cohort with the profiles that carry its name; exit status 1 if they differ."""
    answer = sandbox.call("GET", "/convergence", property=name, against=against)
    sandbox.show(answer, answer["cohorts"], "no cohorts")
    if not answer["converged"]:
        raise SystemExit(1)


COMMANDS: tuple[click.Command, ...] = (status, profile, profiles, cohorts, members, requests_, check)
