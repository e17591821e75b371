import json
import threading
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.destinations.operating import Operating
from app.lanes.lanes import LaneLost
from app.store import keys
from config.rules import Operation, Rule, RuleSet
from tests.integration.destinations.world import Mixpanel, P, World, refused
from tests.integration.mixpanel.server import Reply

COUNTED = RuleSet(
    (Rule(enter=(Operation("$union", "Cohorts", ["{cohort_name}"]), Operation("$add", "n", 1))),)
)


def people(number: int, prefix: str = "u") -> list[str]:
    return [f"{prefix}{index}" for index in range(number)]


def counted(mixpanel: Mixpanel) -> dict[str, int]:
    return {who: profile["n"] for who, profile in mixpanel.profiles.items() if "n" in profile}


def adds(mixpanel: Mixpanel) -> list[str]:
    return [record["$distinct_id"] for record in mixpanel.records if "$add" in record]


def once(reply: Reply, *, of: str = "") -> Any:
    """Answer like this to the first request (that has a record of this kind), then as usual."""
    left = [reply]

    def script(records: list[dict[str, Any]]) -> Reply | None:
        return left.pop() if left and (not of or of in records[0]) else None

    return script


def test_a_window_reaches_mixpanel_and_leaves_nothing_but_a_cursor(world: World, mixpanel: Mixpanel) -> None:
    world.change(entered=people(600))
    world.change(entered=people(10), cohort="2")
    assert world.run().kind == "drained"
    assert mixpanel.cohorts_of("u1") == ["VIP", "Gold"]
    assert mixpanel.cohorts_of("u599") == ["VIP"]
    assert sum(map(len, mixpanel.batches)) == 600
    assert world.hash().keys() == {"cursor", "state", "advanced_ms", "delivered"}
    assert world.hash()["cursor"] == "4"
    assert world.hash()["delivered"] == "600"
    assert not world.redis.exists(keys.destination_accepted(P, "profiles"))


def test_a_round_begins_when_the_one_before_is_finished(world: World, mixpanel: Mixpanel) -> None:
    finished: list[str] = []
    gate = threading.Barrier(3, timeout=5)

    def script(records: list[dict[str, Any]]) -> None:
        if "$remove" in records[0]:
            gate.wait()  # all three removing requests are under way at the same time
        finished.append("remove" if "$remove" in records[0] else "union")

    mixpanel.script = script
    world.change(entered=people(10, "new"), exited=people(5000, "old"))
    world.run()
    assert finished == ["remove", "remove", "remove", "union"]


def test_never_more_requests_at_once_than_there_are_connections(world: World, mixpanel: Mixpanel) -> None:
    def slowly(_records: object) -> None:
        time.sleep(0.05)

    mixpanel.script = slowly
    world.change(entered=people(18_000))
    world.run()
    assert len(mixpanel.batches) == 9
    assert mixpanel.most_at_once == 4


def test_after_a_failure_the_same_window_is_tried_again_and_only_what_is_missing_is_sent(
    world: World, mixpanel: Mixpanel
) -> None:
    mixpanel.script = once(Reply(503), of="$remove")
    world.change(entered=people(3000), exited=people(3000, "gone"))
    outcome = world.run()
    assert outcome.kind == "later"
    assert 3 <= outcome.delay_s <= 7
    assert world.hash()["state"] == "retrying"
    assert world.hash()["tries"] == "1"
    assert "cursor" not in world.hash()
    assert len(mixpanel.batches) == 2  # of the first round; the second round was not begun

    world.rules(RuleSet())
    world.change(entered=["late"])
    assert world.run().kind == "drained"
    assert sorted(map(len, mixpanel.batches[2:])) in ([1000, 1000, 2000], [1000, 2000, 2000])
    assert mixpanel.cohorts_of("u2999") == ["VIP"]
    assert mixpanel.cohorts_of("late") == []  # a window of its own, under the new rules
    assert world.hash()["state"] == "ok"
    assert "tries" not in world.hash()


def test_a_crash_before_the_cursor_moves_sends_nothing_again(
    world: World, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.change(entered=people(3000))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world.cursor, "advance", crash)
        with pytest.raises(KeyboardInterrupt):
            world.run()
    world.build()
    assert world.run().kind == "drained"
    assert sum(map(len, mixpanel.batches)) == 3000
    assert world.hash()["delivered"] == "3000"


