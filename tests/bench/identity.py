"""Measure the ledger of identity links alone: links a second and Redis bytes a link.

    python -m tests.bench.identity --links 1000000 --ids uuid

Starts a redis-server of its own and writes down links of new devices to new users, as the lane does once
Mixpanel has taken them. Neither the outbox nor Mixpanel plays a part.
"""

import argparse
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, cast

from app.destinations.identity.ledger import Ledger
from app.destinations.identity.links import Link
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.store import keys
from app.store.connection import connect
from tests.redis_server import RedisServer

PROJECT = "2195193"
LANE = "identity-outbox"
AT_ONCE = 2_000
SESSION = 1_000  # links that one sync causes


class NoQueue:
    """Stands in for RQ: the lane is held here, not by a worker."""

    def enqueue(self, *_: Any) -> None: ...

    def holds(self, *_: Any) -> bool:
        return False


def links(count: int, kind: str) -> Iterator[Link]:
    chance = Random(1)
    for number in range(count):
        why = {
            "rule": "rules[0].links[0]",
            "cohort_id": "123456",
            "session_id": f"session-{number // SESSION}",
            "sequence": number // 250,
        }
        user = f"user-{number}" if kind == "short" else _uuid(chance)
        yield Link("device", user, _uuid(chance), False, 1_767_225_600_000 + number, why)


def _uuid(chance: Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def measure(url: str, count: int, kind: str) -> dict[str, float]:
    redis = connect(url)
    lanes = Lanes(redis, cast("LaneQueue", NoQueue()), lease_s=600.0)
    redis.hset(keys.lane(PROJECT, LANE), mapping={"state": "queued", "wake": 1})
    lane = lanes.start(PROJECT, LANE, 1)
    assert lane is not None
    ledger = Ledger(redis)
    before = redis.info("memory")["used_memory"]
    made = list(links(count, kind))
    began = time.perf_counter()
    for start in range(0, count, AT_ONCE):
        ledger.record(lane, made[start : start + AT_ONCE])
    seconds = time.perf_counter() - began
    used = redis.info("memory")["used_memory"] - before
    return {"bytes_a_link": round(used / count, 1), "links_a_second": round(count / seconds)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=200_000)
    parser.add_argument("--ids", choices=["short", "uuid"], default="short", help="what user ids look like")
    chosen = parser.parse_args()
    with TemporaryDirectory() as directory, RedisServer(Path(directory)) as server:
        print(json.dumps(measure(server.url, chosen.links, chosen.ids)))


if __name__ == "__main__":
    main()
