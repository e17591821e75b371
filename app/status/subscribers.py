"""Tell of webhook subscriptions, as JSON: the same for the HTTP API and for commands."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from app.status.telling import told_time
from app.subscriptions.deliveries import Noted
from app.subscriptions.desk import Seen
from app.subscriptions.subscription import Standing


def told_subscription(seen: Seen, behind: Callable[[str, Standing], int]) -> dict[str, Any]:
    """Tell of one; never of its secrets.

    Args:
        seen: what it wants, and where it stands.
        behind: says how many entries it stands behind a log's end.
    """
    wanted = seen.wanted
    return {
        "id": wanted.id,
        "url": wanted.url,
        "types": sorted(wanted.types),
        "cohorts": list(wanted.cohorts),
        "batch": wanted.batch,
        "rate": wanted.rate,
        "description": wanted.description,
        "created": told_time(wanted.created_ms),
        "secrets": sum(each.valid(time.time_ns() // 1_000_000) for each in wanted.signing),
        "projects": [
            {
                "project_id": project_id,
                "state": standing.state,
                "why": standing.why,
                "by": standing.by,
                "since": told_time(standing.since_ms),
                "position": str(standing.position),
                "behind": behind(project_id, standing),
                "tries": standing.tries,
                "taken": standing.taken,
                "failed": standing.failed,
                "lost": standing.lost,
                "last_taken": told_time(standing.taken_ms),
            }
            for project_id, standing in seen.standings.items()
        ],
    }


def told_noted(noted: Noted) -> dict[str, Any]:
    """Tell of a request to a receiver."""
    told = asdict(noted.delivery)
    del told["trouble"]
    return {"time": told_time(noted.time_ms), **told}
