"""Measure the apply lane alone: members a second and Redis bytes a member.

    python -m tests.bench.membership --members 1000000 --ids uuid

Starts a redis-server of its own, accepts pages of 1,000 as the web side does and applies them as the lane
does, then applies the same cohort once more as a refresh. Delivery plays no part.
"""

import argparse
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

from redis import Redis

from app.cohorts.applying.run import ApplyLane
from app.cohorts.changelog import ChangeLog
from app.cohorts.inbox import Inbox
from app.cohorts.pages import parse
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.lanes.work import APPLY, PROFILES
from app.store import keys
from app.store.connection import connect
from app.store.format import StoredFormat
from config.projects import Project
from config.rules import DEFAULT_RULES
from tests.redis_server import RedisServer

PROJECT = "2195193"
COHORT = "7"
PAGE = 1_000


class NoQueue:
    """Stands in for RQ: the lane is run here, not by a worker."""

    def enqueue(self, *_: Any) -> None: ...

    def holds(self, *_: Any) -> bool:
        return False


def pages(members: int, kind: str, session: str) -> Iterator[bytes]:
    chance = Random(1)
    total = -(-members // PAGE)
    for number in range(total):
        people = [
            {
                "mixpanel_distinct_id": _id(chance, kind),
                "email": f"person{number}-{place}@example.com",
                "first_name": "A",
                "last_name": "B",
            }
            for place in range(min(PAGE, members - number * PAGE))
        ]
        parameters = {
            "mixpanel_project_id": PROJECT,
            "mixpanel_cohort_id": COHORT,
            "mixpanel_cohort_name": "Everybody",
            "mixpanel_session_id": session,
            "page_info": {"total_pages": total, "page_count": number + 1},
            "members": people,
        }
        yield json.dumps({"action": "members", "parameters": parameters}).encode()


def _id(chance: Random, kind: str) -> str:
    if kind == "uuid":
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))
    return f"{chance.getrandbits(96):024x}"


class Bench:
    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.lanes = Lanes(redis, cast("LaneQueue", NoQueue()), lease_s=60)
        self.inbox = Inbox(redis, self.lanes, 10**12, 10**12)
        self.log = ChangeLog(redis, self.lanes, keep_entries=0)
        self.lane = ApplyLane(
            redis,
            self.lanes,
            self.inbox,
            self.log,
            StoredFormat([], marks=False),
            session_days=7,
            refused_ids=(),
        )
        self.project = cast(
            "Project", SimpleNamespace(id=PROJECT, rules=DEFAULT_RULES, id_management="simplified")
        )

    def run(self, members: int, kind: str, session: str) -> float:
        spent = 0.0
        for body in pages(members, kind, session):
            self.inbox.accept(parse(body).head, body)
            wake = int(cast("bytes", self.redis.hget(keys.lane(PROJECT, APPLY.name), "wake")))
            began = time.perf_counter()
            held = self.lanes.start(PROJECT, APPLY.name, wake)
            assert held is not None
            self.lanes.finish(held, self.lane.run(held, self.project, time.monotonic() + 60))
            spent += time.perf_counter() - began
            self._read_log()
        return spent

    def _read_log(self) -> None:
        """Play a destination that is always up to date."""
        self.redis.hset(keys.destination(PROJECT, PROFILES.name), "cursor", self.log.end(PROJECT))
        self.log.trim(PROJECT)

    def membership_bytes(self) -> int:
        buckets = int(cast("bytes", self.redis.hget(keys.cohort(PROJECT, COHORT), "buckets")))
        total = 0
        for first in range(0, buckets, 1_000):
            pipeline = self.redis.pipeline(transaction=False)
            for number in range(first, min(first + 1_000, buckets)):
                pipeline.memory_usage(keys.bucket(PROJECT, COHORT, number), samples=0)
            total += sum(each or 0 for each in pipeline.execute())
        return total


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--members", type=int, default=100_000)
    arguments.add_argument("--ids", choices=("uuid", "hex24"), default="uuid")
    chosen = arguments.parse_args()
    with TemporaryDirectory() as directory, RedisServer(Path(directory)) as server:
        redis = connect(server.url)
        bench = Bench(redis)
        before = int(redis.info("memory")["used_memory"])
        first = bench.run(chosen.members, chosen.ids, "first")
        used = int(redis.info("memory")["used_memory"]) - before
        refresh = bench.run(chosen.members, chosen.ids, "refresh")
        print(f"members                 {chosen.members:>12,} ({chosen.ids})")
        print(f"first sync              {chosen.members / first:>12,.0f} members/s")
        print(f"unchanged refresh       {chosen.members / refresh:>12,.0f} members/s")
        print(f"bytes a member, buckets {bench.membership_bytes() / chosen.members:>12.1f}")
        print(f"bytes a member, in all  {used / chosen.members:>12.1f} (growth of used_memory)")
        slow = [each for each in redis.slowlog_get(128) if each["duration"] > 10_000]
        print(f"commands over 10 ms     {len(slow):>12}")


if __name__ == "__main__":
    main()
