"""Resyncs over the API; what they do is tested with the lanes that do it."""

from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from app.store import keys
from config.projects import Projects, ServiceAccount
from config.secret import Secret
from tests.integration.web.api.relay import Relay, fault, problem, services
from tests.integration.web.services import BLOG, SHOP, project, settings

COHORT = "7"


@pytest.fixture
def asking(redis_client: Redis, redis_url: str) -> Relay:
    """A relay that knows a cohort, of a project that has a service account, and of one that has none."""
    shop = replace(project(SHOP, "shop"), service_account=ServiceAccount("account", Secret("secret")))
    relay = Relay(
        services(redis_client, settings(redis_url, projects=Projects([shop, project(BLOG, "blog")])))
    )
    for project_id in (SHOP, BLOG):
        redis_client.hset(
            keys.cohort(project_id, COHORT),
            mapping={"name": "VIP", "members": 5000, "rename": "null", "machine": "{}"},
        )
    relay.authorization = relay.token("operate")
    return relay


def ask(relay: Relay, body: Any, **more: Any) -> Any:
    return relay.post(f"cohorts/{COHORT}/resyncs", body, **more)


def of(relay: Relay, method: str, path: str, authorization: str | None = None) -> Any:
    return relay.call(method, path, headers={"Authorization": authorization or relay.authorization})


def test_a_reconcile_says_how_long_it_takes_before_it_begins(asking: Relay) -> None:
    answer = ask(asking, {"mode": "reconcile", "dry_run": True})
    told = answer.get_json()
    assert (answer.status_code, told["state"], told["dry_run"]) == (202, "asked", True)
    assert told["estimate_s"] > 0
    assert answer.headers["Location"] == f"/api/v1/resyncs/{told['id']}"
    assert told["asked_by"] == asking.authorization.split("_")[1]
    shown = of(asking, "GET", f"/resyncs/{told['id']}").get_json()
    assert shown == told


def test_a_second_one_of_a_cohort_is_refused_and_names_the_first(asking: Relay) -> None:
    first = ask(asking, {"mode": "replay"}).get_json()
    told = problem(ask(asking, {"mode": "reconcile"}), 409, "resync_under_way")
    assert first["id"] in told["detail"]


def test_it_can_be_cancelled(asking: Relay) -> None:
    first = ask(asking, {"mode": "replay"}).get_json()
    answer = of(asking, "DELETE", f"/resyncs/{first['id']}")
    assert (answer.status_code, answer.get_json()["cancelling"]) == (202, True)
    redis = asking.services.redis
    redis.hset(keys.resync(SHOP, 1), "state", "cancelled")
    redis.delete(keys.resyncs_open(SHOP))
    problem(of(asking, "DELETE", f"/resyncs/{first['id']}"), 409, "resync_ended")


def test_without_a_service_account_mixpanel_cannot_be_asked(asking: Relay) -> None:
    problem(ask(asking, {"mode": "reconcile"}, project_id=BLOG), 409, "no_query_access")
    assert ask(asking, {"mode": "replay"}, project_id=BLOG).status_code == 202


def test_a_cohort_that_nobody_heard_of_is_404(asking: Relay) -> None:
    problem(asking.post("cohorts/9/resyncs", {"mode": "replay"}), 404, "unknown_cohort")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "mode"),
        ({"mode": "all"}, "mode"),
        ({"mode": "replay", "dry_run": "maybe"}, "dry_run"),
        ({"mode": "replay", "unknown": 1}, "unknown"),
        ({"mode": "replay", "output_properties": ["plan"]}, "output_properties"),
        ({"mode": "reconcile", "output_properties": ["plan"]}, "output_properties"),
    ],
)
def test_what_is_wrong_is_named(asking: Relay, body: dict[str, Any], field: str) -> None:
    assert fault(ask(asking, body), 400, "invalid_body")["field"] == field


def test_they_are_listed_the_newest_first_page_by_page(asking: Relay) -> None:
    ids = []
    for number in range(1, 4):
        ids.append(ask(asking, {"mode": "replay"}).get_json()["id"])
        asking.services.redis.delete(keys.resyncs_open(SHOP))
        assert ids[-1] == f"{SHOP}-{number}"
    first = of(asking, "GET", f"/projects/{SHOP}/resyncs?limit=2").get_json()
    rest = of(asking, "GET", f"/projects/{SHOP}/resyncs?cursor={first['next_cursor']}").get_json()
    assert [each["id"] for each in first["resyncs"] + rest["resyncs"]] == ids[::-1]
    assert rest["next_cursor"] is None
    none = of(asking, "GET", f"/projects/{SHOP}/resyncs?cohort_id=other").get_json()
    assert none == {"resyncs": [], "next_cursor": None}


@pytest.mark.parametrize("resync_id", [f"{SHOP}-99", "nothing", "-", f"{SHOP}-", "9999-1", f"{SHOP}-²"])
def test_one_that_is_not_there_is_404(asking: Relay, resync_id: str) -> None:
    problem(of(asking, "GET", f"/resyncs/{resync_id}"), 404, "unknown_resync")


def test_another_projects_is_as_good_as_none(asking: Relay) -> None:
    told = ask(asking, {"mode": "replay"}).get_json()
    bound = asking.token("operate", project_id=BLOG)
    for method in ("GET", "DELETE"):
        problem(of(asking, method, f"/resyncs/{told['id']}", bound), 404, "unknown_resync")
    assert of(asking, "GET", f"/resyncs/{told['id']}").get_json()["cancelling"] is False
