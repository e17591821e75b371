"""What a pipeline did, as told by when it was made: a task a day, each of which succeeds. Pure.

The description names the lists `canceled`, `retried` and `succeeded`; the filter also knows others, which are
empty here.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.sandbox.api.moments import iso, plain
from app.sandbox.store.documents import Document

STATES = ("pending", "running", "retried", "failed", "canceled", "timed_out", "succeeded")
DAY = timedelta(days=1)
MOST_DAYS = 400


def job(kept: Document, now_ms: int) -> dict[str, str]:
    """Return a pipeline as the list of jobs shows it."""
    begun = datetime.strptime(kept["from_date"], "%Y-%m-%d").replace(tzinfo=UTC)
    behind = begun.timestamp() * 1000 < kept["made_ms"] - 86_400_000
    sync = kept["settings"].get("sync", ["false"])[0].lower()
    return {
        "name": kept["name"],
        "Dispatcher": "backfill" if behind else "live",
        "last_dispatched": f"{plain(_until(kept, now_ms))} UTC",
        "frequency": kept["frequency"],
        "sync_enabled": "true" if sync in {"true", "1"} else "false",
    }


def by_state(kept: Document, now_ms: int, project_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return a pipeline's tasks by what became of them."""
    found = dict[str, list[dict[str, Any]]]((state, []) for state in STATES)
    for day in _past(kept, now_ms):
        run_at = iso(_run_ms(day, kept))
        found["succeeded"].append(
            {
                "project_id": project_id,
                "name": kept["name"],
                "state": "succeeded",
                "last_finish": run_at,
                "run_at": run_at,
                "from_date": str(day),
                "to_date": str(day),
            }
        )
    return found


def days(kept: Document, now_ms: int) -> list[dict[str, Any]]:
    """Return a pipeline's syncs by day."""
    return [
        {
            "date": str(day),
            "sync_times": [f"{plain(_run_ms(day, kept))}.000000 +0000 UTC"],
            "status": "synced",
        }
        for day in _past(kept, now_ms)
    ]


def _past(kept: Document, now_ms: int) -> list[date]:
    """Return the days that are over, from the first one asked for; a paused pipeline did no more."""
    day = date.fromisoformat(kept["from_date"])
    today = datetime.fromtimestamp(_until(kept, now_ms) / 1000, UTC).date()
    last = today - DAY if kept["to_date"] is None else min(today - DAY, date.fromisoformat(kept["to_date"]))
    count = min(max((last - day).days + 1, 0), MOST_DAYS)
    return [day + at * DAY for at in range(count)]


def _until(kept: Document, now_ms: int) -> int:
    return now_ms if kept["paused_ms"] is None else min(now_ms, int(kept["paused_ms"]))


def _run_ms(day: date, kept: Document) -> int:
    """Return when a day was exported: once it was over, or when the pipeline was made."""
    over = datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY
    return max(int(over.timestamp() * 1000), int(kept["made_ms"]))
