"""`flask people` over a real Redis; the test runs the lanes itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.lanes.work import lanes_of
from app.store import keys

from .relay import SHOP, Relay, environment


@pytest.fixture
def synced(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A cohort of three."""
    monkeypatch.chdir(tmp_path)
    made = Relay(environment(redis_url))
    made.accept("members", "ann", "b", "c")
    made.run_lane("apply")
    yield made
    made.close()


def through(relay: Relay) -> None:
    """Run every lane until the erasure is at rest; nothing is left to be delivered."""
    redis: Any = relay.services.redis
    for _ in range(10):
        for lane in lanes_of(relay.services.settings.projects[SHOP]):
            redis.hset(keys.destination(SHOP, "profiles"), "cursor", relay.services.changelog.end(SHOP))
            for number, state in redis.hgetall(keys.erasures_open(SHOP)).items():
                if state != b"completed":
                    redis.zadd(keys.erasures_due(SHOP), {number: 0})
            redis.hincrby(keys.lane(SHOP, lane.name), "wake", 1)
            redis.hset(keys.lane(SHOP, lane.name), "state", "queued")
            relay.run_lane(lane.name)


def test_a_look_first_changes_nothing(synced: Relay) -> None:
    told = synced.json("people", "erase", "ann", "--dry-run")
    assert (told["ids"], told["cohorts"]) == (["ann"], ["7"])
    assert "ann" in synced.flask("people", "erase", "ann", "--dry-run").output
    assert "Nobody was erased" in synced.flask("people", "erasures").output


def test_it_asks_first(synced: Relay) -> None:
    result = synced.flask("people", "erase", "ann")
    assert result.exit_code == 1
    assert "cannot be undone" in result.output + result.stderr
    assert synced.json("people", "erasures")["erasures"] == []


def test_somebody_is_erased_listed_and_shown(synced: Relay) -> None:
    asked = synced.json("people", "erase", "ann", "--no-wait")["erasure"]
    assert asked["state"] == "asked"
    through(synced)
    shown = synced.flask("people", "erasures", asked["id"]).output
    assert "completed" in shown
    assert "1 memberships" in shown
    assert "ann" not in shown
    assert asked["id"] in synced.flask("people", "erasures").output
    assert set(synced.services.membership.members(SHOP, "7")) == {"b", "c"}
    audited = synced.flask("audit", "list").output
    assert "people erase" in audited
    assert "ann" not in audited


def test_what_is_not_there_is_said(synced: Relay) -> None:
    (problem,) = synced.json("people", "erasures", f"{SHOP}-9", status=1)["problems"]
    assert f"{SHOP}-9" in problem


def test_without_a_token_mixpanel_is_not_asked(synced: Relay) -> None:
    (problem,) = synced.json("people", "erase", "ann", "--mixpanel", status=1)["problems"]
    assert "oauth_token" in problem
