"""`POST /import` and `POST /track`: events, and identity verbs.

Source: https://docs.mixpanel.com/reference/import-events, /track-event, /create-identity,
/identity-create-alias and /identity-merge, and the published OpenAPI descriptions.
"""

from dataclasses import replace
from typing import Any

from app.sandbox.api import answers
from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.bodies import form_fields, read_events, read_records
from app.sandbox.api.call import Call
from app.sandbox.api.credentials import Caller, Credentials
from app.sandbox.api.endpoint import Batch
from app.sandbox.api.event_ingest import EventIngest, Manner
from app.sandbox.api.ingest import Ingested
from app.sandbox.config import Limits
from app.sandbox.identity.systems import device_node

NAMING = ("distinct_id", "$user_id", "$device_id", "$identified_id", "$anon_id", "alias")
TRUSTED = {Caller.SERVICE_ACCOUNT, Caller.SECRET, Caller.OAUTH}


class EventDoor:
    """What the two have in common."""

    compressible = True

    def __init__(self, ingest: EventIngest) -> None:
        self._ingest = ingest

    def most(self, limits: Limits) -> tuple[int, str]:
        """Return how many events a request may hold."""
        return limits.max_events, "events"

    def names(self, record: Any) -> set[str]:
        """Return the ids that an event or an identity verb names; a device also as it is known among ids."""
        properties = record.get("properties") if isinstance(record, dict) else None
        if not isinstance(properties, dict):
            return set()
        found = {str(properties[name]) for name in NAMING if name in properties}
        if "$device_id" in properties:
            found.add(device_node(str(properties["$device_id"])))
        merged = properties.get("$distinct_ids")
        return found | {str(one) for one in (merged if isinstance(merged, list) else ())}


class ImportDoor(EventDoor):
    """`/import`: events of any age, from servers with credentials."""

    path = "/import"

    def __init__(self, ingest: EventIngest, credentials: Credentials) -> None:
        super().__init__(ingest)
        self._credentials = credentials

    def refuse(self, call: Call) -> Answer | None:
        """Turn away whoever has no right credentials, or a role below Admin."""
        found = self._credentials.reader(call)
        if found.caller is Caller.NOBODY:
            return answers.refusal(401, "Invalid credentials")
        if found.role is not None and found.role < Role.ADMIN:
            return answers.refusal(
                401, "Invalid credentials: the service account needs a role of Owner or Admin"
            )
        return None

    def read(self, data: bytes, call: Call) -> list[Any]:
        """Return the events of a body."""
        return read_events(data, call.mimetype)

    def apply(self, batch: Batch) -> Ingested:
        """Take events in."""
        strict = batch.call.modes.strict
        may_merge = strict and self._credentials.caller(batch.call) in TRUSTED
        return self._ingest.apply(batch, Manner("import", strict, may_merge))

    def outcome(self, call: Call, _limits: Limits) -> Answer:
        """Answer as `strict` asks."""
        return answers.imported(call.ingested, call.modes)

    def unreadable(self, call: Call, _limits: Limits) -> Answer:
        """Answer a request without events."""
        return answers.unreadable(call.problem, replace(call.modes, strict=True), 400)


class TrackDoor(EventDoor):
    """`/track`: events of the last days, from anybody who knows the token."""

    path = "/track"

    def refuse(self, _call: Call) -> Answer | None:
        """Turn nobody away."""
        return None

    def read(self, data: bytes, call: Call) -> list[Any]:
        """Return the events of a body; a form may ask for `strict` and the like, too."""
        fields = form_fields(data, call.mimetype)
        if fields:
            call.modes = Modes.of({**fields, **call.query}, images=True)
            call.query = {**fields, **call.query}
        return read_records(data, call.mimetype)

    def apply(self, batch: Batch) -> Ingested:
        """Take events in."""
        call = batch.call
        address = call.address if call.query.get("ip") == "1" else None
        return self._ingest.apply(batch, Manner("track", call.modes.strict, address=address))

    def outcome(self, call: Call, limits: Limits) -> Answer:
        """Answer as the query string asks."""
        return answers.outcome(call.ingested, call.modes, limits.strict_status)

    def unreadable(self, call: Call, limits: Limits) -> Answer:
        """Answer a request without events."""
        return answers.unreadable(call.problem, call.modes, limits.strict_status)
