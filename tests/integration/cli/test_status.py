"""`flask status` over a real Redis and real lanes."""

from pathlib import Path

import pytest
from redis import Redis

from app.metrics.families import PAGES_REFUSED
from app.status.refusals import TOLD_FOR_MS
from app.store import keys

from .relay import SHOP, Relay

ROLES = ("worker-apply", "worker-mixpanel", "worker-webhooks", "clock")
RULES = """
projects:
  - id: '1001'
    region: us
    token: ${MIXPANEL_PROJECT_TOKEN}
    webhook_credentials: [{username: mixpanel, password: "${WEBHOOK_PASSWORD}"}]
    rules:
      - enter: {event: {name: Entered}}
        links: [{user_id: "{member[user_id]}", device_id: "{member[device_id]}"}]
"""


def test_a_relay_that_has_seen_nothing_is_shown_as_such(relay: Relay) -> None:
    relay.beat(*ROLES)
    result = relay.flask("status")
    assert result.exit_code == 0
    assert "0 pages, 0 B" in result.output
    assert "none yet" in result.output
    assert result.output.rstrip().endswith("All is well.")


def test_a_page_is_followed_from_the_inbox_to_the_membership_and_the_destinations_lag(relay: Relay) -> None:
    relay.accept("members", "a", "b", "c")
    waiting = relay.json("status")["status"]
    (project,) = waiting["projects"]
    assert project["inbox"]["pages"] == 1
    assert project["inbox"]["bytes"] > 100
    assert [(lane["name"], lane["state"]) for lane in project["lanes"]] == [
        ("apply", "queued"),
        ("profiles", "idle"),
    ]
    assert 0 <= waiting["at_ms"] - project["lanes"][0]["since_ms"] < 60_000
    jobs = [(queue["name"], queue["jobs"]) for queue in waiting["queues"]]
    assert jobs == [("apply", 1), ("mixpanel", 0), ("webhooks", 0)]

    relay.run_lane("apply")
    (project,) = relay.json("status")["status"]["projects"]
    assert project["inbox"]["pages"] == 0
    assert [(cohort["id"], cohort["members"]) for cohort in project["cohorts"]] == [("7", 3)]
    assert project["lanes"][1]["state"] == "queued"
    assert project["destinations"]["profiles"]["behind"] == project["log_end"] > 0


def test_a_page_that_was_refused_with_a_status_that_pauses_is_told_of_for_some_hours(relay: Relay) -> None:
    relay.beat(*ROLES)
    services = relay.services
    for labels in ((SHOP, "foreign_project"), (SHOP, "inbox_full"), ("", "bad_credential")):
        services.recorder.count(PAGES_REFUSED, *labels)
    assert services.flushing.flush()
    refused = relay.json("status")["status"]["refused"]
    assert {(each["project_id"], each["cause"]) for each in refused} == {
        (SHOP, "foreign_project"),
        ("", "bad_credential"),
    }
    shown = relay.flask("status").output
    assert f"project {SHOP}, refused: a page was refused 0 min ago (foreign_project)" in " ".join(
        shown.split()
    )
    assert "inbox_full" not in shown
    assert sum(services.stored_metrics.read().values()) == 3
    fields = services.stored_metrics.fields_of(SHOP)
    assert len(fields) == 4
    for field in fields:
        if field.endswith(b'"last"]'):
            long_ago = services.redis.time()[0] * 1000 - TOLD_FOR_MS - 5_000
            services.redis.hset(keys.metrics(), field, long_ago)
    assert [each["cause"] for each in relay.json("status")["status"]["refused"]] == ["bad_credential"]


def test_a_destination_that_cannot_reach_mixpanel_is_retrying_and_says_why(relay: Relay) -> None:
    relay.beat(*ROLES)
    relay.accept("members", "a")
    relay.run_lane("apply")
    relay.run_lane("profiles")
    answer = relay.json("status")
    (project,) = answer["status"]["projects"]
    assert project["destinations"]["profiles"]["state"] == "retrying"
    assert project["destinations"]["profiles"]["tries"] == 1
    lane = project["lanes"][1]
    assert lane["state"] == "waiting"
    assert lane["reason"]
    assert lane["until_ms"] > answer["status"]["at_ms"]
    assert [(check["verdict"], check["name"]) for check in answer["attention"]] == [("warn", "profiles")]
    assert answer["ok"] is True
    text = relay.flask("status").output
    assert lane["reason"] in text
    assert "NEEDS ATTENTION" in text


