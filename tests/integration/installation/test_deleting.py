"""Deleting a project: nothing of it remains, nothing of others goes, nothing comes in meanwhile."""

import time
from collections.abc import Iterator
from typing import Any, cast

import orjson
import pytest
from redis import Redis

from app.access.tokens import Tokens
from app.cohorts.pages import parse
from app.installation.deleting import Deleting, StillWritten
from app.installation.stored import SCANNED, total
from app.lanes.lanes import LaneLost
from app.metrics import families
from app.metrics.stored import StoredMetrics
from app.services import Services, build_services
from app.store import keys
from app.store.durable import BeingDeletedError
from config.settings import load_settings
from tests.integration.cli.relay import SHOP, environment
from tests.integration.installation.planting import everything, planted

OTHER = "83203300"  # begins as SHOP's could
LOOKS = 4
"""How often a time is taken: on a busy machine anything takes long now and then, but not always."""


@pytest.fixture
def services(redis_url: str) -> Iterator[Services]:
    made = build_services(load_settings(environment(redis_url)))
    yield made
    made.redis.close()


def deleting(redis: Redis) -> Deleting:
    return Deleting(redis, Tokens(redis), StoredMetrics(redis))


def delete(redis: Redis, project_id: str) -> Any:
    each = deleting(redis)
    for _ in each.run(project_id, "somebody"):
        pass
    return each.finish(project_id)


def accept(services: Services, member: str) -> None:
    parameters = {
        "mixpanel_project_id": SHOP,
        "mixpanel_cohort_id": "7",
        "mixpanel_cohort_name": "VIP",
        "mixpanel_session_id": "s1",
        "page_info": {"total_pages": 1, "page_count": 1},
        "members": [{"mixpanel_distinct_id": member}],
    }
    body = orjson.dumps({"action": "members", "parameters": parameters})
    services.inbox.accept(parse(body).head, body)


def run_lane(services: Services, name: str = "apply") -> None:
    wake = cast("bytes", services.redis.hget(keys.lane(SHOP, name), "wake"))
    held = services.lanes.start(SHOP, name, int(wake))
    assert held
    outcome = services.runners[name].run(held, services.settings.projects[SHOP], time.monotonic() + 5)
    services.lanes.finish(held, outcome)


def test_nothing_of_it_remains_and_all_else_is_as_it_was(redis_client: Redis) -> None:
    mine = planted(redis_client, SHOP)
    for other in (OTHER, SHOP[:-1], f"{SHOP}-2"):
        planted(redis_client, other)
    redis_client.set("somebody else's", "x")
    redis_client.set(keys.state_format(), 1)
    before = {key: value for key, value in everything(redis_client).items() if key not in mine}
    there = deleting(redis_client).look(SHOP)
    assert total(there.amounts).keys == len(mine)
    gone = delete(redis_client, SHOP)
    assert everything(redis_client) == before
    assert gone.amounts == there.amounts
    assert set(redis_client.scan_iter(f"*{{{SHOP}}}*")) == set()


def test_its_tokens_and_numbers_go_and_those_of_others_stay(redis_client: Redis) -> None:
    tokens, metrics = Tokens(redis_client), StoredMetrics(redis_client)
    for project_id in (SHOP, OTHER, None):
        tokens.create("a token", ["read"], 1, project_id=project_id)
    name = families.PAGES_REFUSED.name
    metrics.add("p", 1, {(name, (each, "inbox_full"), ""): 3.0 for each in (SHOP, OTHER, "")})
    gone = delete(redis_client, SHOP)
    assert (gone.tokens, gone.metrics) == (1, 2)  # a counter, and when it grew last
    assert {token.project_id for token in tokens.all()} == {OTHER, None}
    assert {labels[0] for _, labels, _ in metrics.read()} == {OTHER, ""}


def test_it_goes_on_where_it_was_broken_off_and_counts_everything_once(redis_client: Redis) -> None:
    mine = planted(redis_client, SHOP)
    for number in range(10, 610):
        redis_client.hset(keys.bucket(SHOP, "7", number), "one", "1")
    expected = deleting(redis_client).look(SHOP).amounts
    for steps in (1, 2, 3):
        run = deleting(redis_client).run(SHOP, "somebody")
        for _ in range(steps):
            next(run)
        assert deleting(redis_client).look(SHOP).leaving_since_ms
    assert delete(redis_client, SHOP).amounts == expected
    assert sum(amount.keys for amount in expected.values()) == len(mine) + 600
    assert not deleting(redis_client).look(SHOP)


