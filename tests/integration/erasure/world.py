"""All lanes of a project over a Redis with an append-only file, run by hand; Mixpanel may be away."""

import json
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from app.cohorts.buckets import bucket_of
from app.cohorts.packing import pack_id
from app.cohorts.pages import parse
from app.destinations.identity.links import Link
from app.erasure.state import ErasureState
from app.lanes.outcome import Outcome
from app.lanes.work import ERASURE, OUTBOX_LANES, lanes_of
from app.services import Services, build_services
from app.store import keys
from config.projects import HOSTS, Project, Projects, ServiceAccount
from config.rules import DEFAULT_RULES, RuleSet
from config.secret import Secret
from config.settings import Settings
from tests.integration.destinations.waiting_world import LINKS
from tests.integration.mixpanel.server import Reply, Request, Server
from tests.redis_server import RedisServer

P, COHORT = "2195193", "7"
RULES = RuleSet((replace(DEFAULT_RULES.rules[0], links=LINKS, copy={"plan": "plan", "friend": "friend"}),))
PROJECT = Project(
    P,
    "Shop",
    "eu",
    Secret("token"),
    HOSTS["eu"],
    webhook_credentials=(),
    service_account=ServiceAccount("account", Secret("secret")),
    oauth_token=Secret("oauth-secret"),
    rules=RULES,
)


@dataclass
class Mixpanel:
    """What answers in Mixpanel's place.

    Attributes:
        status: of imports and updates.
        deletions: (ids) that were filed, in order.
        task: what a task's state is.
        filing: statuses to answer filings with, before they are taken.
    """

    status: int = 503
    deletions: list[list[str]] = field(default_factory=list)
    task: str = "SUCCESS"
    filing: list[int] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        if "data-deletions" in request.path:
            return self._delete(request)
        if self.status == 200 and not request.body:
            return Reply()  # the server asks once before it reads the body
        if self.status == 200:
            body = request.body
            if request.headers.get("Content-Encoding") == "gzip":
                body = zlib.decompress(body, 31)
            self.sent.append(body)
            count = len(orjson.loads(body))
            return Reply(200, b'{"code":200,"status":"OK","num_records_imported":%d,"error":null}' % count)
        return Reply(self.status, b"{}")

    def _delete(self, request: Request) -> Reply:
        self.headers.append(request.headers.get("Authorization", ""))
        if request.path.endswith("/v3.0") and not request.body:
            return Reply()
        if request.body:
            if self.filing and (status := self.filing.pop(0)) != 201:
                return Reply(status, b"{}")
            self.deletions.append(orjson.loads(request.body)["distinct_ids"])
            task = f"task-{len(self.deletions)}"
            return Reply(201, orjson.dumps({"status": "ok", "results": {"task_id": task}}))
        return Reply(200, orjson.dumps({"status": "ok", "results": {"status": self.task}}))


