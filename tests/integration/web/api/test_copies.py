"""Drift, held lists and silences over the API; what they come to is tested with the lanes."""

from typing import Any

import pytest

from app.cohorts.epochs.shrinking import Shrink
from app.cohorts.record import CohortRecord
from app.store import keys
from tests.integration.web.api.relay import Relay, fault, problem
from tests.integration.web.services import SHOP

COHORT = "7"
HELD = Shrink(4, goes=900, of=1_000, at_ms=1_800_000_000_000, session="s1")


@pytest.fixture
def copies(relay: Relay) -> Relay:
    """A relay that holds a full list of a cohort, which has been silent since long ago."""
    record = CohortRecord(COHORT, name="VIP", syncs=3, heard_ms=1_000, new=False)
    record.machine.held = HELD
    fields = [part for pair in record.to_hash().items() for part in pair]
    relay.services.redis.hset(keys.cohort(SHOP, COHORT), items=fields)
    relay.services.redis.sadd(keys.cohorts(SHOP), COHORT)
    relay.authorization = relay.token("operate")
    return relay


def of(relay: Relay, method: str, path: str) -> Any:
    headers = {"Authorization": relay.authorization}
    return relay.call(method, f"/projects/{SHOP}/{path}", headers=headers)


def test_a_held_list_is_shown_and_answered_by_its_number(copies: Relay) -> None:
    (hold,) = of(copies, "GET", "holds").get_json()["holds"]
    assert (hold["cohort_id"], hold["hold"], hold["removes"], hold["of"]) == (COHORT, 4, 900, 1000)
    answer = copies.post(f"cohorts/{COHORT}/hold", {"hold": hold["hold"], "action": "refuse"})
    assert answer.status_code == 202
    assert copies.services.redis.hget(keys.holds_answered(SHOP), COHORT) == b'[4,"refuse"]'
    assert copies.services.redis.zscore(keys.due(SHOP), COHORT) == 1.0


def test_another_list_than_the_held_one_is_not_answered(copies: Relay) -> None:
    problem(copies.post(f"cohorts/{COHORT}/hold", {"hold": 3, "action": "confirm"}), 409, "not_held")
    problem(copies.post("cohorts/9/hold", {"hold": 4, "action": "confirm"}), 404, "unknown_cohort")
    assert not copies.services.redis.exists(keys.holds_answered(SHOP))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "confirm"}, "hold"),
        ({"hold": "4", "action": "confirm"}, "hold"),
        ({"hold": 4}, "action"),
        ({"hold": 4, "action": "all"}, "action"),
    ],
)
def test_what_is_wrong_is_named(copies: Relay, body: dict[str, Any], field: str) -> None:
    assert fault(copies.post(f"cohorts/{COHORT}/hold", body), 400, "invalid_body")["field"] == field


def test_a_silence_is_muted_and_told_of_again(copies: Relay) -> None:
    def muted() -> bool:
        (silence,) = of(copies, "GET", "silences").get_json()["silences"]
        return bool(silence["muted"])

    assert not muted()
    assert of(copies, "PUT", f"cohorts/{COHORT}/mute").get_json() == {"cohort_id": COHORT, "muted": True}
    assert muted()
    assert of(copies, "DELETE", f"cohorts/{COHORT}/mute").status_code == 200
    assert not muted()
    problem(of(copies, "PUT", "cohorts/9/mute"), 404, "unknown_cohort")


def test_what_audits_found_is_told(copies: Relay) -> None:
    check = (
        b'{"cohort_id":"7","ours":10,"theirs":12,"resync":3,"state":"drift",'
        b'"missing":2,"surplus":0,"looked_ms":1000,"since_ms":2000}'
    )
    key = keys.audit_of(SHOP)
    copies.services.redis.hset(key, mapping={"cohort:7": check, "listed_ms": 1000, "unlisted": '["9"]'})
    told = of(copies, "GET", "drift").get_json()
    (cohort,) = told.pop("cohorts")
    assert told == {"compared": "1970-01-01T00:00:01.000Z", "next": None, "reason": "", "unlisted": ["9"]}
    assert (cohort["raised"], cohort["missing"], cohort["resync_id"]) == (True, 2, f"{SHOP}-3")
