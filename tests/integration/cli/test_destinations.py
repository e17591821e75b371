"""`flask destinations` over a real Redis: one that was stopped or paused goes on, and says so."""

import pytest

from app.destinations.cursor import Cursor
from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from app.lanes.state import read_lane
from app.store import keys

from .relay import SHOP, Relay


def held(relay: Relay, name: str) -> HeldLane:
    wake = relay.services.redis.hincrby(keys.lane(SHOP, name), "wake", 1)
    relay.services.redis.hset(keys.lane(SHOP, name), mapping={"state": "queued", "wake": wake})
    lane = relay.services.lanes.start(SHOP, name, wake)
    assert lane
    return lane


def stop(relay: Relay, name: str, cursor: str = "") -> None:
    """Let Mixpanel's answer stop a destination, and its lane wait."""
    lane = held(relay, name)
    Cursor(relay.services.redis, cursor or name, 1000).stop(
        lane, "refused (401)", "digest", "credential_refused"
    )
    relay.services.lanes.finish(lane, Outcome.stopped("refused (401)"))


def state(relay: Relay, name: str) -> str:
    return str(relay.json("destinations", "list")["projects"][SHOP][name]["state"])


@pytest.mark.parametrize("cursor", ["profiles", "profiles-waiting"])
def test_a_stopped_destination_goes_on_at_once_wherever_it_was_stopped(relay: Relay, cursor: str) -> None:
    stop(relay, "profiles", cursor)
    assert state(relay, "profiles") == "stopped"
    assert read_lane(relay.services.redis, SHOP, "profiles").state == "waiting"
    answer = relay.json("destinations", "resume", "--project", SHOP, "profiles")
    assert (answer["was_stopped"], answer["was_paused"]) == (True, False)
    assert state(relay, "profiles") == "retrying"
    assert read_lane(relay.services.redis, SHOP, "profiles").state == "queued"


def test_a_paused_destination_delivers_nothing_until_it_is_resumed(relay: Relay) -> None:
    paused = relay.flask("destinations", "pause", "groups-outbox", "--why", "a migration over there")
    assert paused.exit_code == 0
    assert "resume --project 1001 groups-outbox" in paused.output
    relay.services.outboxes.submit(SHOP, "groups", [b'{"a":1}'])
    relay.run_lane("groups-outbox")
    assert relay.services.outboxes.depth(SHOP, "groups").records == 1
    assert read_lane(relay.services.redis, SHOP, "groups-outbox").state == "waiting"
    listed = relay.flask("destinations", "list").output
    assert "a migration over there" in listed
    (told,) = [each for each in relay.json("status")["attention"] if each["name"] == "groups-outbox"]
    assert told["verdict"] == "warn"
    assert "1 records wait" in told["found"]

    resumed = relay.flask("destinations", "resume", "groups-outbox")
    assert "was paused, and goes on now" in resumed.output
    assert state(relay, "groups-outbox") == "ok"
    assert read_lane(relay.services.redis, SHOP, "groups-outbox").state == "queued"


def test_resuming_what_goes_on_anyway_changes_nothing(relay: Relay) -> None:
    for _ in range(2):
        answer = relay.json("destinations", "resume", "events-outbox")
        assert (answer["was_stopped"], answer["was_paused"]) == (False, False)
    assert relay.services.redis.exists(keys.lane(SHOP, "events-outbox")) == 0


def test_pausing_twice_keeps_since_when_and_the_later_reason(relay: Relay) -> None:
    assert relay.json("destinations", "pause", "profiles", "--why", "one")["newly_paused"]
    first = relay.json("destinations", "list")["projects"][SHOP]["profiles"]
    assert not relay.json("destinations", "pause", "profiles", "--why", "two")["newly_paused"]
    second = relay.json("destinations", "list")["projects"][SHOP]["profiles"]
    assert second["since_ms"] == first["since_ms"]
    assert second["reason"].endswith("two")


@pytest.mark.parametrize("args", [("nothing-like-it",), ("apply",), ("--project", "9", "profiles")])
def test_what_is_no_destination_is_a_usage_error(relay: Relay, args: tuple[str, ...]) -> None:
    for command in ("pause", "resume"):
        assert relay.flask("destinations", command, *args).exit_code == 2
