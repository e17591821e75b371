"""The example consumer of the documentation: it ends with the relay's members, whenever it is killed."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import cast

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from app.cohorts.changelog import ChangeLog
from app.cohorts.groups import ConsumerGroups
from app.cohorts.holding import Holding, Limits
from app.store import keys
from tests.integration.cohorts.relay import P, Relay
from tests.integration.feed.written_log import erased
from tests.model.wire import SentPage
from tests.redis_server import RedisServer
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
DOC = (ROOT / "docs" / "streams.md").read_text()
COHORTS = ("c1", "c2")
PEOPLE = [f"person-{number}" for number in range(60)]


class Consumer:
    """Runs the example as the user whom the documentation makes."""

    def __init__(self, server: RedisServer, relay: Relay, folder: Path) -> None:
        self._redis = relay.plain
        self._database = folder / "members.db"
        self._output = (folder / "output.txt").open("w+")
        self._running: subprocess.Popen[bytes] | None = None
        (acl,) = re.findall(r"^ACL SETUSER (.+)$", DOC, re.MULTILINE)
        self._redis.execute_command("ACL SETUSER", *acl.split())  # type: ignore[no-untyped-call]
        self.url = f"redis://crm:a-long-password@127.0.0.1:{server.port}/0"
        self._environ = {
            "PROJECT_ID": P,
            "GROUP": "crm",
            "REDIS_URL": self.url,
            "DATABASE": str(self._database),
        }

    def start(self) -> None:
        example = ROOT / "docs" / "examples" / "stream_consumer.py"
        self._running = subprocess.Popen(
            [sys.executable, str(example)], env=self._environ, stdout=self._output, stderr=self._output
        )

    def kill(self) -> None:
        if self._running:
            self._running.kill()
            self._running.wait()
            self._running = None

    def unconfirm(self, sequence: int) -> None:
        """Let it have died between its transaction and its XACK, which is too short to be hit by chance."""
        self._redis.xclaim(keys.log(P), "crm", "one", 0, [f"{sequence}-0"], force=True, justid=True)

    def close(self) -> None:
        self.kill()
        self._output.close()

    def reaches(self, sequence: int) -> None:
        wait_until(lambda: self.place() >= sequence, what=f"the entry {sequence}", every_s=0.005)

    def place(self) -> int:
        rows = self._rows("SELECT sequence FROM place")
        return int(rows[0][0]) if rows else 0

    def members(self, cohort: str) -> frozenset[str]:
        return frozenset(row[0] for row in self._rows(f"SELECT id FROM members WHERE cohort = '{cohort}'"))

    @property
    def output(self) -> str:
        self._output.seek(0)
        return self._output.read()

    def _rows(self, query: str) -> list[tuple[str, ...]]:
        if not self._database.exists():
            return []
        with sqlite3.connect(self._database, timeout=10) as db:
            try:
                return db.execute(query).fetchall()
            except sqlite3.OperationalError:  # no tables yet
                return []


@pytest.fixture
def relay(redis_server: RedisServer, redis_url: str) -> Iterator[Relay]:
    relay = Relay(redis_server)
    yield relay
    relay.close()


@pytest.fixture
def consumer(redis_server: RedisServer, relay: Relay, tmp_path: Path) -> Iterator[Consumer]:
    relay.plain.xgroup_create(keys.log(P), "crm", id="0", mkstream=True)
    consumer = Consumer(redis_server, relay, tmp_path)
    yield consumer
    consumer.close()
    relay.plain.acl_deluser("crm")


def sync(relay: Relay, chance: Random, number: int) -> None:
    """Send a full list of some people, under a name that changes at times."""
    cohort = chance.choice(COHORTS)
    members = tuple(chance.sample(PEOPLE, chance.randint(0, len(PEOPLE))))
    page = SentPage(f"s{number}", "members", 1, 1, members, 60.0 * number, cohort)
    relay.send(page, name=f"VIP {number // 5}")


def test_killed_at_random_it_ends_with_the_members_that_the_relay_holds(
    relay: Relay, consumer: Consumer
) -> None:
    chance = Random()
    for number in range(16):
        sync(relay, chance, number)
    place = 0
    for number in range(16, 20):
        consumer.start()
        place += chance.randint(1, 14)
        consumer.reaches(min(place, relay.changelog.end(P)))
        consumer.kill()
        place = consumer.place()
        consumer.unconfirm(place)
        sync(relay, chance, number)
    consumer.start()
    consumer.reaches(relay.changelog.end(P))
    assert {cohort: consumer.members(cohort) for cohort in COHORTS} == {
        cohort: relay.members(cohort) for cohort in COHORTS
    }
    assert consumer.output == ""
    wait_until(lambda: relay.plain.xinfo_groups(keys.log(P))[0]["pending"] == 0, what="all confirmed")


def test_whoever_is_erased_is_in_none_of_its_cohorts(relay: Relay, consumer: Consumer) -> None:
    page = SentPage("s1", "members", 1, 1, ("ann", "bob"), 60.0, "c1")
    relay.send(page, name="VIP")
    relay.changelog.append(P, "person.erased", erased("ann"))
    consumer.start()
    consumer.reaches(relay.changelog.end(P))
    assert consumer.members("c1") == {"bob"}


def test_what_it_missed_it_says(relay: Relay, consumer: Consumer) -> None:
    chance = Random(3)
    for number in range(5):
        sync(relay, chance, number)
    consumer.start()
    seen = relay.changelog.end(P)
    consumer.reaches(seen)
    consumer.kill()
    for number in range(5, 10):
        sync(relay, chance, number)
    groups = ConsumerGroups(relay.plain)
    holding = Holding(relay.plain, (groups,), Limits(entries=3, bytes=1 << 30, age_s=10.0**10))
    changelog = ChangeLog(relay.plain, relay.lanes, keep_entries=2, holding=holding)
    end = changelog.end(P)
    relay.plain.hset(keys.destination(P, "profiles"), "cursor", end)
    changelog.trim(P)
    consumer.start()
    consumer.reaches(end + 1)
    assert f"gap between ('{changelog.read(P, end - 2, 1)[0].generation}', {seen})" in consumer.output


def test_the_user_of_the_documentation_may_do_nothing_else(relay: Relay, consumer: Consumer) -> None:
    sync(relay, Random(4), 1)
    refused: list[tuple[str, ...]] = [
        ("XADD", keys.log(P), "*", "kind", "changes"),
        ("XTRIM", keys.log(P), "MAXLEN", "0"),
        ("XDEL", keys.log(P), "1-0"),
        ("XGROUP", "DESTROY", keys.log(P), "crm"),
        ("XGROUP", "CREATE", keys.log(P), "mine", "0"),
        ("XREADGROUP", "GROUP", "crm", "one", "STREAMS", keys.inbox(P), ">"),
        ("HGETALL", keys.log_meta(P)),
        ("KEYS", "*"),
        ("EVAL", "return 1", "0"),
    ]
    with Redis.from_url(consumer.url) as user:
        for command in refused:
            with pytest.raises(NoPermissionError):
                user.execute_command(*command)
        assert user.xreadgroup("crm", "one", {keys.log(P): ">"})
        assert user.xack(keys.log(P), "crm", "1-0") == 1


def test_every_field_of_an_entry_is_documented(relay: Relay) -> None:
    sync(relay, Random(5), 1)
    told = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", DOC, re.MULTILINE)
    documented = {name for names in told for name in re.findall(r"`(\w+)`", names)}
    for _, entry in cast("list[tuple[bytes, dict[bytes, bytes]]]", relay.plain.xrange(keys.log(P))):
        assert {name.decode() for name in entry} == documented
