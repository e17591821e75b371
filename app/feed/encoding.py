"""Write events as CloudEvents 1.0 in their JSON format.

The library makes the event and checks its attributes. What it would write is written by orjson instead: of an
event with 1,000 members the library takes 0.24 ms (0.56 ms with two properties each), orjson 0.01 (0.03).
"""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import orjson
from cloudevents.core.v1.event import CloudEvent

from app.feed.event import Event
from app.feed.types import PREFIX, TYPES, VERSION

CONTENT_TYPE: Final = "application/cloudevents+json"
SCHEMAS: Final = "/api/v1/events/schemas"
"""Where the relay serves the schemas of the data, by type (without the prefix) and version."""


class Encoder:
    """Writes events.

    Args:
        public_url: of the relay, as subscribers reach it.
    """

    def __init__(self, public_url: str) -> None:
        self._schemas = public_url.rstrip("/") + SCHEMAS

    def encode(self, event: Event, previous: str | None = None) -> bytes:
        """Return the event as structured JSON.

        Args:
            event: what is told.
            previous: id of the event sent before to this subscriber; None for its first.
        """
        cloud = self.cloud_event(event, previous)
        whole = {**cloud.get_attributes(), "data": cloud.get_data()}
        return orjson.dumps(whole, option=orjson.OPT_UTC_Z)

    def cloud_event(self, event: Event, previous: str | None = None) -> CloudEvent:
        """Return the event as the library knows it."""
        attributes: dict[str, Any] = {
            "specversion": "1.0",
            "id": event.id,
            "source": f"/projects/{quote(event.project_id, safe='')}",
            "type": event.type,
            "time": datetime.fromtimestamp(event.time_ms / 1000, UTC),
            "datacontenttype": "application/json",
            "generation": event.position.generation,
            "sequence": f"{event.position.sequence:020d}",
        }
        if event.cohort_id:
            attributes["subject"] = f"cohorts/{quote(event.cohort_id, safe='')}"
        if event.type in TYPES:
            attributes["dataschema"] = f"{self._schemas}/{event.type.removeprefix(PREFIX)}/{VERSION}"
        if previous is not None:
            attributes["previous"] = previous
        return CloudEvent(attributes, dict(event.data))
