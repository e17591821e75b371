"""The lane and its threads: nobody waits for somebody else's receiver."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from redis import Redis

from app.lanes.lanes import HeldLane, Lanes
from app.lanes.queue import LaneQueue
from app.lanes.work import WEBHOOKS
from app.subscriptions.dispatching import Threads, WebhookLane
from app.subscriptions.posting import Posted
from app.subscriptions.subscription import Subscription
from config.projects import Project
from tests.integration.feed.written_log import NoJobs, P
from tests.integration.subscriptions.world import TAKEN, Message, World, answered


class _Held:
    """A lane that is always ours."""

    def keep(self) -> None:
        pass


class _Project:
    id = P


@contextmanager
def dispatching(world: World, threads: int) -> Iterator[WebhookLane]:
    pool = Threads(threads)
    try:
        yield WebhookLane(world.turns, pool, world.sending.run, lease_s=30)
    finally:
        pool.join()


def run(lane: WebhookLane, seconds: float = 0.5) -> str:
    outcome = lane.run(cast("HeldLane", _Held()), cast("Project", _Project()), time.monotonic() + seconds)
    return outcome.kind


def eventually(said: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_one_receiver_that_hangs_delays_none_of_a_thousand_others(world: World) -> None:
    hanging: list[Subscription] = [world.subscribe(url="https://hangs.example.com/")]
    others = [world.subscribe() for _ in range(999)]
    let_go = threading.Event()

    def answer(message: Message) -> Posted:
        if "hangs" in message.url:
            let_go.wait(30)
        return TAKEN

    world.poster.answer = answer
    world.log.tell()
    with dispatching(world, threads=8) as lane:
        try:
            until = time.monotonic() + 60
            while sum("hooks" in each.url for each in world.poster.messages) < len(others):
                run(lane)
                assert time.monotonic() < until
            eventually(lambda: all(world.standing(each).taken == 1 for each in others[-8:]))
            assert world.standing(hanging[0]).taken == 0
        finally:
            let_go.set()
    assert world.standing(hanging[0]).taken == 1


def test_failing_receivers_that_hang_leave_threads_for_the_others(world: World) -> None:
    failing = [world.subscribe(url="https://hangs.example.com/") for _ in range(20)]
    let_go = threading.Event()
    let_go.set()
    world.log.tell()

    def answer(message: Message) -> Posted:
        if "hangs" in message.url:
            let_go.wait(30)
            raise ConnectionError
        return TAKEN

    world.poster.answer = lambda _message: answered(500)
    while world.turn():
        pass
    for each in failing:
        world.let_time_pass(each, 60)
    let_go.clear()
    world.poster.answer = answer
    with dispatching(world, threads=4) as lane:
        try:
            run(lane, 0.2)
            well = world.subscribe()
            world.log.tell()
            run(lane, 0.2)
            eventually(lambda: world.standing(well).taken >= 1)
            assert sum("hangs" in each.url for each in world.poster.messages[20:]) == 1
        finally:
            let_go.set()


def test_a_run_ends_when_there_is_nothing_to_be_told_though_a_receiver_still_hangs(world: World) -> None:
    world.subscribe()
    let_go = threading.Event()

    def answer(_message: Message) -> Posted:
        let_go.wait(30)
        return TAKEN

    world.poster.answer = answer
    world.log.tell()
    with dispatching(world, threads=2) as lane:
        assert run(lane) == "drained"
        let_go.set()


def test_a_run_gives_the_worker_back_when_its_time_is_up_and_all_threads_are_busy(world: World) -> None:
    for _ in range(4):
        world.subscribe()
    let_go = threading.Event()

    def answer(_message: Message) -> Posted:
        let_go.wait(30)
        return TAKEN

    world.poster.answer = answer
    world.log.tell()
    with dispatching(world, threads=2) as lane:
        assert run(lane, 0.3) == "more"
        let_go.set()


@pytest.mark.parametrize("state", ["behind", "told", "failing", "paused"])
def test_the_sweeper_finds_work_where_a_turn_has_come(world: World, redis_client: Redis, state: str) -> None:
    lanes = Lanes(redis_client, cast("LaneQueue", NoJobs()), lease_s=15)
    wanted = world.subscribe()
    world.log.tell()
    if state != "behind":
        world.turn()
    if state == "failing":
        world.poster.answer = lambda _message: answered(500)
        world.log.tell()
        world.turn()
        assert not lanes.sweep(P, WEBHOOKS)
        world.let_time_pass(wanted, 60)
    if state == "paused":
        world.log.tell()
        world.subscriptions.pause(wanted, "me", "", 1)
    assert bool(lanes.sweep(P, WEBHOOKS)) == (state in {"behind", "failing"})