def test_pages_set_aside_and_members_quarantined_are_counted(relay: Relay) -> None:
    for at_ms in (1, 2):
        relay.services.redis.xadd(keys.set_aside(SHOP), {"body": b"{}", "at_ms": at_ms})
    relay.accept("members", "a", members=[{"mixpanel_distinct_id": ""}, {"mixpanel_distinct_id": "a"}])
    relay.run_lane("apply")
    (project,) = relay.json("status")["status"]["projects"]
    assert (project["set_aside"], project["quarantined"]) == (2, 1)


def test_without_signs_of_life_the_missing_processes_are_named(relay: Relay) -> None:
    answer = relay.json("status")
    assert answer["ok"] is False
    assert {check["name"] for check in answer["attention"]} == set(ROLES)


def test_a_redis_that_is_away_is_one_sentence_and_status_1(relay: Relay) -> None:
    away = {"REDIS_URL": "redis://:secret-word@127.0.0.1:1/0"}
    result = relay.flask("status", **away)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Redis at 127.0.0.1:1 (REDIS_URL) cannot be reached: start it, or correct the URL."
    ]
    assert result.stdout == ""
    answer = relay.json("status", status=1, **away)
    assert answer["ok"] is False
    assert len(answer["problems"]) == 1


@pytest.mark.parametrize("command", [("status",), ("cohorts", "list"), ("cohorts", "show", "7")])
def test_state_of_another_version_is_one_sentence_and_status_1(
    relay: Relay, command: tuple[str, ...]
) -> None:
    relay.services.redis.set(keys.state_format(), "9")
    result = relay.flask(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    (sentence,) = result.stderr.splitlines()
    assert "(REDIS_URL) holds state of version 9, and this cohort-relay works with version 1: run" in sentence


def test_commands_leave_no_mark_in_a_redis_without_state(relay: Relay, redis_client: Redis) -> None:
    relay.flask("status")
    relay.flask("doctor", "--offline")
    assert redis_client.keys("*") == []


def test_outboxes_are_shown_once_they_were_used_each_with_its_room(relay: Relay) -> None:
    relay.beat(*ROLES)
    assert "OUTBOXES" not in relay.flask("status").output
    relay.services.outboxes.submit(SHOP, "groups", [b'{"a":1}', b'{"b":2}'])
    answer = relay.json("status", OUTBOX_CAP_BYTES="1024")
    (project,) = answer["status"]["projects"]
    assert project["outboxes"] == {"groups-outbox": {"records": 2, "bytes": 15, "cap_bytes": 1024}}
    assert project["destinations"]["groups-outbox"]["behind"] == 2
    assert [lane["name"] for lane in project["lanes"]] == ["apply", "profiles", "groups-outbox"]
    assert answer["attention"] == []
    relay.services.outboxes.submit(SHOP, "groups", [b"x" * 950])
    answer = relay.json("status", OUTBOX_CAP_BYTES="1024")
    assert [(check["verdict"], check["name"]) for check in answer["attention"]] == [("warn", "groups-outbox")]
    assert "OUTBOXES" in relay.flask("status").output


def test_events_and_links_are_destinations_where_rules_give_them_work(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    (project,) = relay.json("status", PROJECTS_FILE="rules.yaml")["status"]["projects"]
    assert list(project["destinations"]) == ["profiles", "events", "identity"]
    text = relay.flask("doctor", "--offline", PROJECTS_FILE="rules.yaml").output
    assert "none; events and links are imported with the token; only merging identities takes one" in text


def test_queues_that_are_away_do_not_hide_the_state(relay: Relay) -> None:
    answer = relay.json("status", RQ_REDIS_URL="redis://127.0.0.1:1/0")
    assert [queue["jobs"] for queue in answer["status"]["queues"]] == [None, None, None]
    assert "queues" in [check["name"] for check in answer["attention"]]


@pytest.mark.parametrize("command", [("status",), ("cohorts", "list"), ("cohorts", "show", "7")])
def test_wrong_settings_are_listed_by_every_command(relay: Relay, command: tuple[str, ...]) -> None:
    result = relay.flask(*command, PORT="x", LOG_LEVEL="y")
    assert result.exit_code == 1
    assert "  - PORT: " in result.stderr
    assert "  - LOG_LEVEL: " in result.stderr
