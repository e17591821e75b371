"""Changed rules over the API; what a migration does is tested with the lane that does it."""

from typing import Any

import pytest
from redis import Redis

from app.store import keys
from config.rules import DEFAULT_RULES, RuleSet
from tests.integration.web.api.relay import Relay, problem, services
from tests.integration.web.services import SHOP, settings

COHORT = "7"
DIGEST = DEFAULT_RULES.digest
NOTHING = RuleSet()


@pytest.fixture
def changed(redis_client: Redis, redis_url: str) -> Relay:
    """A relay with a cohort whose members were written by no rules at all."""
    redis_client.hset(keys.rule_sets(SHOP), NOTHING.digest, NOTHING.to_json())
    redis_client.sadd(keys.cohorts(SHOP), COHORT)
    carried = f'[["{NOTHING.digest}","VIP"]]'
    redis_client.hset(
        keys.cohort(SHOP, COHORT),
        mapping={"name": "VIP", "members": 5000, "buckets": 50, "carried": carried, "rename": "null"},
    )
    relay = Relay(services(redis_client, settings(redis_url)))
    relay.authorization = relay.token("operate")
    return relay


def get(relay: Relay, path: str = "") -> Any:
    headers = {"Authorization": relay.authorization}
    return relay.call("GET", f"/projects/{SHOP}/rules{path}", headers=headers).get_json()


def test_a_plan_names_the_rules_the_cohorts_and_the_operations(changed: Relay) -> None:
    plan = get(changed, "/plan")
    assert (plan["rules"], plan["members"], plan["operations"]) == (DIGEST, 5000, {"$union": 5000})
    assert [each["redone"] for each in plan["cohorts"]] == [[{"$union": {"Cohorts": ["VIP"]}}]]


def test_the_rules_of_the_plan_are_applied_once_however_often_that_is_asked(changed: Relay) -> None:
    assert get(changed)["to_apply"] == [COHORT]
    for _ in range(2):
        answer = changed.post("rules/apply", {"rules": DIGEST})
        told = answer.get_json()
        assert (answer.status_code, told["to_apply"]) == (202, [])
        assert [each["cohort_id"] for each in told["migrating"]] == [COHORT]
    assert get(changed)["asked_by"] == changed.authorization.split("_")[1]


def test_other_rules_than_those_of_the_plan_are_not_applied(changed: Relay) -> None:
    problem(changed.post("rules/apply", {"rules": NOTHING.digest}), 409, "conflict")
    problem(changed.post("rules/apply", {"rules": "1"}), 400, "invalid_body")
    assert get(changed)["migrating"] == []
