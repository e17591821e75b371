"""Whoever waits, and wherever a worker dies: each update is applied once, in the log's order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import RedisError

from app.lanes.lanes import LaneLost
from app.store import keys
from tests.depth import DEPTH, examples
from tests.integration.cohorts.faulty import FaultyRedis, Line
from tests.integration.cohorts.relay import Clock, connect
from tests.integration.destinations.waiting_world import WaitingWorld
from tests.integration.destinations.world import Mixpanel, P
from tests.integration.mixpanel.server import Reply
from tests.redis_server import RedisServer
from tests.unit.destinations.profile_model import seen

PEOPLE = ("ann", "bob", "cid", "$device:of-ann", "$device:of-bob")


@dataclass
class Expected:
    """What profiles come to when the log is applied one entry after the other."""

    trails: dict[str, list[str]] = field(default_factory=dict)
    cohorts: dict[str, set[str]] = field(default_factory=dict)
    entered: Counter[str] = field(default_factory=Counter)
    last: dict[str, str] = field(default_factory=dict)

    def note(self, way: str, who: str, cohort: str, session: str) -> None:
        self.trails.setdefault(who, []).append(f"{way}{session}")
        if way == "+":
            self.cohorts.setdefault(who, set()).add(cohort)
            self.entered[who] += 1
        elif way == "-":
            self.cohorts.setdefault(who, set()).discard(cohort)
        else:
            self.last[who] = session


class Story:
    """A world, and what its log comes to."""

    def __init__(self, server: RedisServer, mixpanel: Mixpanel) -> None:
        server.flush()
        mixpanel.profiles.clear()
        mixpanel.batches.clear()
        mixpanel.script = lambda _records: None
        self.mixpanel = mixpanel
        self.world = WaitingWorld(connect(server, FaultyRedis, Clock()), mixpanel)
        self.expected = Expected()
        self.linked: dict[int, set[str]] = {}
        self.moved = 0

    def close(self) -> None:
        self.world.close()
        self.world.redis.close()

    def log(
        self,
        entered: Sequence[str],
        exited: Sequence[str] = (),
        updated: Sequence[str] = (),
        linked: Sequence[str] = (),
        cohort: str = "1",
    ) -> None:
        phones = {each: f"of-{each}" for each in linked if not each.startswith("$device:")}
        sequence = self.world.log(entered, exited, updated, linked=phones, cohort=cohort)
        name = self.world.known.cohorts[cohort]
        for way, some in (("-", exited), ("+", entered), ("=", updated)):
            for who in some:
                self.expected.note(way, who, name, str(sequence))
        links = {each for each in (*entered, *updated) if each in phones}
        self.linked[sequence] = links | {f"$device:{phones[each]}" for each in links}

    def move(self, entries: int) -> None:
        """Let the lane `identity` move the links of some more entries into the outbox."""
        for _ in range(entries):
            if self.moved >= self.world.changelog.end(P):
                return
            self.moved += 1
            self.world.identity.submit(*self.linked.get(self.moved, ()))
            self.world.identity.moved_to(self.moved)

    def run(self, line: Line | None = None) -> None:
        with suppress(RedisError, LaneLost):
            self.world.run_broken(line or Line())

    def check_who_waits(self) -> None:
        """See that nobody was sent whose link is still in the log, as long as no time has passed."""
        for sequence, ids in self.linked.items():
            if sequence > self.moved:
                for who in ids:
                    assert not {step for step in self.world.trail(who) if step[1:] == str(sequence)}

    def check_who_does_not(self) -> None:
        """See that the log is read to its end whoever waits, when nothing is in the way."""
        assert self.world.cursor_at() == self.world.changelog.end(P)

    def end(self) -> None:
        """Make every link, and run until nothing is left."""
        self.mixpanel.script = lambda _records: None
        self.move(1_000)
        self.world.identity.settle()
        for _ in range(20):
            held = self.world.take()
            outcome = self.world.destination.run(held, self.world.project, float("inf"))
            self.world.lanes.finish(held, outcome)
            if outcome.kind == "drained":
                return
        raise AssertionError(f"it does not drain: {outcome.reason}")

    def check(self, *, unknown: bool) -> None:
        """Compare; `unknown`: some of what counts may be dead letters instead, for want of certainty."""
        lost: Counter[str] = Counter()
        for code, record in self.world.letters():
            assert code == "outcome_unknown"
            [value] = record.get("$append", {}).values() or [None]
            lost[f"{record['$distinct_id']} {value}"] += 1
        assert unknown or not lost
        assert set(lost.values()) <= {1} or set(lost) <= {f"{who} None" for who in PEOPLE}
        for who, trail in self.expected.trails.items():
            got = self.world.trail(who)
            assert got == [step for step in trail if step in got], (who, got, trail)
            assert set(trail) - set(got) <= {step for step in trail if lost[f"{who} {step}"]}
            profile = seen(self.mixpanel.profiles.get(who, {}))
            assert profile.get("Cohorts", []) == sorted(self.expected.cohorts.get(who, set()))
            assert profile.get("last") == self.expected.last.get(who)
            counted = profile.get("entered", 0)
            assert counted <= self.expected.entered[who] <= counted + lost[f"{who} None"]
        self.check_drained()

    def check_drained(self) -> None:
        redis = self.world.redis
        assert self.world.cursor_at() == self.world.changelog.end(P)
        assert self.world.status_now().waiting == 0
        assert redis.xlen(keys.waiting(P, "profiles")) == 0
        assert int(redis.hget(keys.waiting_meta(P, "profiles"), "bytes") or 0) == 0
        for name in ("profiles", "profiles-waiting"):
            assert not redis.exists(keys.destination_accepted(P, name))


@contextmanager
def scaled_down(window: int = 3) -> Iterator[None]:
    """Make windows of few changes, and parts of two profiles."""
    with (
        patch("app.destinations.source.WINDOW", window),
        patch("app.destinations.waiting.hold.PROFILES_A_PART", 2),
    ):
        yield


@contextmanager
def told(server: RedisServer, mixpanel: Mixpanel) -> Iterator[Story]:
    story = Story(server, mixpanel)
    try:
        yield story
    finally:
        story.close()


# --- at every command --------------------------------------------------------------------------------------


def everyday(story: Story, broken: Iterator[Line | None]) -> None:
    """Tell of people who are linked, leave, come back, and of a server that stumbles."""
    story.log(["ann", "bob", "cid"], linked=["ann", "bob"])
    story.run(next(broken))
    story.check_who_waits()
    story.log(["ann"], exited=["bob"], cohort="2")
    story.log([], exited=["ann"], updated=["cid"])
    story.run(next(broken))
    story.move(1)
    replies = iter([Reply(429)])
    story.mixpanel.script = lambda _records: next(replies, None)
    story.run(next(broken))
    story.world.identity.settle("ann", "$device:of-ann")
    story.log(["ann", "$device:of-bob"], updated=["bob"])
    story.run(next(broken))
    story.world.identity.settle()
    story.run(next(broken))
    story.end()


@pytest.mark.parametrize("run", range(5))
def test_a_worker_that_dies_at_any_command_loses_and_doubles_nothing(
    redis_server: RedisServer, mixpanel: Mixpanel, run: int
) -> None:
    def lines(line: Line) -> Iterator[Line | None]:
        return (line if number == run else None for number in count())

    with scaled_down():
        whole = Line()
        with told(redis_server, mixpanel) as story:
            everyday(story, lines(whole))
            story.check(unknown=False)
        for place in range(run % 9, whole.sent, 1 if DEPTH > 1 else 9):
            for answer_lost in (False, True):
                with told(redis_server, mixpanel) as story:
                    everyday(story, lines(Line(place, answer_lost=answer_lost)))
                    story.check(unknown=True)


# --- at random ---------------------------------------------------------------------------------------------

SOME = st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True)
STEPS = st.one_of(
    st.tuples(st.just("log"), SOME, SOME, SOME, st.booleans(), st.sampled_from("12")),
    st.tuples(st.just("move"), st.integers(1, 3)),
    st.tuples(st.just("api"), SOME),
    st.tuples(st.just("settle"), SOME),
    st.tuples(st.just("pass"), st.sampled_from([1.0, 20.0, 31.0])),
    st.tuples(st.just("fail"), st.integers(1, 2)),
    st.tuples(st.just("run")),
    st.tuples(st.just("stumble")),
    st.tuples(st.just("crash"), st.integers(0, 60), st.booleans()),
)


def do(story: Story, step: Sequence[Any]) -> None:
    match step:
        case ("log", entered, exited, updated, linked, cohort):
            story.log(
                entered,
                [who for who in exited if who not in entered],
                [who for who in updated if who not in entered and who not in exited],
                [*entered, *updated] if linked else [],
                cohort,
            )
        case ("move", entries):
            story.move(entries)
        case ("api", ids):
            story.world.identity.submit(*ids)
        case ("settle", ids):
            story.world.identity.settle(*ids)
        case ("pass", seconds):
            story.world.pass_s(seconds)
        case ("fail", requests):
            replies = iter([Reply(429)] * requests)
            story.mixpanel.script = lambda _records: next(replies, None)
        case ("run",):
            story.mixpanel.script = lambda _records: None
            story.run()
            story.check_who_does_not()
        case ("stumble",):
            story.run()
        case ("crash", place, answer_lost):
            story.run(Line(place, answer_lost=answer_lost))


@given(st.lists(STEPS, max_size=25))
@settings(
    max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_profiles_end_like_those_of_a_relay_that_waits_for_nobody(
    redis_server: RedisServer, mixpanel: Mixpanel, steps: list[Sequence[Any]]
) -> None:
    with scaled_down(), told(redis_server, mixpanel) as story:
        for number, step in enumerate(steps, 1):
            do(story, step)
            if not any(each[0] == "pass" for each in steps[:number]):
                story.check_who_waits()
        story.end()
        story.check(unknown=any(step[0] == "crash" for step in steps))
