"""`flask projects pause|resume|stop-accepting|accept|drain` over a real Redis, and a small Mixpanel."""

import time
from collections.abc import Iterator

import pytest

from app.cli import project_holding
from app.cohorts.applying import run
from app.cohorts.applying.replaying import BUSY_LOOK_MS
from app.cohorts.inbox import InboxFull, NotAccepting
from app.lanes.state import read_lane
from app.status.attention import needs_attention
from app.status.checks import Check
from app.status.overview import read_overview
from app.store import keys
from tests.integration.destinations.world import Mixpanel
from tests.integration.mixpanel.server import Server

from .relay import SHOP, Relay, environment


@pytest.fixture
def mixpanel() -> Iterator[Mixpanel]:
    found = Mixpanel()
    with Server(found.answer) as server:
        found.url = server.url
        yield found


@pytest.fixture
def shop(redis_url: str, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A relay whose inbox is small, and whose commands look at once again."""
    caps = {"INBOX_SOFT_CAP_BYTES": "1024", "INBOX_HARD_CAP_BYTES": "2048", "MAX_BODY_BYTES": "2048"}
    made = Relay(environment(redis_url, MIXPANEL_INGESTION_URL=mixpanel.url, **caps))
    monkeypatch.setattr(project_holding, "LOOK_S", 0.0)
    yield made
    made.close()


def lane(shop: Relay, name: str) -> str:
    return read_lane(shop.services.redis, SHOP, name).state


def attention(shop: Relay, name: str) -> Check:
    """Return the one thing of this name that needs attention."""
    (told,) = [each for each in needs_attention(read_overview(shop.services)) if each.name == name]
    return told


def fill(shop: Relay) -> int:
    """Send pages until the inbox is full, and let workers run; return how many were taken in."""
    for taken in range(100):
        try:
            shop.accept("add_members", f"u{taken}", session=f"s{taken}")
        except InboxFull:
            return taken
        for name in ("apply", "profiles"):
            if lane(shop, name) == "queued":
                shop.run_lane(name)
    return 100


def test_a_paused_project_accepts_until_its_caps_then_429_and_loses_nothing(
    shop: Relay, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MAX_BACKLOG", 2)
    assert shop.json("projects", "pause", "--why", "their maintenance")["projects"][SHOP]["newly_paused"]
    taken = fill(shop)
    assert mixpanel.batches == []
    assert lane(shop, "apply") == "waiting"  # the log is too far ahead
    assert 2 < taken < 100
    told = attention(shop, "paused")
    assert told.verdict == "warn"
    assert "their maintenance" in told.found

    monkeypatch.setattr(run, "MAX_BACKLOG", 4_000)
    assert "goes on now" in shop.flask("projects", "resume").output
    assert {lane(shop, "apply"), lane(shop, "profiles")} == {"queued"}
    shop.run_lane("apply")
    shop.run_lane("profiles")
    assert sorted(mixpanel.profiles) == sorted(f"u{number}" for number in range(taken))


def test_a_destination_that_is_paused_by_itself_stays_so_when_its_project_goes_on(shop: Relay) -> None:
    shop.services.operating.pause(SHOP, "profiles", "ada", "by itself")
    shop.services.operating.pause_project(SHOP, "ada", "")
    assert "goes on now" in shop.flask("projects", "resume").output
    listed = shop.json("destinations", "list")["projects"][SHOP]
    assert (listed["profiles"]["state"], listed["events-outbox"]["state"]) == ("paused", "ok")
    assert "nothing to do" in shop.flask("projects", "resume").output


def test_what_is_not_accepted_is_not_kept_but_a_copy_of_what_is_is_acknowledged(shop: Relay) -> None:
    shop.accept("add_members", "ann")
    assert shop.json("projects", "stop-accepting", "--why", "a move")["projects"][SHOP]["newly_stopped"]
    shop.accept("add_members", "ann")  # it waits still, so it is safe to say that it is taken
    with pytest.raises(NotAccepting):
        shop.accept("add_members", "bob")
    with pytest.raises(NotAccepting):
        shop.services.outboxes.submit(SHOP, "events", [b"{}"])
    assert shop.services.inbox.depth(SHOP)["pages"] == 1
    told = attention(shop, "accepting")
    assert (told.verdict, "a move" in told.found) == ("warn", True)
    assert "accepting was stopped by" in shop.flask("projects", "list").output
    assert shop.json("projects", "accept")["projects"][SHOP]["was_stopped"]
    shop.accept("add_members", "bob")
    assert not shop.json("projects", "accept")["projects"][SHOP]["was_stopped"]


def test_what_was_stopped_for_days_needs_somebody(shop: Relay) -> None:
    shop.services.operating.close(SHOP, "ada", "", 0)
    shop.services.redis.hincrby(keys.held(SHOP), "closed_ms", -49 * 3_600_000)
    assert attention(shop, "accepting").verdict == "fail"


def working(shop: Relay, monkeypatch: pytest.MonkeyPatch, *names: str) -> list[int]:
    """Let workers run between two looks of a command, and note what was left at each."""
    left: list[int] = []

    def run_some(_seconds: float) -> None:
        left.append(shop.services.standings.read(shop.services.settings.projects[SHOP]).remaining.changes)
        for name in names:
            if lane(shop, name) == "queued":
                shop.run_lane(name)
                return

    monkeypatch.setattr(time, "sleep", run_some)
    return left


def test_a_walk_that_gives_way_to_live_changes_for_a_moment_is_still_to_be_done(shop: Relay) -> None:
    redis, project = shop.services.redis, shop.services.settings.projects[SHOP]
    seconds, micros = redis.time()
    redis.zadd(keys.due(SHOP), {"7": seconds * 1000 + micros // 1000 + BUSY_LOOK_MS})
    assert shop.services.standings.read(project).remaining.cohorts == 1


def test_draining_waits_until_all_is_delivered(
    shop: Relay, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.accept("add_members", "ann", "bob")
    shop.services.outboxes.submit(SHOP, "profiles", [b'{"$distinct_id":"cyd","$set":{"a":1}}'])
    left = working(shop, monkeypatch, "apply", "profiles", "profiles-outbox")
    answer = shop.json("projects", "drain", "--why", "a move")
    assert (answer["ok"], answer["projects"][SHOP]["drained"]) == (True, True)
    assert set(mixpanel.profiles) == {"ann", "bob", "cyd"}
    assert left[0] > 0
    assert left[-1] == 0
    with pytest.raises(NotAccepting):
        shop.accept("add_members", "dan")


def test_draining_ends_with_3_where_a_person_is_needed_or_the_time_is_up(
    shop: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.services.outboxes.submit(SHOP, "groups", [b'{"a":1}'])
    late = shop.flask("projects", "drain", "--timeout", "0")
    assert late.exit_code == project_holding.LEFT
    assert "1 record left" in late.output
    assert f"flask projects accept --project {SHOP}" in late.output
    shop.services.operating.pause(SHOP, "groups-outbox", "ada", "hands off")
    answer = shop.json("projects", "drain", status=project_holding.LEFT)
    remaining = answer["projects"][SHOP]["remaining"]
    assert remaining["records"] == 1
    assert "hands off" in remaining["held_up"]["groups-outbox"]


def test_one_project_or_all_is_meant_and_never_both(shop: Relay) -> None:
    assert shop.flask("projects", "drain", "--all", "--project", SHOP).exit_code == 2
    assert shop.flask("projects", "pause", "--project", "9").exit_code == 2


def test_every_command_is_in_the_audit_log(shop: Relay) -> None:
    commands = ("pause", "resume", "stop-accepting", "accept", "drain")
    for command in commands:
        shop.flask("projects", command)
    actions = [each.entry.action for each in shop.services.audit.all()]
    assert actions == [f"flask projects {each}" for each in reversed(commands)]


# --- skipping and rewinding ------------------------------------------------------------------------------


def test_without_yes_it_is_only_said_what_it_means(shop: Relay) -> None:
    for number in range(3):
        shop.accept("add_members", f"u{number}", session=f"s{number}")
    shop.run_lane("apply")
    end = shop.services.changelog.end(SHOP)
    said = shop.flask("destinations", "skip", "profiles", "--all")
    assert said.exit_code == 0
    assert "3 entered" in said.output
    assert "3 $union" in said.output
    assert f"Nothing was done. To do it, while it is paused: the same with --to {end} --yes." in said.output
    assert shop.json("destinations", "list")["projects"][SHOP]["profiles"]["cursor"] == 0

    refused = shop.flask("destinations", "skip", "profiles", "--all", "--yes")
    assert refused.exit_code == 1
    assert f"flask destinations pause --project {SHOP} profiles" in refused.output
    shop.flask("destinations", "pause", "profiles")
    done = shop.json("destinations", "skip", "profiles", "--entries", "2", "--yes")
    assert (done["done"], done["action"], done["to"]) == (True, "skip", 2)
    assert shop.json("destinations", "list")["projects"][SHOP]["profiles"]["cursor"] == 2
    entry = next(shop.services.audit.all()).entry
    assert (entry.action, entry.counts["cursor"]) == ("flask destinations skip", 2)

    back = shop.flask("destinations", "rewind", "profiles", "--all", "--yes")
    assert "was at 2 and is at 0 now" in back.output
    assert "resume --project 1001 profiles" in back.output


def test_what_cannot_be_done_is_said(shop: Relay) -> None:
    for args, status in (
        (("skip", "profiles"), 2),
        (("skip", "profiles", "--all", "--to", "1"), 2),
        (("skip", "profiles", "--all"), 1),
        (("skip", "profiles", "--to", "9"), 1),
        (("rewind", "profiles", "--all"), 1),
        (("rewind", "groups-outbox", "--all"), 1),
        (("skip", "events", "--all"), 2),
        (("skip", "apply", "--all"), 2),
    ):
        assert shop.flask("destinations", *args, "--yes").exit_code == status, args
