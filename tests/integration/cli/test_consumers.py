"""`flask consumers` over a real Redis."""

from app.store import keys

from .relay import SHOP, Relay


def test_groups_are_listed_and_forgotten(relay: Relay) -> None:
    redis = relay.services.redis
    assert "No consumer groups." in relay.flask("consumers", "list").stdout
    for _ in range(3):
        relay.services.changelog.append(SHOP, "told", {})
    redis.xgroup_create(keys.log(SHOP), "crm", id="0")
    redis.xgroup_create(keys.log(SHOP), "sear\x1bch", id="1-0")
    redis.xreadgroup("crm", "one", {keys.log(SHOP): ">"}, count=2)
    shown = relay.flask("consumers", "list").stdout
    assert "\x1b" not in shown
    assert "never asked" in shown
    crm, search = relay.json("consumers", "list")["projects"][SHOP]
    assert (crm["name"], crm["lag"], crm["pending"], crm["missing"]) == ("crm", 3, 2, None)
    assert (search["lag"], search["pending"], search["idle_s"]) == (2, 0, None)

    assert relay.json("consumers", "forget", "crm") == {"ok": True, "project": SHOP, "consumer": "crm"}
    assert len(relay.json("consumers", "list")["projects"][SHOP]) == 1
    again = relay.flask("consumers", "forget", "crm")
    assert (again.exit_code, "has no consumer group crm" in again.stderr) == (1, True)
    assert relay.flask("consumers", "forget", "crm", "--project", "9").exit_code == 2
    (first, *_) = relay.json("audit", "list")["entries"]
    assert (first["action"], first["outcome"]) == ("flask consumers forget", "refused")
