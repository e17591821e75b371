"""`flask cohorts resync` and `flask resyncs` over a real Redis; the test runs the lanes itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.store import keys

from .relay import SHOP, Relay, environment


@pytest.fixture
def synced(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A cohort, of a project that has a service account."""
    monkeypatch.chdir(tmp_path)
    account = {"MIXPANEL_SERVICE_ACCOUNT_USERNAME": "a", "MIXPANEL_SERVICE_ACCOUNT_SECRET": "s" * 16}
    made = Relay(environment(redis_url, **account))
    made.accept("members", "a", "b", "c")
    made.run_lane("apply")
    yield made
    made.close()


REPLAY = ("cohorts", "resync", "VIP", "--mode", "replay", "--no-wait", "--yes")


def replayed(relay: Relay) -> dict[str, Any]:
    """Ask for a replay and return what is told of it."""
    (asked,) = relay.json(*REPLAY)["resyncs"]
    return dict(asked)


def test_a_replay_is_asked_for_listed_shown_and_done(synced: Relay) -> None:
    asked = replayed(synced)
    assert asked["state"] == "asked"
    synced.run_lane("apply")
    assert "completed" in synced.flask("resyncs", "list").output
    shown = synced.flask("resyncs", "show", asked["id"]).output
    assert "3 replayed" in shown
    assert "command line" in shown


def test_a_second_one_is_refused_with_status_1_and_names_the_first(synced: Relay) -> None:
    first = replayed(synced)
    (problem,) = synced.json(*REPLAY, status=1)["problems"]
    assert first["id"] in problem


def test_it_asks_first_and_says_how_long_reading_takes(synced: Relay) -> None:
    synced.services.redis.hset(keys.cohort(SHOP, "7"), "members", 120_000)
    result = synced.flask("cohorts", "resync", "7", "--mode", "reconcile")
    assert result.exit_code == 1
    assert "reading them takes" in result.stderr
    assert " h " in result.stderr
    assert synced.json("resyncs", "list")["resyncs"] == []


def test_it_can_be_cancelled(synced: Relay) -> None:
    first = replayed(synced)
    assert synced.flask("resyncs", "cancel", first["id"]).exit_code == 0
    synced.run_lane("apply")
    assert synced.json("resyncs", "show", first["id"])["resync"]["state"] == "cancelled"
    assert synced.flask("resyncs", "cancel", first["id"]).exit_code == 1


def test_all_cohorts_are_resynced_one_after_the_other(synced: Relay) -> None:
    synced.accept("members", "x", session="s3", mixpanel_cohort_id="8", mixpanel_cohort_name="Other")
    synced.run_lane("apply")
    told = synced.json("cohorts", "resync", "--all", "--mode", "replay", "--no-wait", "--yes")
    assert {each["cohort_id"] for each in told["resyncs"]} == {"7", "8"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--mode", "replay"), "Give a COHORT, or --all"),
        (("7", "--all", "--mode", "replay"), "Give a COHORT, or --all"),
        (("7", "--mode", "replay", "--output-property", "plan"), "goes with --mode reconcile"),
        (("7", "--mode", "replay", "--json"), "give --yes"),
    ],
)
def test_what_contradicts_itself_is_status_2(synced: Relay, args: tuple[str, ...], said: str) -> None:
    result = synced.flask("cohorts", "resync", *args)
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_what_is_not_there_is_one_sentence_and_status_1(synced: Relay) -> None:
    for args in (("cohorts", "resync", "nobody", "--mode", "replay"), ("resyncs", "show", "1001-9")):
        result = synced.flask(*args)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
