"""Drift, held lists and silence, by command."""

from typing import Any

import pytest

from app.cohorts.epochs.shrinking import Shrink
from app.cohorts.record import CohortRecord
from app.resync.audit.findings import Findings
from app.resync.audit.judging import Check
from app.store import keys
from tests.integration.cli.relay import SHOP, Relay

COHORT = "7"
ACCOUNT = {"MIXPANEL_SERVICE_ACCOUNT_USERNAME": "account", "MIXPANEL_SERVICE_ACCOUNT_SECRET": "s3cret"}


def put(relay: Relay, **changes: Any) -> CohortRecord:
    """Have a cohort in the state that is wanted."""
    record = CohortRecord(COHORT, name="VIP", new=False)
    for name, value in changes.items():
        setattr(record.machine if name == "held" else record, name, value)
    relay.services.redis.sadd(keys.cohorts(SHOP), COHORT)
    fields = [part for pair in record.to_hash().items() for part in pair]
    relay.services.redis.hset(keys.cohort(SHOP, COHORT), items=fields)
    return record


def now_ms(relay: Relay) -> int:
    return int(relay.services.redis.time()[0]) * 1000


def test_a_held_list_is_listed_and_confirmed_by_name(relay: Relay) -> None:
    assert relay.flask("holds", "list").output == "Nothing is held.\n"
    put(relay, held=Shrink(4, goes=900, of=1_000, at_ms=now_ms(relay), session="s1"))
    listed = relay.flask("holds", "list").output
    assert "900" in listed
    assert "1,000" in listed
    assert "HELD: a full list without 900 of 1,000 members" in relay.flask("cohorts", "list").output
    told = relay.json("holds", "confirm", "vip", "--yes")
    assert (told["cohort_id"], told["said"]) == (COHORT, "confirm")
    assert relay.services.redis.hget(keys.holds_answered(SHOP), COHORT) == b'[4,"confirm"]'
    (entry,) = relay.json("audit", "list")["entries"]
    assert entry["action"] == "flask holds confirm"


def test_it_asks_before_it_removes_anybody(relay: Relay) -> None:
    put(relay, held=Shrink(4, goes=900, of=1_000, at_ms=now_ms(relay)))
    result = relay.flask("holds", "confirm", COHORT)
    assert result.exit_code == 1
    assert "Remove about 900 of 1,000 members of cohort 7" in result.output
    assert not relay.services.redis.exists(keys.holds_answered(SHOP))


def test_what_is_not_held_cannot_be_answered(relay: Relay) -> None:
    put(relay)
    result = relay.flask("holds", "refuse", COHORT, "--yes")
    assert (result.exit_code, "No full list of cohort 7 is held" in result.output) == (1, True)
    assert relay.flask("holds", "refuse", "nobody", "--yes").exit_code == 1


def test_a_silence_is_muted_and_told_of_again(relay: Relay) -> None:
    assert relay.flask("cohorts", "silent").output == "No cohort is silent.\n"
    put(relay, syncs=5, heard_ms=now_ms(relay) - 7_200_000)
    assert "2 h" in relay.flask("cohorts", "silent").output
    assert "has not for 120 minutes" in relay.flask("status").output
    relay.json("cohorts", "mute", "VIP")
    assert "muted" in relay.flask("cohorts", "silent").output
    assert "has not for" not in relay.flask("status").output
    assert relay.json("cohorts", "unmute", "VIP")["was_muted"] is True
    assert relay.json("cohorts", "silent")["silences"][0]["silence"]["muted"] is False


def test_drift_is_listed_with_the_dry_run_that_saw_it(relay: Relay) -> None:
    assert "no audits, for want of a service account" in relay.flask("drift", "list").output
    assert "not compared yet, 0 drifted" in relay.flask("drift", "list", **ACCOUNT).output
    check = Check(COHORT, 10, 12, 3, "drift", missing=2, looked_ms=now_ms(relay), since_ms=1)
    findings = Findings(relay.services.redis, relay.services.lanes, lambda _: ())
    relay.services.redis.hset(keys.lane(SHOP, "resync"), "wake", 1)
    relay.services.redis.hset(keys.lane(SHOP, "resync"), mapping={"state": "queued", "due": 0})
    lane = relay.services.lanes.start(SHOP, "resync", 1)
    assert lane
    findings.put(lane, None, check)
    printed = relay.flask("drift", "list", **ACCOUNT).output
    assert "DRIFT" in printed
    assert f"{SHOP}-3" in printed
    assert "1 drifted" in printed
    assert "cohort 7 (2 missing, 0 too many)" in relay.flask("status").output
    assert relay.json("drift", "list")["projects"][SHOP]["checks"][COHORT]["missing"] == 2


@pytest.mark.parametrize("command", [("holds", "confirm", COHORT), ("holds", "refuse", COHORT)])
def test_with_json_nothing_can_be_asked(relay: Relay, command: tuple[str, ...]) -> None:
    assert relay.flask(*command, "--json").exit_code == 2
