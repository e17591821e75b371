"""How far each of a project's destinations gets, and what to do where it does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from app.destinations.status import DestinationStatus
from app.status.checks import Check
from app.status.overview import OutboxStatus, ProjectStatus

LAGGING_S: Final = 300.0
STUCK_S: Final = 3_600.0
"""A window that fails for so long does not pass by itself."""
NEARLY_FULL: Final = 0.9

_BY_TOKEN: Final = frozenset({"profiles", "profiles-outbox", "groups-outbox"})
_STUCK: Final = "see Mixpanel's status page and `flask doctor`; all is kept, and tried again by itself"
_KEPT: Final = "and restart the workers; all is kept, and then delivered"


def destination_checks(project: ProjectStatus, now_ms: int) -> Iterator[Check]:
    """Look at each destination, and at the room in its outbox where it has one."""
    for name, status in project.destinations.items():
        check = _destination(project.id, name, status, now_ms)
        outbox = project.outboxes.get(name)
        yield _with_room(check, outbox) if outbox else check


def _destination(project_id: str, name: str, status: DestinationStatus, now_ms: int) -> Check:
    if status.state == "stopped":
        return Check(name, "fail", f"stopped: {status.reason}", _credential(name), project_id)
    if status.state == "paused":
        return _paused(project_id, name, status)
    unit = "log entries" if status.unit == "entries" else status.unit
    behind = f"{status.behind:,} {unit} behind, the oldest {status.lag_s:,.0f} s old"
    if status.state == "retrying":
        found = f"failed {status.tries} times so far: {status.reason}; {behind}"
        if status.since_ms and now_ms - status.since_ms >= STUCK_S * 1000:
            since = datetime.fromtimestamp(status.since_ms / 1000, UTC)
            found = f"has not got on since {since:%Y-%m-%d %H:%M} UTC, {found}"
            return Check(name, "fail", found, _STUCK, project_id)
        return Check(name, "warn", found, "nothing, if it passes: it is tried again by itself", project_id)
    if status.lag_s > LAGGING_S:
        return Check(name, "warn", behind, "see its lane, its workers and their log", project_id)
    return Check(name, "ok", behind if status.behind else "up to date", project_id=project_id)


def _paused(project_id: str, name: str, status: DestinationStatus) -> Check:
    """Tell that somebody holds it; of a whole project that is paused, that is told once."""
    held = f"{status.reason}; {status.behind:,} {status.unit} wait"
    if status.with_project:
        return Check(name, "ok", held, project_id=project_id)
    advice = f"when it may go on: flask destinations resume --project {project_id} {name}"
    return Check(name, "warn", held, advice, project_id)


def _credential(name: str) -> str:
    """Say what to correct where Mixpanel refuses what a destination shows."""
    what = "the token" if name in _BY_TOKEN else "the service account (the token, where there is none)"
    return f"correct {what} or the address {_KEPT}; if nothing was wrong: flask destinations resume"


def _with_room(check: Check, outbox: OutboxStatus) -> Check:
    """Add to a check that the outbox is nearly full."""
    if outbox.bytes < NEARLY_FULL * outbox.cap_bytes:
        return check
    full = f"{outbox.bytes / outbox.cap_bytes:.0%} of OUTBOX_CAP_BYTES is waiting: services are answered 429"
    if check.verdict != "ok":
        return replace(check, found=f"{check.found}; {full}")
    return replace(check, verdict="warn", found=full, advice="see its lane, its workers and their log")
