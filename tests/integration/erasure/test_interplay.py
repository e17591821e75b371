"""An erasure in the middle of something else: a window that is tried again, a reconcile, slow consumers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import pytest

from app.cohorts.resync import Resync
from app.destinations.identity.writing import LINKED
from app.lanes.work import APPLY, WEBHOOKS, lanes_of
from app.store import keys
from config.rules import Operation, Rule, RuleSet
from tests.conftest import StartRedis
from tests.integration.erasure.world import COHORT, ERASING, Mixpanel, P, World
from tests.integration.mixpanel.server import Reply, Request, Server

ANN, BOB, CARL, DAN = (f"0f3c1a5e-7b0d-4c55-9e21-6a1b2c3d4e5{at}" for at in range(4))
COUNTING = RuleSet((Rule(enter=(Operation("$add", "Visits", 1),), exit=()),))


@dataclass
class Picky(Mixpanel):
    """Answers updates with one status after the other, then takes them all."""

    statuses: list[int] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        if not request.body:
            return Reply()  # the server asks once before it reads the body
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return Reply(status, b"{}")
        records = cast("list[dict[str, Any]]", orjson.loads(request.body))
        self.added += [record["$distinct_id"] for record in records]
        return Reply(200, b'{"code":200,"status":"OK","num_good_events":%d,"error":null}' % len(records))


@pytest.fixture
def picky() -> Picky:
    return Picky()


@pytest.fixture
def counting(start_redis: StartRedis, picky: Picky) -> Iterator[World]:
    """A world whose only rule counts, which must not be done twice."""
    with Server(picky.answer) as listening:
        made = World(start_redis(), listening, rules=COUNTING)
        yield made
        made.close()


def test_what_counts_is_done_once_although_somebody_before_it_is_erased(
    counting: World, picky: Picky
) -> None:
    """A part of the window is settled, under marks by the members' places, as somebody goes from it."""
    picky.statuses = [413, 200, 429]
    counting.accept(counting.page([ANN, BOB, CARL, DAN], linked=False))
    counting.run(APPLY.name)
    counting.run("profiles")
    before = len(picky.added)
    assert 0 < before < 4
    counting.through(counting.erase(ANN).id)
    assert sorted(each for each in picky.added if each != ANN) == sorted((BOB, CARL, DAN))
    assert ANN not in picky.added[before:]


def test_a_reconcile_that_has_read_the_person_does_not_bring_them_back(world: World) -> None:
    """The apply lane has done its share, and compares with what the lane that reads has not cleared yet."""
    world.accept(world.page([BOB, ANN], linked=False))
    world.run(APPLY.name)
    world.plant_reading([ANN, BOB, CARL])
    world.redis.hset(keys.resync(P, 77), mapping={"state": "applying", "dry_run": 0})
    world.redis.hset(keys.resyncs_open(P), COHORT, 77)
    state = world.erase(ANN)
    world.run(ERASING)
    since = orjson.loads(world.redis.hget(keys.cohort(P, COHORT), "machine"))["epoch"]
    resync = Resync(77, "reconcile", 1, phase="enters", since=since, buckets=4, counts={"read": 3})
    world.redis.hset(keys.cohort(P, COHORT), "resync", orjson.dumps(resync.to_json()))
    world.redis.zadd(keys.due(P), {COHORT: 1})
    for bucket in range(4):  # nobody went meanwhile
        world.redis.unlink(keys.resync_gone(P, 77, bucket))
    world.run(APPLY.name)
    assert world.members() == {BOB, CARL}
    sequences = orjson.loads(world.redis.hget(keys.erasure(P, int(state.id.split("-")[1])), "sequences"))
    named = [
        int(id_.split(b"-")[0])
        for id_, entry in world.redis.xrange(keys.log(P))
        if ANN.encode() in entry[b"data"]
    ]
    assert named == sequences


def test_what_a_lane_tells_that_was_still_at_work_goes_from_the_log_too(
    world: World, mixpanel: Mixpanel
) -> None:
    """Lanes do their shares one after the other: a link may be made behind the apply lane's look."""
    mixpanel.status = 200
    world.accept(world.page([ANN, BOB], linked=False))
    world.run_all()
    state = world.erase(ANN)
    world.run(ERASING)
    world.run(APPLY.name)
    link = {"verb": "$identify", "distinct_ids": [ANN, CARL], "why": {}}
    world.services.changelog.append(P, LINKED, {"links": [link]})
    world.through(state.id)
    assert not any(ANN.encode() in entry[b"data"] for _, entry in world.redis.xrange(keys.log(P)))


def test_many_erasures_have_streams_and_files_written_anew_together(world: World, mixpanel: Mixpanel) -> None:
    """Not each for itself: what is written anew behind the last deletion serves all."""
    mixpanel.status = 200
    people = [f"person-{number}@example.com" for number in range(8)]
    world.accept(world.page([*people, BOB], linked=False))
    world.run_all()
    world.redis.config_resetstat()
    states = [world.erase(each) for each in people]
    for state in states:
        world.through(state.id)
    calls = {name: about["calls"] for name, about in world.redis.info("commandstats").items()}
    assert calls["cmdstat_bgrewriteaof"] <= 3
    assert calls["cmdstat_rename"] <= 2 * 3
    assert not any(each.encode() in value for each in people for _, value in world.everything())


def test_nobody_waits_for_the_lane_of_subscriptions_which_may_have_no_worker(
    world: World, mixpanel: Mixpanel
) -> None:
    """It keeps nothing of anybody but places in the log."""
    mixpanel.status = 200
    world.accept(world.page([ANN, BOB], linked=False))
    world.run_all()
    state = world.erase(ANN)
    for lane in 2 * lanes_of(world.project):
        if lane.name != WEBHOOKS.name:
            world.hurry()
            world.run(lane.name)
    assert world.state(state.id).state not in ("asked", "erasing")


def test_a_group_with_much_pending_does_not_have_the_log_copied_in_vain(
    world: World, mixpanel: Mixpanel
) -> None:
    """What cannot be done now is not begun: the apply lane would do nothing else."""
    mixpanel.status = 200
    world.accept(world.page([ANN, BOB], linked=False))
    world.run_all()
    erased = world.erase(ANN)
    for lane in 4 * lanes_of(world.project):
        if world.state(erased.id).state != "compacting":
            world.hurry()
            world.run(lane.name)
    assert world.state(erased.id).state == "compacting"
    log = keys.log(P)
    end = int(world.redis.xrevrange(log, count=1)[0][0].split(b"-")[0])
    fields = world.redis.xrange(log, count=1)[0][1]
    world.redis.xgroup_create(log, "slow", id=f"{end}-0")
    pipeline = world.redis.pipeline(transaction=False)
    for number in range(end + 1, end + 2_502):
        pipeline.xadd(log, fields, id=f"{number}-0")
    pipeline.hset(keys.log_meta(P), "sequence", end + 2_501)
    pipeline.execute()
    world.redis.xreadgroup("slow", "one", {log: ">"}, count=10_000)
    world.redis.config_resetstat()
    world.run(APPLY.name)
    assert "cmdstat_xadd" not in world.redis.info("commandstats")
    world.hurry()
    world.run(ERASING)
    assert "pending" in world.state(erased.id).reason
