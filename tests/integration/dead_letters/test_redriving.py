"""A letter that is redriven is in its outbox once, whatever is repeated, and held to what is submitted."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from redis import Redis

from app.destinations.checks.invalid import Invalid
from app.destinations.dead_letters import Code
from app.destinations.dead_letters.filter import Filter
from app.destinations.dead_letters.redriving import NeedsConfirmation, NoSuchLetter, RedriveStep
from app.destinations.identity.links import Link
from app.destinations.outbox import OutboxFull
from app.lanes.work import OUTBOX_LANES, OutboxName
from app.store import keys

from .letters import NOW_MS, TOKEN, Letters, P, event, group, profile, project

LINK = Link("device", "u1", "a-browser", allow_merge=False, time_ms=NOW_MS - 5, why={"rule": "rules[0]"})
MERGE = Link("merge", "u1", "u2", allow_merge=False, time_ms=NOW_MS - 5, why={"api": "t"})
PROFILE: dict[str, Any] = {"$distinct_id": "someone", "$union": {"Cohorts": ["VIP"]}}
KINDS: dict[str, tuple[Any, OutboxName, dict[str, Any]]] = {
    "profiles": (profile(), "profiles", PROFILE),
    "profiles-outbox": (profile(), "profiles", PROFILE),
    "groups-outbox": (group(), "groups", {k: v for k, v in group().items() if k != "$token"}),
    "events": (event(), "events", event()),
    "events-outbox": (event(token=TOKEN), "events", event()),
    "identity-outbox": (LINK.to_json(), "identity", {}),
}


def redrive_all(world: Letters, wanted: Filter | None = None, **more: Any) -> list[RedriveStep]:
    """Take all the steps."""
    steps = [world.redriver.step(world.project, wanted or Filter(), NOW_MS, **more)]
    while place := steps[-1].next:
        steps.append(world.redriver.step(world.project, wanted or Filter(), NOW_MS, place=place, **more))
    return steps


@pytest.mark.parametrize("destination", KINDS)
def test_each_goes_to_the_outbox_of_its_kind_without_the_token_and_wakes_its_lane(
    world: Letters, destination: str
) -> None:
    record, outbox, expected = KINDS[destination]
    letter_id = world.add(record, destination=destination)
    assert world.redriver.one(world.project, letter_id, NOW_MS).outbox == outbox
    (kept,) = world.kept(outbox)
    if outbox == "identity":
        assert Link.from_json(orjson.dumps(kept)) == LINK
    else:
        assert kept == expected
    assert world.ids() == []
    assert world.redis.hget(keys.lane(P, OUTBOX_LANES[outbox].name), "state") == b"queued"
    assert world.letters.counters(P)["redriven"] == 1
    depth = world.outboxes.depth(P, outbox)
    assert (depth.records, depth.bytes) == (1, world.outboxes.read(P, outbox, 0, 10)[0].size)


def test_twice_adds_nothing_and_says_when_it_was(world: Letters) -> None:
    letter_id = world.add()
    world.redriver.one(world.project, letter_id, NOW_MS)
    again = world.redriver.one(world.project, letter_id, NOW_MS, edited=PROFILE)
    assert again.outbox == ""
    assert again.before_ms is not None
    assert abs(again.before_ms - world.redis.time()[0] * 1000) < 60_000
    assert len(world.kept("profiles")) == 1


def test_at_once_by_many_it_moves_once(world: Letters) -> None:
    ids = [world.add(profile(f"p{number}")) for number in range(20)]

    def one(letter_id: str) -> bool:
        return world.redriver.one(world.project, letter_id, NOW_MS).before_ms is None

    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(one, ids * 4))
    assert sum(moved) == 20
    assert sorted(kept["$distinct_id"] for kept in world.kept("profiles")) == sorted(
        f"p{n}" for n in range(20)
    )


def test_a_letter_that_never_was_or_was_discarded_is_none(world: Letters) -> None:
    letter_id = world.add()
    assert world.letters.discard(P, [letter_id, "1-1"]) == 1
    for each in (letter_id, "1-1"):
        with pytest.raises(NoSuchLetter):
            world.redriver.one(world.project, each, NOW_MS)
    assert world.letters.counters(P) == {"discarded": 1}


def test_what_may_have_counted_needs_a_confirmation(world: Letters) -> None:
    unknown = world.add(profile(add={"Visits": 1}), code="outcome_unknown")
    world.add()
    with pytest.raises(NeedsConfirmation):
        world.redriver.one(world.project, unknown, NOW_MS)
    with pytest.raises(NeedsConfirmation):
        world.redriver.one(world.project, unknown, NOW_MS, edited={"$distinct_id": "a", "$add": {"n": 2}})
    (step,) = redrive_all(world)
    assert (step.looked, step.redriven, step.needs_confirmation) == (2, 1, 1)
    assert world.ids() == [unknown]
    (step,) = redrive_all(world, confirmed=True)
    assert (step.redriven, step.needs_confirmation) == (1, 0)
    assert world.kept("profiles")[-1]["$add"] == {"Visits": 1}


@pytest.mark.parametrize(
    ("destination", "record", "code", "edited"),
    [
        ("profiles", {"$distinct_id": "null"}, "unusable_id", {"$distinct_id": "a", "$set": {"x": 1}}),
        (
            "events",
            event("null"),
            "unusable_id",
            {"event": "A", "properties": {"distinct_id": "a", "time": 1_700_000_000}},
        ),
        ("events", event(deep=[[[[[{"a": {"b": {"c": {"d": 1}}}}]]]]]), "invalid", event(deep=1)),
        ("identity-outbox", MERGE.to_json(), "link_refused", {"user_id": "u1", "device_id": "d"}),
    ],
)
def test_what_would_be_given_up_again_has_to_be_corrected_first(
    world: Letters, destination: str, record: Any, code: Code, edited: dict[str, Any]
) -> None:
    letter_id = world.add(record, destination=destination, code=code)
    with pytest.raises(Invalid) as wrong:
        world.redriver.one(world.project, letter_id, NOW_MS)
    (step,) = redrive_all(world)
    assert (step.redriven, step.invalid) == (0, 1)
    (fault,) = step.faults
    assert (fault.letter_id, fault.field, fault.code) == (letter_id, wrong.value.field, wrong.value.code)
    assert world.ids() == [letter_id]
    outbox = world.redriver.one(world.project, letter_id, NOW_MS, edited=edited).outbox
    assert len(world.outboxes.read(P, outbox, 0, 10)) == 1  # type: ignore[arg-type] # checked by its name


@pytest.mark.parametrize(
    "edited", [None, [], 1, {}, {"$distinct_id": "a"}, {**PROFILE, "$token": "t"}, {**PROFILE, "$x": 1}]
)
def test_a_wrong_correction_changes_nothing(world: Letters, edited: Any) -> None:
    letter_id = world.add(profile("null"))
    with pytest.raises(Invalid):
        world.redriver.one(world.project, letter_id, NOW_MS, edited=edited)
    assert world.ids() == [letter_id]
    assert world.kept("profiles") == []


def test_the_source_that_the_relay_wrote_stays_and_cannot_be_changed(world: Letters) -> None:
    first, second = (world.add(event(), destination="events") for _ in range(2))
    with pytest.raises(Invalid):
        world.redriver.one(world.project, first, NOW_MS, edited=event(**{"$source": "me"}))
    corrected = event()
    del corrected["properties"]["$source"]
    world.redriver.one(world.project, first, NOW_MS, edited=corrected)
    world.redriver.one(world.project, second, NOW_MS)
    assert [kept["properties"]["$source"] for kept in world.kept("events")] == ["relay", "relay"]


def test_a_rules_delete_can_be_redriven_although_mixpanel_wants_nothing_behind_it(world: Letters) -> None:
    world.redriver.one(world.project, world.add(profile(delete="")), NOW_MS)
    assert world.kept("profiles") == [{"$distinct_id": "someone", "$delete": True}]


def test_links_are_judged_by_what_the_project_knows_today(redis_client: Redis) -> None:
    world = Letters(redis_client)
    letter_id = world.add(LINK.to_json(), destination="identity-outbox", code="link_refused")
    with pytest.raises(Invalid):
        world.redriver.one(project("original"), letter_id, NOW_MS)
    assert world.redriver.one(project(), letter_id, NOW_MS).outbox == "identity"


def test_by_filter_all_that_are_meant_move_in_order_step_by_step(world: Letters) -> None:
    for number in range(2_500):
        code: Code = "refused" if number % 5 else "invalid"
        world.add(profile(str(number)), code=code)
    steps = redrive_all(world, Filter(code="refused"))
    assert [step.redriven for step in steps] == [1_000, 1_000]
    assert [step.next is None for step in steps] == [False, True]
    expected = [str(number) for number in range(2_500) if number % 5]
    assert [kept["$distinct_id"] for kept in world.kept("profiles")] == expected
    assert len(world.ids()) == 500


def test_a_dry_run_counts_the_same_and_does_nothing(world: Letters) -> None:
    for number in range(1_200):
        world.add(profile(str(number) if number % 3 else "null"), code="refused" if number % 2 else "invalid")
    world.add(code="outcome_unknown")
    counted = redrive_all(world, dry_run=True)
    assert len(world.ids()) == 1_201
    assert world.kept("profiles") == []
    done = redrive_all(world)
    assert [(s.redriven, s.invalid, s.needs_confirmation, s.looked) for s in counted] == [
        (s.redriven, s.invalid, s.needs_confirmation, s.looked) for s in done
    ]
    assert len(done[0].faults) == 10


def test_a_redrive_ends_although_what_it_sends_comes_back_refused_all_the_time(world: Letters) -> None:
    for number in range(1, 1_431):
        world.add(profile(str(number)))
    steps = 0
    place = None
    while True:
        step = world.redriver.step(world.project, Filter(), NOW_MS, place=place)
        for number in range(step.redriven):
            world.add(profile(f"again {number}"))
        steps += 1
        place = step.next
        if place is None:
            break
    assert steps == 2
    assert len(world.ids()) == 1_430


def test_where_the_outbox_is_full_what_did_not_fit_stays(redis_client: Redis) -> None:
    world = Letters(redis_client, cap_bytes=40_000)
    for number in range(1, 1_001):
        world.add(profile(str(number)))
    step = world.redriver.step(world.project, Filter(), NOW_MS)
    assert step.full
    assert step.redriven == len(world.kept("profiles")) > 0
    assert len(world.ids()) == 1_000 - step.redriven
    with pytest.raises(OutboxFull):
        world.redriver.step(world.project, Filter(), NOW_MS, place=step.next)

    def each() -> None:
        for letter_id in world.ids():
            world.redriver.one(world.project, letter_id, NOW_MS)

    with pytest.raises(OutboxFull):
        each()
    assert len(world.ids()) == 1_000 - len(world.kept("profiles"))


def test_redriving_works_while_redis_is_full_because_it_only_moves(world: Letters) -> None:
    letter_id, other = world.add(), world.add()
    world.redriver.one(world.project, other, NOW_MS)  # the script is known
    world.redis.config_set("maxmemory", 1)
    try:
        assert world.redriver.one(world.project, letter_id, NOW_MS).outbox == "profiles"
        assert world.letters.discard(P, [letter_id]) == 0
    finally:
        world.redis.config_set("maxmemory", 0)
    assert len(world.kept("profiles")) == 2


def test_of_the_redriven_the_newest_are_remembered(world: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.destinations.dead_letters.redriving.REMEMBERED", 3)
    ids = [world.add() for _ in range(5)]
    redrive_all(world)
    later = world.add()
    world.redriver.one(world.project, later, NOW_MS)
    assert world.redis.zcard(keys.dead_letters_redriven(P)) == 3
    assert world.redriver.one(world.project, later, NOW_MS).before_ms
    with pytest.raises(NoSuchLetter):
        world.redriver.one(world.project, ids[0], NOW_MS)
