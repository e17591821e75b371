"""`POST /engage` and `POST /groups`: updates of user profiles and of group profiles.

Source: https://docs.mixpanel.com/reference/profile-batch-update and /group-batch-update, and the published
OpenAPI description.
"""

from typing import Any

from app.sandbox.api import answers
from app.sandbox.api.answers import Answer
from app.sandbox.api.bodies import read_records
from app.sandbox.api.call import Call
from app.sandbox.api.changes import Step, work_out
from app.sandbox.api.endpoint import Batch
from app.sandbox.api.ingest import Ingested, checked, ingested
from app.sandbox.api.records import check_group_record, check_record
from app.sandbox.config import Limits
from app.sandbox.store.database import Database
from app.sandbox.store.groups import GroupId, Groups
from app.sandbox.store.identities import Identities
from app.sandbox.store.profiles import Profiles


class UpdateDoor:
    """What the two have in common: no credentials but a token, no compression, the same answers."""

    compressible = False

    def refuse(self, _call: Call) -> Answer | None:
        """Turn nobody away."""
        return None

    def read(self, data: bytes, call: Call) -> list[Any]:
        """Return the updates of a body."""
        return read_records(data, call.mimetype)

    def most(self, limits: Limits) -> tuple[int, str]:
        """Return how many updates a request may hold."""
        return limits.max_updates, "updates"

    def outcome(self, call: Call, limits: Limits) -> Answer:
        """Answer as the query string asks."""
        return answers.outcome(call.ingested, call.modes, limits.strict_status)

    def unreadable(self, call: Call, limits: Limits) -> Answer:
        """Answer a request without updates."""
        return answers.unreadable(call.problem, call.modes, limits.strict_status)


class EngageDoor(UpdateDoor):
    """User profiles. Whatever id of a person is addressed, it is the person's one profile that changes."""

    path = "/engage"

    def __init__(self, database: Database, profiles: Profiles, identities: Identities, token: str) -> None:
        self._database = database
        self._profiles = profiles
        self._identities = identities
        self._token = token

    def names(self, record: Any) -> set[str]:
        """Return whose profile a record changes."""
        return {str(record.get("$distinct_id"))} if isinstance(record, dict) else set()

    def apply(self, batch: Batch) -> Ingested:
        """Apply updates in order, in one transaction."""
        updates, failures = checked(
            batch.records,
            lambda record: check_record(record, batch.limits, ip=batch.call.modes.ip),
            batch.limits,
            size_bytes=batch.call.size_bytes,
            refused=batch.refused,
            blamed="$distinct_id",
        )
        own = {index: update for index, update in updates.items() if update.token == self._token}
        with self._database.transaction():
            canonical = self._identities.resolved({update.distinct_id for update in own.values()})
            steps = {
                index: Step(
                    one.distinct_id if one.ignore_alias else canonical.get(one.distinct_id, one.distinct_id),
                    one.kind,
                    one.operand,
                    one.geolocated,
                )
                for index, one in own.items()
            }
            known = self._profiles.properties(list({step.key for step in steps.values()}))
            worked = work_out(steps, known, batch.limits)
            self._profiles.write(worked.changed, batch.now_ms)
        failures += worked.failures
        return ingested(len(batch.records), failures, misdirected=len(updates) - len(own))


class GroupsDoor(UpdateDoor):
    """Group profiles."""

    path = "/groups"

    def __init__(self, database: Database, groups: Groups, token: str) -> None:
        self._database = database
        self._groups = groups
        self._token = token

    def names(self, record: Any) -> set[str]:
        """Return which group a record changes, without its key."""
        return {str(record.get("$group_id"))} if isinstance(record, dict) else set()

    def apply(self, batch: Batch) -> Ingested:
        """Apply updates in order, in one transaction."""
        updates, failures = checked(
            batch.records,
            lambda record: check_group_record(record, batch.limits, ip=batch.call.modes.ip),
            batch.limits,
            size_bytes=batch.call.size_bytes,
            refused=batch.refused,
            blamed="$group_id",
        )
        steps: dict[int, Step[GroupId]] = {
            index: Step(one.group, one.kind, one.operand, one.geolocated)
            for index, one in updates.items()
            if one.token == self._token
        }
        with self._database.transaction():
            known = self._groups.properties({step.key for step in steps.values()})
            worked = work_out(steps, known, batch.limits)
            self._groups.write(worked.changed, batch.now_ms)
        failures += worked.failures
        return ingested(len(batch.records), failures, misdirected=len(updates) - len(steps))
