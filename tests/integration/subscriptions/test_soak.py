"""A subscriber has the exact membership, whatever its receiver, its worker and its operator do."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from app.cohorts.changelog import Entry
from app.feed.event import Event
from app.feed.position import Position
from app.subscriptions.posting import Posted
from app.subscriptions.subscription import place_of
from tests.depth import examples
from tests.integration.feed.written_log import P
from tests.integration.subscriptions.world import TAKEN, Message, World, answered
from tests.unit.feed.logs import Subscriber, entries, implied

HAPPENS = st.sampled_from(["taken"] * 6 + ["500", "died before", "died after", "broken"])
STEPS = st.sampled_from(["turn"] * 5 + ["write"] * 4 + ["pause", "back"])


class Died(BaseException):
    """The worker is gone."""


class Receiver:
    """Applies what it takes to sets, and checks ids and order."""

    def __init__(self, happens: list[str]) -> None:
        self.happens = happens
        self.present = Subscriber()
        self.bodies: dict[str, bytes] = {}

    def answer(self, message: Message) -> Posted:
        what = self.happens.pop() if self.happens else "taken"
        if what == "died before":
            raise Died
        if what in {"500", "broken"}:
            return answered(500) if what == "500" else Posted(None, "broken", "it broke", None, 0.1)
        self.take(message)
        if what == "died after":
            raise Died
        return TAKEN

    def take(self, message: Message) -> None:
        told = message.event
        cohort_id = told.get("subject", "").removeprefix("cohorts/")
        place = Position("", 0)
        self.present.take(Event(P, told["type"], place, place, 0, cohort_id, told["data"]))


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    log=entries(most=15),
    happens=st.lists(HAPPENS, min_size=10, max_size=30),
    steps=st.lists(STEPS, min_size=15, max_size=40),
    data=st.data(),
)
def test_whatever_happens_the_membership_is_exact_in_the_end(
    redis_client: Redis, log: list[Entry], happens: list[str], steps: list[str], data: st.DataObject
) -> None:
    redis_client.flushdb()
    world, receiver = World(redis_client), Receiver(happens)
    world.poster.answer = receiver.answer
    wanted = world.subscribe(Position("g1", 0), batch=data.draw(st.sampled_from([1, 2, 1000])))
    waiting = list(log)

    def turn() -> None:
        world.let_time_pass(wanted, 40 * 3_600)
        for each in world.turns.take(P, 1, 1, 30):
            with suppress(Died):
                world.sending.run(P, each)

    for step in steps:
        if step == "turn":
            turn()
        elif step == "write":
            some = data.draw(st.integers(1, 5))
            world.log.write(waiting[:some])
            waiting = waiting[some:]
        elif step == "pause":
            world.subscriptions.pause(wanted, "me", "", 1)
            world.subscriptions.resume(wanted)
        elif step == "back":
            sequence = place_of(world.standing(wanted).position)  # what is told in part comes again whole
            world.subscriptions.move(wanted, P, Position("g1", data.draw(st.integers(0, sequence))))
    world.log.write(waiting)
    receiver.happens.clear()
    world.subscriptions.resume(wanted)
    for _ in range(3):
        turn()
    assert receiver.present.membership == implied(log)
    if log:
        assert world.standing(wanted).position.next > log[-1].sequence
