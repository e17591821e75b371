"""`flask projects`, over a real Redis."""

from app.store import keys
from tests.integration.cli.relay import SHOP, Relay
from tests.integration.installation.planting import planted

FORMER = "4711"


def test_projects_are_listed_configured_or_not(relay: Relay) -> None:
    relay.accept("members", "a")
    relay.run_lane("apply")
    planted(relay.services.redis, FORMER, but=("leaving", "cohorts"))
    shop, former = relay.json("projects", "list")["projects"]
    assert (shop["project"], shop["configured"], shop["cohorts"], shop["stored"]) == (SHOP, True, 1, True)
    assert (former["project"], former["configured"], former["leaving_since_ms"]) == (FORMER, False, None)
    relay.services.redis.hset(keys.leaving(FORMER), "since_ms", 1_700_000_000_000)
    text = relay.flask("projects", "list").output
    assert "BEING DELETED since 2023-11-14" in text


def test_without_yes_it_is_counted_and_with_it_deleted(relay: Relay) -> None:
    redis = relay.services.redis
    mine = planted(redis, FORMER)
    counted = relay.json("projects", "delete", FORMER)
    assert (counted["deleted"], counted["keys"]) == (False, len(mine))
    assert "Nothing was changed" in relay.flask("projects", "delete", FORMER).output
    assert set(redis.scan_iter(f"*{FORMER}*")) == mine
    result = relay.flask("projects", "delete", FORMER, "--yes")
    assert result.exit_code == 0
    assert f"Project {FORMER} is deleted." in result.output
    assert not list(redis.scan_iter(f"*{FORMER}*"))
    (entry, *_), _ = relay.services.audit.page()
    assert (entry.entry.action, entry.entry.resources) == ("flask projects delete", {"project_id": FORMER})
    assert entry.entry.counts["keys"] == len(mine)


def test_a_configured_project_is_refused_unless_that_is_said(relay: Relay) -> None:
    planted(relay.services.redis, SHOP)
    refused = relay.json("projects", "delete", SHOP, "--yes", status=1)
    assert "is configured" in refused["problems"][0]
    assert relay.services.redis.exists(keys.trust(SHOP))
    assert relay.json("projects", "delete", SHOP, "--yes", "--although-configured")["deleted"]
    assert not relay.services.redis.exists(keys.trust(SHOP))


def test_one_of_which_there_is_nothing_is_told_of(relay: Relay) -> None:
    planted(relay.services.redis, FORMER)
    for wrong in ("1", "*", "audit"):
        assert "There is nothing" in relay.json("projects", "delete", wrong, "--yes", status=1)["problems"][0]
    assert relay.services.redis.exists(keys.trust(FORMER))