class World:
    """One project with everything in it."""

    def __init__(
        self, server: RedisServer, mixpanel: Server, rules: RuleSet = RULES, **settings: Any
    ) -> None:
        self.server = server
        self.redis: Any = server.client()  # its answers, as a test knows them
        hosts = replace(HOSTS["eu"], ingestion=mixpanel.url, app=mixpanel.url)
        self.project = replace(PROJECT, hosts=hosts, rules=rules)
        plain = Settings(
            secret_key=Secret("0123456789abcdef"),
            projects=Projects([self.project]),
            redis_url=server.url,
            rq_redis_url=server.url,
            log_keep_entries=100,
        )
        self.settings = replace(plain, **settings)
        self.services: Services = build_services(self.settings)

    def close(self) -> None:
        self.redis.close()
        self.services.redis.close()

    # --- lanes ---------------------------------------------------------------------------------------------

    def run(self, lane: str, slice_s: float = 60.0) -> Outcome:
        """Run one lane, whatever it waits for."""
        key = keys.lane(P, lane)
        wake = self.redis.hincrby(key, "wake", 1)
        self.redis.hset(key, mapping={"state": "queued", "inflight": 0})
        held = self.services.lanes.start(P, lane, wake)
        assert held is not None
        runner = self.services.runners[lane]
        outcome = runner.run(held, self.project, time.monotonic() + slice_s)
        self.services.lanes.finish(held, outcome)
        return outcome

    def run_all(self) -> None:
        for lane in lanes_of(self.project):
            self.run(lane.name)

    def through(self, erasure_id: str, turns: int = 100) -> ErasureState:
        """Run the lanes until the erasure has ended."""
        for _ in range(turns):
            self.hurry()
            self.run_all()
            state = self.state(erasure_id)
            if state.ended:
                return state
            time.sleep(0.01)
        raise AssertionError(f"it does not end: {state}")

    def hurry(self) -> None:
        """Let nothing wait for its time but what waits to be forgotten."""
        for number in self.redis.zrange(keys.erasures_due(P), 0, -1):
            key = keys.erasure(P, int(number))
            if self.redis.hget(key, "state") != b"completed":
                self.redis.zadd(keys.erasures_due(P), {number: 0})
                self.redis.hdel(key, "file_ms")

    def state(self, erasure_id: str) -> ErasureState:
        state = self.services.erasures.get(erasure_id)
        assert state is not None
        return state

    def erase(self, distinct_id: str, *, mixpanel: bool = False) -> ErasureState:
        return self.services.erasures.ask(self.project, distinct_id, mixpanel=mixpanel, asked_by="test")[0]

    # --- what there is -------------------------------------------------------------------------------------

    def members(self) -> set[str]:
        return set(self.services.membership.members(P, COHORT))

    def page(
        self,
        ids: Sequence[str],
        session: str = "s1",
        action: str = "members",
        total: int = 1,
        *,
        linked: bool = True,
    ) -> bytes:
        """Write a page, in which everybody has a device that a rule links, unless told otherwise."""
        members = [
            {"mixpanel_distinct_id": each, "plan": "gold", **({"device": f"d-{at}"} if linked else {})}
            for at, each in enumerate(ids)
        ]
        parameters = {
            "mixpanel_project_id": P,
            "mixpanel_cohort_id": COHORT,
            "mixpanel_cohort_name": "VIP",
            "mixpanel_session_id": session,
            "page_info": {"total_pages": total, "page_count": 1},
            "members": members,
        }
        return orjson.dumps({"action": action, "parameters": parameters})

    def accept(self, body: bytes) -> None:
        self.services.inbox.accept(parse(body).head, body)

    def submit(self, name: Any, *records: Any) -> None:
        encoded = [each if isinstance(each, bytes) else orjson.dumps(each) for each in records]
        self.services.outboxes.submit(P, name, encoded)

    def link(self, first: str, second: str) -> bytes:
        return Link("device", first, second, allow_merge=False, time_ms=1, why={"api": "t"}).to_json()

    def letter(self, record: Any, reason: str = "no", code: str = "refused") -> None:
        self.redis.xadd(
            keys.dead_letters(P),
            {
                "destination": "profiles",
                "time_ms": 1,
                "code": code,
                "reason": reason,
                "response": "",
                "record": orjson.dumps(record),
            },
        )

    def plant_aside(self, body: bytes) -> None:
        about: Any = {"cohort_id": COHORT, "session_id": "s0", "action": "members", "page": 1}
        self.redis.xadd(keys.set_aside(P), {"body": body, "at_ms": 1, **about})

    def plant_reading(self, ids: Sequence[str], number: int = 77) -> None:
        """Have a resync that has read people and found some, and is at rest."""
        key = keys.resync(P, number)
        about = {"cohort_id": COHORT, "mode": "reconcile", "dry_run": 1, "output_properties": "[]"}
        sample = orjson.dumps({"entered": list(ids)})
        mapping: Any = {
            **about,
            "state": "read",
            "buckets": 4,
            "kept": len(ids),
            "sample": sample,
            "asked_ms": 1,
        }
        self.redis.hset(key, mapping=mapping)
        self.redis.zadd(keys.resyncs(P), {str(number): number})
        self.redis.hset(keys.resyncs_open(P), "other", number)
        for each in ids:
            packed = pack_id(each)
            for of in (keys.resync_read, keys.resync_gone):
                self.redis.hset(of(P, number, bucket_of(packed, 4)), packed, b"")

    # --- what is left --------------------------------------------------------------------------------------

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """Yield every value in Redis with where it stands, as it is and unpacked."""
        for key in self.redis.scan_iter(count=1000):
            name = key.decode(errors="replace")
            yield name, key
            for value in self._values(key):
                yield name, value
                if value[:1] == b"\x78":
                    with suppress(zlib.error):
                        yield name, zlib.decompress(value)

    def _values(self, key: bytes) -> Iterator[bytes]:
        kind = self.redis.type(key)
        if kind == b"hash":
            for pair in self.redis.hgetall(key).items():
                yield from pair
        elif kind == b"stream":
            for _, fields in self.redis.xrange(key):
                yield from fields.values()
        elif kind == b"list":
            yield from self.redis.lrange(key, 0, -1)
        elif kind == b"set":
            yield from self.redis.smembers(key)
        elif kind == b"zset":
            yield from self.redis.zrange(key, 0, -1)
        else:
            yield self.redis.get(key)


def forms(distinct_id: str) -> set[bytes]:
    """Return every way in which an id's bytes may stand somewhere."""
    bare = distinct_id.removeprefix("$device:")
    escaped = {orjson.dumps(bare)[1:-1], json.dumps(bare)[1:-1].encode()}
    packed = {pack_id(bare), pack_id(distinct_id)}
    return {bare.encode(), *escaped, *packed} - {b""}


LINKING, ERASING = OUTBOX_LANES["identity"].name, ERASURE.name
