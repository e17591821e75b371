"""Tell of what was read, as JSON: the same for the HTTP API and for commands. Times are ISO 8601, UTC."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.access.audit import Written
from app.cohorts.registry import Cohort
from app.cohorts.sessions import Sync
from app.cohorts.walking import Member
from app.cohorts.why import Named, Why
from app.status.attention import cohort_doubts


def told_time(at_ms: int | None) -> str | None:
    """Write a time; 0 and None, which stand for never, are null."""
    if not at_ms:
        return None
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


def told_entry(written: Written) -> dict[str, Any]:
    """Tell of an entry of the audit log."""
    return {"id": written.id, "time": told_time(written.time_ms), **asdict(written.entry)}


def told_cohort(cohort: Cohort) -> dict[str, Any]:
    """Tell of a cohort."""
    return {
        "id": cohort.id,
        "name": cohort.name,
        "description": cohort.description,
        "members": cohort.members,
        "remembered": cohort.tombstones,
        "quarantined": cohort.quarantined,
        "last_synced": told_time(cohort.synced_ms),
        "renaming_from": list(cohort.renaming_from),
        "doubts": list(cohort_doubts(cohort)),
    }


def told_member(member: Member) -> dict[str, Any]:
    """Tell of a member."""
    since = member.since
    return {
        "distinct_id": member.distinct_id,
        "since": told_time(since.time_ms) if since else None,
        "session_id": since.session_id if since else None,
    }


def told_sync(sync: Sync) -> dict[str, Any]:
    """Tell of a sync."""
    return {
        "session_id": sync.session.id,
        "state": sync.session.state,
        "first_page": told_time(sync.session.began_ms),
        "newest_page": told_time(sync.session.newest_ms),
        "calls": [{"action": action, **asdict(call)} for action, call in sync.calls.items()],
    }


def told_why(why: Why) -> dict[str, Any]:
    """Tell why somebody is in a cohort."""
    return {
        "cohort_id": why.cohort_id,
        "cohort_name": why.cohort_name,
        "member": why.member,
        "since": told_time(why.brought.time_ms) if why.brought else None,
        "brought_by": _told_named(why.brought),
        "last_named_by": _told_named(why.last_named),
        "doubts": list(why.doubts),
    }


def _told_named(named: Named | None) -> dict[str, Any] | None:
    if named is None:
        return None
    return {
        "session_id": named.session_id,
        "time": told_time(named.time_ms),
        "state": named.state,
        "page": {"action": named.page[0], "number": named.page[1]} if named.page else None,
    }
