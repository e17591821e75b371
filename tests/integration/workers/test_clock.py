"""The clock sweeps every lane, whatever is wrong with one of them."""

from dataclasses import replace
from typing import Any

import pytest
from redis import Redis
from structlog.testing import capture_logs

from app.lanes.state import read_lane
from app.store import keys
from app.store.format import OtherFormatError
from config.projects import ServiceAccount
from config.secret import Secret
from tests.integration.workers.made import Runner, make_services
from workers.clock import Clock


def test_a_lane_that_cannot_be_swept_keeps_no_other_from_it(redis_client: Redis) -> None:
    made = make_services(redis_client, Runner(), "1", "2", "3")
    for project_id in ("1", "2", "3"):
        redis_client.xadd(keys.inbox(project_id), {"digest": "1", "body": "{}"})
    redis_client.set(keys.lane("2", "apply"), "no lane")
    with capture_logs() as logs:
        Clock(made, "clock@a").tick()
    states = [read_lane(redis_client, project_id, "apply").state for project_id in ("1", "3")]
    assert states == ["queued", "queued"]
    (told,) = [line for line in logs if line["event"] == "lane_not_swept"]
    assert (told["project_id"], told["lane"], told["error"]) == ("2", "apply", "ResponseError")


def test_a_broken_lane_costs_no_lane_of_its_own_project_its_job(redis_client: Redis) -> None:
    made = make_services(redis_client, Runner(), "1")
    redis_client.xadd(keys.inbox("1"), {"digest": "1", "body": "{}"})
    redis_client.hset(keys.outbox_meta("1", "events"), "sequence", 1)
    redis_client.set(keys.lane("1", "profiles"), "no lane")
    Clock(made, "clock@a").tick()
    assert [made.queue.depth(name) for name in ("apply", "mixpanel")] == [1, 1]
    assert read_lane(redis_client, "1", "events-outbox").state == "queued"


def test_a_broken_lane_is_told_once_a_minute(redis_client: Redis) -> None:
    made = make_services(redis_client, Runner(), "1")
    redis_client.set(keys.lane("1", "profiles"), "no lane")
    now_s = 0.0
    clock = Clock(made, "clock@a", lambda: now_s)
    told = []
    for now_s in (0.0, 0.5, 59.5, 60.0, 60.5):  # noqa: B007 - read by the clock
        with capture_logs() as logs:
            clock.tick()
        told.append(len(logs))
    assert told == [1, 0, 0, 1, 0]


def test_a_tick_is_one_script_a_project_and_one_round_trip_for_many(redis_client: Redis) -> None:
    made = make_services(redis_client, Runner(), *map(str, range(40)))
    clock = Clock(made, "clock@a")
    for _ in range(3):  # the first ones tidy up, some projects each
        clock.tick()
    redis_client.config_resetstat()
    clock.tick()
    info: Any = redis_client.info()
    stats: Any = redis_client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 40 + 1  # and the clock's lock
    assert info["total_reads_processed"] < 12  # a long pipeline takes several reads


def test_a_clock_notices_that_the_state_became_another_versions(redis_client: Redis) -> None:
    made = make_services(redis_client, Runner(), "1")
    now_s = 0.0
    clock = Clock(made, "clock@a", lambda: now_s)
    clock.tick()
    redis_client.set(keys.state_format(), "9")
    now_s = 60.0
    with pytest.raises(OtherFormatError):
        clock.tick()


def test_one_clock_ticks_at_a_time(redis_client: Redis) -> None:
    made = make_services(redis_client, Runner(), "1")
    first, second = Clock(made, "clock@a"), Clock(made, "clock@b")
    first.tick()
    redis_client.xadd(keys.inbox("1"), {"digest": "1", "body": "{}"})
    second.tick()
    assert read_lane(redis_client, "1", "apply").state == "idle"
    first.tick()
    assert read_lane(redis_client, "1", "apply").state == "queued"


def test_every_project_that_can_ask_mixpanel_has_an_audit_to_come_whichever_clock_dies(
    redis_client: Redis,
) -> None:
    made = make_services(redis_client, Runner(), "1", "2")
    account = ServiceAccount("account", Secret("secret"))
    projects: Any = made.settings.projects
    projects["1"] = replace(projects["1"], service_account=account)
    Clock(made, "clock@a").tick()
    assert redis_client.zcard(keys.resyncs_due("1")) == 1
    assert not redis_client.exists(keys.resyncs_due("2"))
    redis_client.zadd(keys.resyncs_due("1"), {"0": 4e12})  # the lane has said when to go on
    redis_client.delete(keys.clock_lock())
    Clock(made, "clock@b").tick()
    assert redis_client.zscore(keys.resyncs_due("1"), "0") == 4e12, "another clock begins nothing anew"