def test_the_wait_is_as_long_as_mixpanel_asks(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.script = once(Reply(429, headers={"Retry-After": "40"}))
    world.change(entered=["u"])
    assert world.run().delay_s == 40
    assert world.run().kind == "drained"


def test_waits_double_from_try_to_try(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.script = lambda _records: Reply(502)
    world.change(entered=["u"])
    waits = [world.run().delay_s for _ in range(6)]
    assert [low + 1 <= wait <= low + 5 for low, wait in zip([2, 4, 8, 16, 32, 60], waits, strict=True)] == [
        True
    ] * 6


def test_refused_records_become_dead_letters_and_the_rest_is_delivered(
    world: World, mixpanel: Mixpanel
) -> None:
    mixpanel.script = lambda records: refused(len(records), 1, 3) if len(records) == 5 else None
    world.change(entered=people(5))
    with capture_logs() as logs:
        assert world.run().kind == "drained"
    assert [(code, record["$distinct_id"]) for code, record in world.letters()] == [
        ("refused", "u1"),
        ("refused", "u3"),
    ]
    [letter, _] = world.dead_letters.read(P)
    assert "no good" in letter.letter.reason + letter.letter.response
    assert world.dead_letters.counters(P) == {"profiles:refused": 2}
    assert (world.hash()["delivered"], world.hash()["dead_lettered"]) == ("3", "2")
    [event] = [entry for entry in world.changelog.read(P, 0, 100) if entry.kind == "batch.dead_lettered"]
    assert event.detail == {"destination": "profiles", "from": 1, "to": 1, "records": {"refused": 2}}
    assert [line["refused"] for line in logs if line["event"] == "records_dead_lettered"] == [2]
    assert "u1" not in json.dumps(logs)


def test_past_their_cap_the_oldest_dead_letters_go_and_are_counted(world: World, mixpanel: Mixpanel) -> None:
    world.build(dead_letter_cap=300)
    mixpanel.script = lambda records: refused(len(records), *range(len(records)))
    world.change(entered=people(700))
    with capture_logs() as logs:
        world.run()
    assert world.dead_letters.count(P) == 300
    assert world.letters()[-1][1]["$distinct_id"] == "u699"
    assert world.dead_letters.counters(P) == {"profiles:refused": 700, "dropped": 400}
    assert [line["dropped"] for line in logs if line["event"] == "dead_letters_dropped"] == [400]


def test_a_refused_credential_stops_everything_until_it_is_another(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.script = lambda records: Reply(401) if records[0]["$token"] == "token-1" else None
    world.change(entered=["u"])
    with capture_logs() as logs:
        outcomes = [world.run() for _ in range(3)]
    assert {outcome.kind for outcome in outcomes} == {"later"}
    assert len(mixpanel.batches) == 1
    assert [line["event"] for line in logs] == ["destination_stopped"]
    assert (world.hash()["state"], world.status().behind) == ("stopped", 2)  # that it stopped is an entry
    assert "token-1" not in json.dumps([logs, world.hash()])

    world.token("token-2")
    assert world.run().kind == "drained"
    assert mixpanel.cohorts_of("u") == ["VIP"]
    assert world.hash()["state"] == "ok"


def test_a_person_lets_a_stopped_destination_go_on(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.script = once(Reply(403))
    world.change(entered=["u"])
    world.run()
    operating = Operating(world.redis, world.lanes)
    assert operating.resume(P, "profiles").was_stopped
    assert world.run().kind == "drained"
    assert not operating.resume(P, "profiles")
    assert mixpanel.cohorts_of("u") == ["VIP"]


def test_an_address_that_does_not_exist_stops_too_and_loses_nothing(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.script = once(Reply(404))
    world.change(entered=["u"])
    world.run()
    assert (world.hash()["state"], world.dead_letters.count(P)) == ("stopped", 0)


def test_counting_is_done_once_when_the_answer_says_that_nothing_was_done(
    world: World, mixpanel: Mixpanel
) -> None:
    world.rules(COUNTED)
    mixpanel.script = once(Reply(429), of="$add")
    world.change(entered=people(3))
    assert world.run().kind == "later"
    assert world.run().kind == "drained"
    assert counted(mixpanel) == {"u0": 1, "u1": 1, "u2": 1}
    assert world.letters() == []


@pytest.mark.parametrize("arrived", [True, False])
def test_counting_whose_outcome_is_unknown_is_given_up_and_said(
    world: World, mixpanel: Mixpanel, arrived: bool
) -> None:
    world.rules(COUNTED)
    mixpanel.also_apply = arrived
    mixpanel.script = once(Reply(cut="before"), of="$add")
    world.change(entered=people(3))
    assert world.run().kind == "later"
    assert world.run().kind == "drained"
    assert adds(mixpanel) == ["u0", "u1", "u2"]
    assert [(code, record["$distinct_id"]) for code, record in world.letters()] == [
        ("outcome_unknown", who) for who in people(3)
    ]
    assert mixpanel.cohorts_of("u2") == ["VIP"]


def test_counting_under_way_in_a_crash_is_given_up_and_what_was_settled_is_not_done_again(
    world: World, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.build(dead_letter_cap=10_000)
    world.rules(COUNTED)
    world.change(entered=people(4500))
    settle, crashed = world.cursor.settle_each, threading.Event()

    def crash(lane: Any, outcomes: Any) -> None:
        if any(mark.startswith("sg1-1-") for mark, _ in outcomes):  # the batch with the first entry's
            crashed.set()
            raise KeyboardInterrupt
        settle(lane, outcomes)

    with monkeypatch.context() as patch:
        patch.setattr(world.cursor, "settle_each", crash)
        with pytest.raises(KeyboardInterrupt):
            world.run()
    assert crashed.is_set()
    assert world.run().kind == "drained"
    assert len(set(adds(mixpanel))) == len(adds(mixpanel))
    unknown = [record["$distinct_id"] for code, record in world.letters() if code == "outcome_unknown"]
    assert set(people(2000)) <= set(unknown)  # the crashed batch, at least
    assert set(adds(mixpanel)) | set(unknown) == set(people(4500))
    assert len(set(unknown)) == len(unknown)
    assert not world.redis.exists(keys.destination_accepted(P, "profiles"))


def test_ids_that_mixpanel_refuses_are_dead_letters_once_however_often_the_window_is_tried(
    world: World, mixpanel: Mixpanel
) -> None:
    mixpanel.script = once(Reply(503))
    world.change(entered=["anonymous", "u"])
    world.change(exited=["anonymous"], cohort="2")
    world.run()
    world.run()
    assert world.letters() == [("unusable_id", {"$distinct_id": "anonymous"})]
    assert {record["$distinct_id"] for record in mixpanel.records} == {"u"}


def test_whoever_lost_the_lane_writes_nothing_more(world: World, mixpanel: Mixpanel) -> None:
    def taken_over(_records: object) -> None:
        world.redis.hincrby(keys.lane(P, "profiles"), "token", 1)

    mixpanel.script = taken_over
    world.change(entered=["u"])
    with pytest.raises(LaneLost):
        world.run()
    assert "cursor" not in world.hash()
    assert "delivered" not in world.hash()


def test_whoever_takes_the_lane_over_waits_for_the_longest_request(world: World, mixpanel: Mixpanel) -> None:
    def crash(_records: object) -> None:
        wake = world.redis.hincrby(keys.lane(P, "profiles"), "wake", 1)
        world.redis.hset(keys.lane(P, "profiles"), "state", "queued")
        starts.append(world.lanes.start(P, "profiles", wake))

    starts: list[object] = []
    mixpanel.script = crash
    world.change(entered=["u"])
    with pytest.raises(LaneLost):
        world.run()
    assert starts == [None]


def test_a_value_that_another_cohort_of_the_same_name_gives_is_not_taken_away(
    world: World, mixpanel: Mixpanel
) -> None:
    world.known.cohorts["3"] = "VIP"
    world.change(entered=["u", "v"])
    world.change(entered=["u"], cohort="3")
    world.known.members = {"3": {"u"}}
    world.run()
    world.change(exited=["u", "v"])
    world.run()
    assert (mixpanel.cohorts_of("u"), mixpanel.cohorts_of("v")) == (["VIP"], [])


def test_a_finished_sync_is_one_line_once_mixpanel_is_up_to_date(world: World) -> None:
    detail = {
        "entered": 2,
        "exited": 1,
        "updated": 0,
        "members": 7,
        "began_ms": int(world.now_s * 1000) - 2500,
        "full": True,
    }
    world.change(entered=["u", "v"])
    world.change(kind="sync.completed", detail=detail)
    with capture_logs() as logs:
        world.run()
    assert [line for line in logs if line["event"] == "sync_delivered"] == [
        {
            "event": "sync_delivered",
            "log_level": "info",
            "project_id": P,
            "cohort_id": "1",
            "cohort_name": "VIP",
            "session_id": "s",
            "entered": 2,
            "exited": 1,
            "updated": 0,
            "members": 7,
            "seconds": 2.5,
        }
    ]


def test_when_its_time_is_up_it_stops_between_windows(world: World) -> None:
    for number in range(3):
        world.change(entered=people(10_000, f"{number}-"))
    assert world.run(slice_s=0.0).kind == "more"
    assert world.run().kind == "drained"


def test_the_status_says_where_it_stands(world: World, mixpanel: Mixpanel) -> None:
    assert world.status().lag_s == 0
    world.change(entered=["u"])
    world.now_s += 90
    before = world.status()
    assert (before.cursor, before.behind, before.lag_s, before.state) == (0, 1, 90, "ok")
    mixpanel.script = once(Reply(503))
    world.run()
    failed = world.status()
    assert (failed.state, failed.tries, failed.behind) == ("retrying", 1, 1)
    assert "503" in failed.reason
    assert failed.since_ms
    world.run()
    after = world.status()
    assert (after.cursor, after.behind, after.lag_s, after.state, after.reason) == (1, 0, 0, "ok", "")
    assert (after.delivered, after.dead_lettered) == (1, 0)


def test_a_finished_round_is_not_sent_again_however_names_members_and_limits_have_changed(
    world: World, mixpanel: Mixpanel
) -> None:
    world.known.cohorts["3"] = "VIP"
    world.known.members = {"3": set(people(50, "gone"))}
    mixpanel.script = once(Reply(503), of="$union")
    world.change(entered=["U1"], exited=people(300, "gone"))
    assert world.run().kind == "later"
    removed = [record for record in mixpanel.records if "$remove" in record]
    assert len(removed) == 250

    world.known.members = {}
    world.known.cohorts["3"] = "Other"
    world.redis.set(keys.size_limit(P), 5_000)
    assert world.run().kind == "drained"
    assert [record for record in mixpanel.records if "$remove" in record] == removed
    assert mixpanel.cohorts_of("U1") == ["VIP"]


def test_batches_of_an_unfinished_round_may_be_cut_differently_at_the_next_try(
    world: World, mixpanel: Mixpanel
) -> None:
    world.rules(COUNTED)
    mixpanel.script = once(Reply(429), of="$union")
    world.change(entered=people(300))
    assert world.run().kind == "later"
    world.redis.set(keys.size_limit(P), 3_000)
    assert world.run().kind == "drained"
    assert counted(mixpanel) == dict.fromkeys(people(300), 1)
    assert all(mixpanel.cohorts_of(who) == ["VIP"] for who in people(300))


def test_a_later_try_knows_what_the_first_one_knew(world: World, mixpanel: Mixpanel) -> None:
    world.rules(
        RuleSet(
            (
                Rule(
                    cohort_names=("VIP",),
                    enter=(Operation("$add", "p", 1),),
                    exit=(Operation("$unset", "p"),),
                ),
                Rule(cohort_names=("Gold",), enter=(Operation("$union", "p", ["gold"]),)),
            )
        )
    )
    mixpanel.script = once(Reply(503), of="$union")
    world.change(entered=["u"])
    world.change(exited=["u"])
    world.change(entered=["u"], cohort="2")
    assert world.run().kind == "later"
    world.known.members = {"2": {"u"}}  # asked now, it would spare the property, and need a round less
    assert world.run().kind == "drained"
    assert mixpanel.profiles["u"] == {"p": ["gold"]}


def test_after_a_failure_no_further_request_begins(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.script = lambda _records: Reply(503)
    world.change(entered=people(18_000))
    world.run()
    assert len(mixpanel.batches) == 4


def test_the_state_is_as_old_as_the_first_failure(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.script = lambda _records: Reply(503)
    world.change(entered=["u"])
    world.run()
    since = world.hash()["since_ms"]
    time.sleep(0.002)
    world.run()
    assert world.hash()["since_ms"] == since
