"""Who reads the change log in Redis, over the API."""

from app.cohorts.changelog import ChangeLog
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.store import keys
from tests.integration.web.api.relay import Relay, problem
from tests.integration.web.services import SHOP


def written(relay: Relay, entries: int) -> None:
    redis = relay.services.redis
    changelog = ChangeLog(redis, Lanes(redis, LaneQueue(redis), 15.0), 2_000)
    for _ in range(entries):
        changelog.append(SHOP, "told", {})


def headers(relay: Relay) -> dict[str, str]:
    return {"Authorization": relay.authorization}


def test_consumers_are_listed_with_what_they_are_behind(relay: Relay) -> None:
    relay.authorization = relay.token("read")
    answer = relay.call("GET", f"/projects/{SHOP}/consumers", headers=headers(relay))
    assert answer.get_json() == {"consumers": []}
    written(relay, 10)
    redis = relay.services.redis
    redis.xgroup_create(keys.log(SHOP), "crm", id="0")
    redis.xgroup_create(keys.log(SHOP), "a/b c", id="$")
    redis.xreadgroup("crm", "one", {keys.log(SHOP): ">"}, count=4)
    answer = relay.call("GET", f"/projects/{SHOP}/consumers", headers=headers(relay))
    other, crm = answer.get_json()["consumers"]
    assert crm == {
        "name": "crm",
        "position": 0,
        "lag": 10,
        "lag_s": crm["lag_s"],
        "pending": 4,
        "idle_s": crm["idle_s"],
        "share": 0.5,
        "missing": None,
    }
    assert (other["name"], other["lag"], other["idle_s"]) == ("a/b c", 0, None)


def test_one_is_forgotten_by_its_name_and_the_audit_log_has_it(relay: Relay) -> None:
    relay.authorization = relay.token("read")
    written(relay, 1)
    redis = relay.services.redis
    for name in ("crm", "a/b c"):
        redis.xgroup_create(keys.log(SHOP), name)
    address = f"/projects/{SHOP}/consumers"
    problem(relay.call("DELETE", f"{address}/crm", headers=headers(relay)), 403, "scope_missing")
    relay.authorization = relay.token("operate")
    for name in ("crm", "a/b%20c"):
        answer = relay.call("DELETE", f"{address}/{name}", headers=headers(relay))
        assert answer.status_code == 200, answer.text
    assert answer.get_json() == {"name": "a/b c"}
    assert redis.xinfo_groups(keys.log(SHOP)) == []
    problem(relay.call("DELETE", f"{address}/crm", headers=headers(relay)), 404, "unknown_consumer")
