"""Measure webhook subscriptions: what a thousand of them on one project cost, idle and when a page comes.

    python -m tests.bench.subscriptions --subscriptions 1000

Starts a redis-server of its own. Receivers answer at once without a network, so that what is measured is the
relay: turns, reading, encoding, signing, noting. Each number stands beside that of a tenth as many.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from app.feed.encoding import Encoder
from app.feed.position import Position
from app.feed.reading import Feed
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.lanes.work import WEBHOOKS
from app.store.connection import connect
from app.subscriptions.posting import Posted
from app.subscriptions.sending import Sending
from app.subscriptions.settling import Settling
from app.subscriptions.subscription import Subscription
from app.subscriptions.subscriptions import Subscriptions, first_secret
from app.subscriptions.turns import Turns
from tests.integration.feed.written_log import P, WrittenLog
from tests.integration.subscriptions.entries import entry_of
from tests.redis_server import RedisServer

ENTRIES, MEMBERS = 4, 250
"""What a page of 1,000 members becomes in the log."""
THREADS = 32


class Taken:
    """Stands in for receivers that answer at once."""

    def __init__(self) -> None:
        self.messages = 0

    def post(self, _url: str, _body: bytes, _headers: Mapping[str, str]) -> Posted:
        self.messages += 1
        return Posted(204, None, "answered 204", None, 0.0)


class Bench:
    """A project with subscriptions.

    Args:
        redis: an empty one.
        many: how many.
        types: what they want.
    """

    def __init__(self, redis: Redis, many: int, types: frozenset[str]) -> None:
        redis.flushall()
        self.redis, self.poster, self.log = redis, Taken(), WrittenLog(redis)
        self.turns = Turns(redis)
        self.lanes = Lanes(redis, LaneQueue(redis), lease_s=15.0)
        subscriptions = Subscriptions(redis)
        self.sending = Sending(
            redis,
            Feed(redis),
            subscriptions,
            encoder=Encoder("https://relay.example.com"),
            settling=Settling(redis, 20),
            poster=self.poster,  # type: ignore[arg-type]
            changelog=self.log.changelog,
        )
        self.sequence = 0
        self.page()
        for number in range(many):
            wanted = Subscription(
                f"s{number}", "https://hooks.example.com/", (P,), first_secret(), 1, types, batch=100
            )
            subscriptions.create(wanted, {P: Position("g1", self.sequence)})

    def page(self) -> None:
        """Write what a page becomes."""
        first = self.sequence + 1
        self.sequence += ENTRIES
        self.log.write(
            entry_of(number, entered=[f"person-{number}-{each:04d}" for each in range(MEMBERS)])
            for number in range(first, self.sequence + 1)
        )

    def idle(self) -> None:
        """Do what is done each half second while there is no news."""
        self.lanes.sweep_all({P: (WEBHOOKS,)})
        self.turns.take(P, THREADS, THREADS // 4, 20)

    def deliver(self) -> None:
        """Tell everybody what there is, with as many threads as a worker has."""
        with ThreadPoolExecutor(THREADS) as pool:
            while turns := self.turns.take(P, THREADS, THREADS // 4, 20):
                list(pool.map(lambda turn: self.sending.run(P, turn), turns))


def seconds(act: Callable[[], None], times: int = 1) -> float:
    """Return how long something takes, the best of some."""
    best = float("inf")
    for _ in range(times):
        begun = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - begun)
    return best


def measured(redis: Redis, many: int) -> dict[str, float]:
    """Measure with so many subscriptions."""
    bench = Bench(redis, many, frozenset())
    found = {"idle, ms a look": seconds(bench.idle, 20) * 1000}
    bench.page()
    took_s = seconds(bench.deliver)
    messages = bench.poster.messages
    found["a page to all, s"] = took_s
    found["messages"] = messages
    found["ms a message"] = took_s / messages * 1000
    other = Bench(redis, many, frozenset({"cohort-relay.sync.completed"}))
    other.page()
    found["a page that nobody wants, s"] = seconds(other.deliver)
    found["ms a subscription for it"] = found["a page that nobody wants, s"] / many * 1000
    return found


def main() -> None:
    """Print what is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--subscriptions", type=int, default=1_000)
    many = parser.parse_args().subscriptions
    with TemporaryDirectory() as directory:
        server = RedisServer(Path(directory))
        server.start()
        try:
            with connect(server.url) as redis:
                few, all_ = measured(redis, many // 10), measured(redis, many)
        finally:
            server.kill()
    print(f"{'':30}{many // 10:>12,}{many:>12,}{'ratio':>10}")
    for name, value in all_.items():
        print(f"{name:30}{few[name]:>12,.3f}{value:>12,.3f}{value / few[name]:>10.2f}")


if __name__ == "__main__":
    main()
