"""Dead letters as lanes leave them behind, and a redriver over a real Redis."""

from typing import Any, cast

import orjson
from redis import Redis

from app.destinations.dead_letters import Code, DeadLetters
from app.destinations.dead_letters.redriving import Redriver
from app.destinations.outbox import Outboxes
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.lanes.work import OutboxName
from app.store import keys
from config.links import IdManagement
from config.projects import HOSTS, Project
from config.secret import Secret

P = "1001"
TOKEN = "0123456789abcdef" * 2
NOW_MS = 1_800_000_000_000
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def project(id_management: IdManagement = "simplified") -> Project:
    return Project(
        P, "Shop", "us", Secret(TOKEN), HOSTS["us"], webhook_credentials=(), id_management=id_management
    )


def profile(distinct_id: str = "someone", **operation: Any) -> dict[str, Any]:
    """An update as it was sent, with the token; operations without their `$`."""
    operations = operation or {"union": {"Cohorts": ["VIP"]}}
    return {"$token": TOKEN, "$distinct_id": distinct_id, **{f"${name}": x for name, x in operations.items()}}


def event(distinct_id: str = "someone", **properties: Any) -> dict[str, Any]:
    """An event as a rule makes it."""
    plain = {"distinct_id": distinct_id, "time": NOW_MS - DAY_MS, "$insert_id": "abc", "$source": "relay"}
    return {"event": "Entered VIP", "properties": {**plain, **properties}}


def group(**operation: Any) -> dict[str, Any]:
    operations = operation or {"set": {"Seats": 12}}
    named = {f"${name}": value for name, value in operations.items()}
    return {"$token": TOKEN, "$group_key": "Company", "$group_id": "Acme", **named}


class Letters:
    """Writes dead letters, and redrives them."""

    def __init__(self, redis: Redis, *, cap_bytes: int = 100_000_000) -> None:
        lanes = Lanes(redis, LaneQueue(redis), 15.0)
        self.redis = redis
        self._added = 0
        self.letters = DeadLetters(redis)
        self.outboxes = Outboxes(redis, lanes, cap_bytes)
        self.redriver = Redriver(redis, lanes, self.letters, cap_bytes)
        self.project = project()

    def add(
        self,
        record: Any = None,
        *,
        destination: str = "profiles",
        code: Code = "refused",
        reason: str = "a reason",
        at_ms: int | None = None,
    ) -> str:
        """Write a letter, given up at this time; return its id."""
        fields = {
            "destination": destination,
            "time_ms": NOW_MS if at_ms is None else at_ms,
            "code": code,
            "reason": reason,
            "response": '{"status": 0}',
            "record": record if isinstance(record, bytes) else orjson.dumps(record or profile()),
        }
        self._added += 1
        where = "*" if at_ms is None else f"{at_ms}-{self._added}"
        added = cast("bytes", self.redis.xadd(keys.dead_letters(P), cast("Any", fields), id=where))
        return added.decode()

    def kept(self, name: OutboxName) -> list[dict[str, Any]]:
        """Return the records that wait in an outbox, in order."""
        found = self.outboxes.read(P, name, 0, 1_000_000)
        return [orjson.loads(record) for submission in found for record in submission.records]

    def ids(self) -> list[str]:
        """Return the ids of the letters that are left."""
        return [stored.id for stored in self.letters.read(P, limit=1_000_000)]
