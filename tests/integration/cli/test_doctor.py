"""`flask doctor` over a real Redis, sound and unsound ones."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from app.store import keys
from tests.conftest import StartRedis

from .relay import Relay, environment


@pytest.fixture
def mixpanel() -> Iterator[str]:
    """The address of somebody who listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def sound(start_redis: StartRedis, mixpanel: str, tmp_path: Path) -> Iterator[Relay]:
    """A relay as it should be: Redis persists and does not evict, everybody lives, Mixpanel is there."""
    made = Relay(environment(start_redis(appendonly=True).url, MIXPANEL_INGESTION_URL=mixpanel))
    made.beat("worker-apply", "worker-mixpanel", "worker-webhooks", "clock")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def verdicts(relay: Relay, *options: str, status: int = 0, **changes: str) -> dict[str, str]:
    checks = relay.json("doctor", *options, status=status, **changes)["checks"]
    return {check["name"]: check["verdict"] for check in checks}


def test_a_sound_relay_passes_every_check(sound: Relay) -> None:
    found = verdicts(sound)
    assert set(found.values()) == {"ok"}
    assert list(found) == [
        *("settings", "redis", "state", "version", "persistence", "eviction", "memory", "time", "queues"),
        *("worker-apply", "worker-mixpanel", "worker-webhooks", "clock"),
        *("token", "service account", "webhook", "mixpanel"),
        *("inbox", "profiles", "set aside", "dead letters", "cohorts"),
    ]
    result = sound.flask("doctor")
    assert result.exit_code == 0
    assert result.output.rstrip().endswith("All 22 checks are fine.")


def test_a_redis_that_may_lose_data_fails_with_what_to_do(relay: Relay) -> None:
    found = relay.flask("doctor", "--offline")
    assert found.exit_code == 1
    lines = found.output.splitlines()
    at = next(place for place, line in enumerate(lines) if "persistence" in line)
    assert lines[at].startswith("  fail")
    assert lines[at + 1].strip() == "-> set appendonly yes"


def test_it_can_be_allowed_and_is_then_only_to_know_about(relay: Relay) -> None:
    relay.beat("worker-apply", "worker-mixpanel", "worker-webhooks", "clock")
    assert verdicts(relay, "--offline", ALLOW_VOLATILE_REDIS="yes")["persistence"] == "warn"


def test_a_redis_that_evicts_fails(sound: Relay) -> None:
    sound.services.redis.config_set("maxmemory-policy", "allkeys-lru")
    assert verdicts(sound, status=1)["eviction"] == "fail"


def test_a_redis_that_is_nearly_full_is_told(sound: Relay) -> None:
    used = int(sound.services.redis.info()["used_memory"])
    sound.services.redis.config_set("maxmemory", int(used * 1.2))
    assert verdicts(sound, status=0)["memory"] == "warn"


def test_a_redis_that_is_away_fails_once_and_what_needs_it_is_left_out(sound: Relay) -> None:
    found = verdicts(sound, status=1, REDIS_URL="redis://127.0.0.1:1/0")
    assert found["redis"] == "fail"
    assert not {"version", "persistence", "queues", "clock", "inbox"} & set(found)
    assert found["mixpanel"] == "ok"


def test_queues_of_their_own_are_tried_too(sound: Relay, redis_client: Redis, redis_url: str) -> None:
    assert verdicts(sound, RQ_REDIS_URL=redis_url)["queues"] == "ok"
    assert verdicts(sound, status=1, RQ_REDIS_URL="redis://127.0.0.1:1/0")["queues"] == "fail"


def test_a_redis_with_a_password_says_so_without_showing_it(start_redis: StartRedis, mixpanel: str) -> None:
    url = start_redis(appendonly=True).url
    relay = Relay(environment(url, MIXPANEL_INGESTION_URL=mixpanel))
    relay.services.redis.config_set("requirepass", "hidden-word")
    relay.close()
    assert "asks for a password" in relay.flask("doctor").output
    wrong = relay.flask("doctor", REDIS_URL=url.replace("redis://", "redis://:mistaken-word@")).output
    assert "refuses the URL's user or password" in wrong
    assert "word@" not in wrong


def test_a_mixpanel_that_cannot_be_reached_fails_unless_it_is_not_tried(sound: Relay) -> None:
    nowhere = "http://127.0.0.1:1"
    assert verdicts(sound, status=1, MIXPANEL_INGESTION_URL=nowhere)["mixpanel"] == "fail"
    assert "mixpanel" not in verdicts(sound, "--offline", MIXPANEL_INGESTION_URL=nowhere)


def test_state_of_another_version_fails_and_what_reads_it_is_left_out(sound: Relay) -> None:
    sound.services.redis.set(keys.state_format(), "9")
    checks = sound.json("doctor", status=1)["checks"]
    (state,) = [check for check in checks if check["verdict"] == "fail"]
    assert state["name"] == "state"
    assert "holds state of version 9, and this cohort-relay works with version 1" in state["found"]
    assert "run the cohort-relay that wrote it" in state["advice"]
    assert not {"version", "clock", "inbox"} & {check["name"] for check in checks}


def test_wrong_settings_are_failed_checks_each(sound: Relay) -> None:
    answer = sound.json("doctor", status=1, PORT="x", SECRET_KEY="short")
    assert [check["name"] for check in answer["checks"]] == ["settings", "settings"]
    assert all(check["advice"] for check in answer["checks"])
