"""Times as the app API writes them, UTC. Pure."""

from datetime import UTC, datetime


def iso(now_ms: int) -> str:
    """Return a time as `2026-08-01T12:00:00+00:00`."""
    return datetime.fromtimestamp(now_ms // 1000, UTC).isoformat()


def plain(now_ms: int) -> str:
    """Return a time as `2026-08-01 12:00:00`."""
    return datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
