"""What Prometheus reads, of a relay with real services."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from app import create_app
from app.access.scopes import Scope
from app.metrics import families
from app.metrics.families import FAMILIES
from app.metrics.standing import STANDING
from tests.integration.cli.relay import PASSWORD, SHOP, Relay, environment
from tests.integration.web.services import basic, page

TOKEN = "the-token-of-prometheus"
WEBHOOK = "/webhooks/mixpanel/cohorts"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Whole:
    """A relay, its web side, and what Prometheus would read."""

    def __init__(self, redis_url: str, **changes: str) -> None:
        self.relay = Relay(environment(redis_url, METRICS_TOKEN=TOKEN, **changes))
        self.app: Flask = create_app(self.relay.services)

    def get(self, authorization: str | None = f"Bearer {TOKEN}", accept: str = "") -> TestResponse:
        headers = {"Accept": accept} | ({"Authorization": authorization} if authorization else {})
        return self.app.test_client().get("/metrics", headers=headers)

    def samples(self) -> Samples:
        answer = self.get()
        assert answer.status_code == 200
        found: Samples = {}
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                assert key not in found
                found[key] = sample.value
        return found

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples().get((f"cohort_relay_{name}", tuple(sorted(labels.items()))))

    def send(self, body: bytes, user: str = "mixpanel") -> int:
        headers = basic(user, PASSWORD if user == "mixpanel" else "wrong")
        return self.app.test_client().post(WEBHOOK, data=body, headers=headers).status_code

    def token(self, *scopes: Scope, project_id: str | None = None) -> str:
        made = self.relay.services.tokens.create(
            "a test", scopes, time.time_ns() // 1_000_000, project_id=project_id
        )
        return f"Bearer {made[1].reveal()}"


@pytest.fixture
def whole(redis_url: str) -> Iterator[Whole]:
    made = Whole(redis_url)
    yield made
    made.relay.close()


def test_pages_are_counted_by_what_became_of_them(whole: Whole) -> None:
    assert [
        whole.send(page(SHOP)),
        whole.send(page(SHOP)),
        whole.send(page(SHOP, mixpanel_cohort_id="8")),
    ] == [200] * 3
    assert [whole.send(b"{"), whole.send(page("999")), whole.send(page(SHOP), user="nobody")] == [
        400,
        404,
        401,
    ]
    assert whole.value("pages_accepted_total", project=SHOP) == 2
    assert whole.value("pages_duplicate_total", project=SHOP) == 1
    assert whole.value("inbox_pages", project=SHOP) == 2
    for cause in ("invalid_payload", "unknown_project", "bad_credential"):
        assert whole.value("pages_refused_total", project="", cause=cause) == 1
    assert whole.value("webhook_duration_seconds_count", status="200") == 3
    assert whole.value("webhook_duration_seconds_bucket", status="200", le="+Inf") == 3


def test_changes_and_failures_are_counted_where_they_happen(whole: Whole) -> None:
    relay = whole.relay
    relay.accept("members", "anna", "bert", "carl")
    relay.run_lane("apply")
    relay.accept("remove_members", "bert", session="s2")
    relay.run_lane("apply")
    relay.run_lane("profiles")  # its Mixpanel is where nobody listens
    samples = whole.samples()

    def value(name: str, **labels: str) -> float | None:
        return samples.get((f"cohort_relay_{name}", (*sorted({"project": SHOP, **labels}.items()),)))

    assert value("changes_total", change="entered", cause="sync") == 3
    assert value("changes_total", change="exited", cause="sync") == 1
    assert value("pages_applied_total") == 2
    assert value("members") == 2
    assert value("destination_behind", destination="profiles") == relay.services.changelog.end(SHOP)
    assert value("destination_state", destination="profiles", state="retrying") == 1
    assert value("destination_state", destination="profiles", state="ok") == 0
    assert value("delivery_failures_total", destination="profiles", code="retryable") == 1
    where = {"endpoint": "/engage", "status": "none", "outcome": "unreachable"}
    assert value("mixpanel_requests_total", **where) == 1
    assert (
        samples[("cohort_relay_mixpanel_request_records_sum", (("endpoint", "/engage"),))] == 1
    )  # removals first
    assert (value("budget_records_left") or 0) == 1_800_000 - 1
    assert (value("lane_waiting_seconds", lane="profiles") or -1) >= 0


def test_calls_of_the_api_are_counted_by_route_and_records_by_what_became_of_them(whole: Whole) -> None:
    headers = {"Authorization": whole.token("ingest"), "Idempotency-Key": "k1"}
    good = {"event": "Seen", "properties": {"distinct_id": "a", "time": int(time.time()), "$insert_id": "i1"}}
    for _ in range(2):
        answer = whole.app.test_client().post(
            f"/api/v1/projects/{SHOP}/events", json=[good, {"event": 7}], headers=headers
        )
        assert answer.status_code == 202
    route = "/api/v1/projects/<project_id>/events"
    assert whole.value("api_requests_total", method="POST", route=route, status="202") == 2
    for outcome, number in (("accepted", 1), ("rejected", 2), ("replayed", 1)):
        assert whole.value("api_records_total", project=SHOP, route=route, outcome=outcome) == number
    assert whole.value("outbox_records", project=SHOP, destination="events-outbox") == 1


def test_the_page_takes_its_own_token_or_one_of_the_api_that_may_read_everything(whole: Whole) -> None:
    assert whole.get(None).status_code == 401
    assert whole.get("Bearer wrong").status_code == 401
    assert whole.get(f"Basic {TOKEN}").status_code == 401
    assert whole.get(whole.token("ingest")).status_code == 403
    assert whole.get(whole.token("read", project_id=SHOP)).status_code == 403
    assert whole.get(whole.token("read")).status_code == 200
    assert whole.get().headers["Cache-Control"] == "no-store"


def test_without_a_token_of_its_own_nobody_comes_in_with_an_empty_one(redis_url: str) -> None:
    open_to_none = Whole(redis_url)
    open_to_none.app = create_app(Relay(environment(redis_url)).services)
    for shown in (None, "Bearer ", "Bearer", f"Bearer {TOKEN}"):
        assert open_to_none.get(shown).status_code == 401


def test_without_redis_the_page_says_so(whole: Whole) -> None:
    gone = Whole("redis://127.0.0.1:1/0")
    assert gone.value("redis_up") == 0
    assert any(name == "cohort_relay_build_info" for name, _ in gone.samples())
    assert whole.value("redis_up") == 1


def test_openmetrics_is_spoken_to_who_asks_for_it(whole: Whole) -> None:
    answer = whole.get(accept="application/openmetrics-text; version=1.0.0")
    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_what_other_processes_counted_is_there_whether_or_not_they_are(whole: Whole, redis_url: str) -> None:
    for _ in range(3):
        other = Relay(environment(redis_url)).services
        other.recorder.count(families.LANE_TAKEOVERS, SHOP, "apply")
        other.recorder.observe(families.LANE_SECONDS, 0.2, "apply")
        other.flushing.stop()
        other.redis.close()
    assert whole.value("lane_takeovers_total", project=SHOP, lane="apply") == 3
    assert whole.value("lane_run_duration_seconds_sum", lane="apply") == pytest.approx(0.6)
    assert whole.value("lane_run_duration_seconds_bucket", lane="apply", le="0.1") == 0
    assert whole.value("lane_run_duration_seconds_bucket", lane="apply", le="0.25") == 3


def test_only_families_that_are_listed_are_shown_and_no_label_holds_a_cohort_or_a_person(
    whole: Whole,
) -> None:
    whole.relay.accept("members", "person@example.com")
    whole.relay.run_lane("apply")
    whole.relay.run_lane("profiles")
    text = whole.get().text
    assert "person" not in text
    assert "VIP" not in text
    known = {family.name: family for family in (*FAMILIES, *STANDING)}
    shown: dict[str, Any] = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert known[name].kind == family.type
        shown[name] = family
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(known[name].labels)
    assert {family.name for family in FAMILIES} <= set(shown)
