"""Full lists that remove many, over a real Redis: raised, held, confirmed, refused, overtaken, killed."""

from collections.abc import Iterator

import pytest

from app.cohorts.applying.confirming import REFUSED
from app.cohorts.applying.run import ApplyLane
from app.cohorts.epochs.shrinking import ShrinkLimit
from app.cohorts.holds import Holds
from app.cohorts.registry import Cohort
from app.lanes.work import APPLY
from app.store import keys
from tests.integration.cohorts.invariants import check, check_drained
from tests.integration.cohorts.relay import P
from tests.integration.cohorts.scale import scaled_down
from tests.integration.resync.world import World
from tests.model.wire import COHORT
from tests.redis_server import RedisServer

PEOPLE = tuple(f"u{number:02}" for number in range(20))
FEW = PEOPLE[:4]


class Held(World):
    """A relay that holds full lists which remove more than half."""

    limit = ShrinkLimit(share=0.5, at_least=10, hold=True)

    def build(self) -> None:
        super().build()
        self.apply._limit = self.limit
        self.holds = Holds(self.redis, self.lanes)

    def cohort(self) -> Cohort:
        found = self.cohorts.get(P, COHORT)
        assert found
        return found

    def hold_number(self) -> int:
        held = self.cohort().held
        assert held
        return held.attempt

    def kinds(self, *wanted: str) -> list[str]:
        return [entry.kind for entry in self.log() if entry.kind in wanted]


class Told(Held):
    """A relay that only tells of them, as it does by default."""

    limit = ShrinkLimit(share=0.5, at_least=10, hold=False)


@pytest.fixture(params=[2, 250])
def world(redis_server: RedisServer, request: pytest.FixtureRequest) -> Iterator[Held]:
    redis_server.flush()
    made = Held(redis_server)
    with scaled_down(chunk=request.param, load=request.param, list_limit=100_000):
        made.full(PEOPLE, "s0")
        yield made
    made.close()


@pytest.fixture
def held(world: Held) -> Held:
    world.full((*FEW, "new"), "s1")
    return world


def test_a_shrinking_list_is_raised_once_and_removes_all_the_same(redis_server: RedisServer) -> None:
    redis_server.flush()
    world = Told(redis_server)
    world.full(PEOPLE, "s0")
    world.full(FEW, "s1")
    assert world.members() == set(FEW)
    assert world.plain.hget(keys.log_meta(P), "shrinking") == b"1"
    (entry,) = [entry for entry in world.log() if entry.kind == "sync.shrinking"]
    assert (entry.session_id, entry.detail) == ("s1", {"removes": 16, "of": 20, "held": False})
    assert (world.cohort().held, world.cohort().shrunk is not None) == (None, True)
    world.full(FEW, "s2")
    assert world.kinds("sync.shrinking") == ["sync.shrinking"]
    world.close()


def test_a_held_list_removes_nobody_until_confirmed_and_then_exactly_those(held: Held) -> None:
    assert held.members() == {*PEOPLE, "new"}
    check(held)
    held.diff(("u09", "other"), ("u01",), "s2")
    assert held.members() == {*PEOPLE, "new", "other"} - {"u01"}
    assert held.holds.say(P, COHORT, held.hold_number(), "confirm")
    held.drain()
    assert held.members() == {"u00", "u02", "u03", "u09", "new", "other"}
    assert held.kinds("sync.shrinking", "hold.ended") == ["sync.shrinking", "hold.ended"]
    gone = {each for entry in held.log() for each in entry.exited if entry.cause == "sync"}
    assert gone == set(PEOPLE) - {"u00", "u02", "u03", "u09"}
    assert held.cohort().held is None
    check(held)
    check_drained(held.plain)


def test_those_who_were_refused_stay_and_the_cohort_is_suspect_until_a_full_list(held: Held) -> None:
    held.holds.say(P, COHORT, held.hold_number(), "refuse")
    held.drain()
    held.diff(("u09",), (), "s2")
    assert held.members() == {*PEOPLE, "new"}
    assert held.cohort().suspect == REFUSED
    held.full((*PEOPLE[:15],), "s3")
    assert held.members() == set(PEOPLE[:15])
    assert (held.cohort().suspect, held.cohort().held) == ("", None)
    check(held)


def test_a_word_about_a_list_that_another_has_replaced_does_nothing(held: Held) -> None:
    first = held.hold_number()
    held.full(FEW, "s2")
    assert held.hold_number() != first
    assert not held.holds.say(P, COHORT, first, "confirm")
    held.drain()
    assert held.members() == {*PEOPLE, "new"}


def test_a_word_that_is_overtaken_on_its_way_does_nothing(held: Held) -> None:
    first = held.hold_number()
    held.plain.hset(keys.holds_answered(P), COHORT, f'[{first - 1},"confirm"]')
    held.diff(("x",), (), "s2")
    assert held.members() == {*PEOPLE, "new", "x"}
    assert not held.plain.exists(keys.holds_answered(P))


def test_a_worker_that_dies_at_any_step_of_a_confirmation_leaves_the_rest_to_the_next(held: Held) -> None:
    held.holds.say(P, COHORT, held.hold_number(), "confirm")
    for _ in range(40):
        held.build()
        held.run(turns=1)
    held.drain()
    assert held.members() == {*FEW, "new"}
    assert held.kinds("hold.ended") == ["hold.ended"]
    check(held)


def test_a_hold_keeps_neither_its_own_cohort_nor_others_from_going_on(held: Held) -> None:
    assert not held.plain.zcard(keys.due(P)), "nothing is due: the lane sleeps"
    assert held.plain.hget(keys.lane(P, APPLY.name), "state") == b"idle"
    held.diff(("x",), ("new",), "s2")
    assert held.members() == {*PEOPLE, "x"}


def test_a_reconcile_answers_a_hold(held: Held) -> None:
    held.mixpanel_has((*FEW, "new"))
    held.through(held.ask().id)
    assert held.members() == {*FEW, "new"}
    assert held.cohort().held is None
    assert [e.detail["how"] for e in held.log() if e.kind == "hold.ended"] == ["reconciled"]
    check(held)


def test_the_lane_holds_nothing_unless_told_to() -> None:
    assert ApplyLane.__init__.__kwdefaults__ == {"shrink_limit": None}
