"""`/stream/query`: what some people did.

Source: https://developer.mixpanel.com/reference/activity-stream-query and the published OpenAPI description.
"""

from typing import Any

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.reading import EventReader
from app.sandbox.store.events import StoredEvent


class Activity:
    """Answers queries for people's events."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    def query(self, asked: Asked) -> Answer:
        """Show the events of the people asked for, in the order of time."""
        days = asked.days()
        found = {
            one.sequence: one
            for person in asked.names("distinct_ids")
            for one in self._reader.of_person(person, *days)
        }
        order = sorted(found.values(), key=lambda one: (one.time_ms, one.sequence))
        return said({"status": "ok", "results": {"events": [_shown(one) for one in order]}})


def _shown(event: StoredEvent) -> dict[str, Any]:
    known = {"time": event.time_ms // 1000, "distinct_id": event.distinct_id, "$insert_id": event.insert_id}
    return {"event": event.event, "properties": event.properties | known}