def test_nothing_is_taken_in_meanwhile_and_what_comes_later_begins_anew(services: Services) -> None:
    redis = services.redis
    accept(services, "a")
    run_lane(services)
    assert list(services.membership.members(SHOP, "7")) == ["a"]
    accept(services, "b")
    run = deleting(redis).run(SHOP, "somebody")
    next(run)
    with pytest.raises(BeingDeletedError):
        accept(services, "c")
    with pytest.raises(BeingDeletedError):
        services.outboxes.submit(SHOP, "events", [b"{}"])
    for _ in run:
        pass
    with pytest.raises(BeingDeletedError):
        accept(services, "c")
    deleting(redis).finish(SHOP)
    assert not list(redis.scan_iter(f"*{{{SHOP}}}*"))
    accept(services, "d")
    run_lane(services)
    assert list(services.membership.members(SHOP, "7")) == ["d"]
    assert services.inbox.depth(SHOP) == {"pages": 0, "bytes": 0}


def test_a_worker_that_still_holds_a_lane_can_write_nothing_more(services: Services) -> None:
    accept(services, "a")
    wake = cast("bytes", services.redis.hget(keys.lane(SHOP, "apply"), "wake"))
    held = services.lanes.start(SHOP, "apply", int(wake))
    assert held
    next(deleting(services.redis).run(SHOP, "somebody"))
    with pytest.raises(LaneLost):
        held.write(keys.cohorts(SHOP), "SADD", "7")
    assert services.lanes.sweep_all({SHOP: []}) == []
    assert services.lanes.start(SHOP, "apply", int(wake) + 1) is None


def test_no_lane_starts_although_something_wakes_it(services: Services) -> None:
    next(deleting(services.redis).run(SHOP, "somebody"))
    services.redis.hset(keys.lane(SHOP, "apply"), mapping={"state": "queued", "wake": 9, "due": 0})
    assert services.lanes.start(SHOP, "apply", 9) is None
    delete(services.redis, SHOP)
    assert not list(services.redis.scan_iter(f"*{{{SHOP}}}*"))


@pytest.mark.parametrize("text", ["*", "?", "[0-9]*", "audit", "logins", "metrics", "", "a}b", "a b"])
def test_what_is_no_projects_id_deletes_nothing(redis_client: Redis, text: str) -> None:
    planted(redis_client, SHOP)
    redis_client.xadd(keys.audit("changes"), {"entry": "x"})
    before = everything(redis_client)
    assert not deleting(redis_client).look(text)
    with pytest.raises(ValueError, match="id"):
        list(deleting(redis_client).run(text, "somebody"))
    assert everything(redis_client) == before


def test_large_projects_go_in_short_steps(redis_client: Redis) -> None:
    redis_client.config_set("slowlog-log-slower-than", 10_000)
    for _ in range(LOOKS):
        pipeline = redis_client.pipeline(transaction=False)
        for number in range(3 * SCANNED):
            pipeline.hset(keys.bucket(SHOP, "7", number), mapping={str(each): "x" * 8 for each in range(90)})
        pipeline.execute()
        for start in range(0, 200_000, 10_000):
            redis_client.sadd(keys.destination_accepted(SHOP, "profiles"), *range(start, start + 10_000))
        redis_client.slowlog_reset()
        gone = delete(redis_client, SHOP)
        slow = redis_client.slowlog_get()
        assert (gone.amounts["m"].keys, gone.amounts["m"].entries) == (3 * SCANNED, 90 * 3 * SCANNED)
        assert redis_client.dbsize() == 0
        if not slow:
            return
    raise AssertionError(f"always over 10 ms: {slow}")


def test_it_is_possible_in_a_full_redis(redis_client: Redis) -> None:
    planted(redis_client, SHOP)
    redis_client.config_set("maxmemory", 1)
    try:
        delete(redis_client, SHOP)
    finally:
        redis_client.config_set("maxmemory", 0)
    assert redis_client.dbsize() == 0


def test_who_never_stops_writing_is_told_of(redis_client: Redis) -> None:
    each = deleting(redis_client)
    run = (redis_client.set(keys.trust(SHOP), 1) for _ in each.run(SHOP, "somebody"))
    with pytest.raises(StillWritten):
        list(run)
    assert each.look(SHOP).leaving_since_ms
