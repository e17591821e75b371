"""The events that make links in Mixpanel.

Sources: https://docs.mixpanel.com/reference/create-identity,
https://docs.mixpanel.com/reference/identity-create-alias,
https://docs.mixpanel.com/reference/identity-merge and, for an event with both ids,
https://docs.mixpanel.com/docs/tracking-methods/id-management/identifying-users-simplified.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import orjson

from app.destinations.identity.links import Link
from config.links import Verb
from config.projects import Project

LINKED_EVENT: Final = "Identity linked"
"""The event that links a device to a user in a simplified project. It shows in Mixpanel as any other."""

EVENTS: Final[Mapping[Verb, str]] = MappingProxyType(
    {"device": LINKED_EVENT, "identify": "$identify", "alias": "$create_alias", "merge": "$merge"}
)


def record(link: Link, project: Project) -> bytes:
    """Encode the event of a link; the same bytes at every try."""
    properties: dict[str, Any] = {
        "token": project.token.reveal(),
        "time": link.time_ms,
        "$insert_id": link.insert_id,
        "distinct_id": link.first,
        **_ids(link),
    }
    if project.integration_id:
        properties["$source"] = project.integration_id
    return orjson.dumps({"event": EVENTS[link.verb], "properties": properties})


def _ids(link: Link) -> dict[str, Any]:
    if link.verb == "device":
        return {"$user_id": link.first, "$device_id": link.second}
    if link.verb == "identify":
        return {"$identified_id": link.first, "$anon_id": link.second}
    if link.verb == "alias":
        return {"alias": link.second}
    return {"$distinct_ids": [link.first, link.second]}
