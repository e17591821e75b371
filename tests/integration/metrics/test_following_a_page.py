"""One page through the logs of the web server, of an apply worker and of a Mixpanel worker."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from app import create_app
from app.store import keys
from tests.integration.cli.relay import PASSWORD, SHOP, TOKEN, Relay, environment
from tests.integration.mixpanel.server import Reply, Request, Server
from tests.integration.web.services import basic, page
from workers import jobs

Line = MutableMapping[str, Any]
MEMBERS = [{"mixpanel_distinct_id": f"person-{n}", "email": f"{n}@example.com"} for n in range(3)]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def relay(redis_url: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    relay = Relay(environment(redis_url, MIXPANEL_INGESTION_URL=server.url))
    monkeypatch.setattr(jobs, "services", lambda: relay.services)
    yield relay
    relay.close()


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as captured:
        yield captured


def post(relay: Relay, session: str) -> None:
    body = page(SHOP, members=MEMBERS, mixpanel_session_id=session, mixpanel_cohort_id=session)
    client = create_app(relay.services).test_client()
    assert (
        client.post("/webhooks/mixpanel/cohorts", data=body, headers=basic("mixpanel", PASSWORD)).status_code
        == 200
    )


def run(relay: Relay, lane: str) -> None:
    """Run a lane as a worker does; one that waits for another try has waited."""
    key = keys.lane(SHOP, lane)
    relay.services.redis.hset(key, "state", "queued")
    jobs.run_lane(SHOP, lane, int(relay.services.redis.hget(key, "wake") or 0))


def only(lines: list[Line], event: str, **fields: Any) -> Line:
    (found,) = [line for line in lines if line["event"] == event and line.items() >= fields.items()]
    return found


def test_a_page_is_followed_to_the_request_that_tells_mixpanel_of_it(
    relay: Relay, server: Server, lines: list[Line]
) -> None:
    post(relay, "s1")
    post(relay, "s2")
    accepted = only(lines, "page", session="s2")
    run(relay, "apply")
    applied = only(lines, "page_applied", page=accepted["page"])
    assert (applied["session"], applied["lane"]) == ("s2", "apply")
    first, last = map(int, applied["sequence"].split("-"))
    log = relay.services.changelog.read(SHOP, 0, 1_000)
    assert [entry.sequence for entry in log if entry.session_id == "s2"] == [*range(first, last + 1)]
    server.behaviour = lambda _request: Reply(status=503)
    run(relay, "profiles")
    failed = only(lines, "mixpanel_request", log_level="warning")
    assert (failed["status"], failed["lane"], failed["endpoint"]) == (503, "profiles", "/engage")
    postponed = only(lines, "delivery_postponed")
    assert postponed["sequence"] == failed["sequence"]
    from_, to = map(int, failed["sequence"].split("-"))
    assert from_ <= first <= last <= to
    server.behaviour = lambda _request: Reply()
    run(relay, "profiles")
    sent = only(lines, "mixpanel_request", outcome="ok")
    assert (sent["batch"], sent["sequence"]) == (failed["batch"], failed["sequence"])
    delivered = [line["sequence"] for line in lines if line["event"] == "window_delivered"]
    assert delivered[0] == failed["sequence"]  # what comes behind it tells that the sync is delivered
    assert [len(request.records) for request in server.requests] == [3, 3]  # the same people


def test_what_was_bound_for_a_page_or_a_batch_is_on_no_later_line(relay: Relay, lines: list[Line]) -> None:
    post(relay, "s1")
    run(relay, "apply")
    run(relay, "profiles")
    assert structlog.contextvars.get_contextvars() == {}
    for line in lines:
        assert ("page" in line) == (line["event"] in ("page", "page_applied")), line
        assert ("batch" in line) == (line["event"] == "mixpanel_request"), line


def test_a_copy_is_told_by_the_page_that_it_copies(relay: Relay, lines: list[Line]) -> None:
    post(relay, "s1")
    post(relay, "s1")
    first, second = (line for line in lines if line["event"] == "page")
    assert (first["outcome"], second["outcome"]) == ("accepted", "copy")
    assert first["page"] == second["page"]


def test_a_page_that_fails_says_which_it_is(
    relay: Relay, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    post(relay, "s1")

    def broken(*_: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("app.cohorts.applying.pages.usable_members", broken)
    run(relay, "apply")
    failed = only(lines, "page_not_applied")
    assert (failed["page"], failed["session"]) == (only(lines, "page")["page"], "s1")


def test_the_lines_hold_nothing_of_a_person_and_no_secret(
    relay: Relay, server: Server, lines: list[Line]
) -> None:
    post(relay, "s1")
    run(relay, "apply")

    def refusing(request: Request) -> Reply:
        return Reply(status=400, body=b'{"error": "person-1 is bad", "status": 0}')

    for behaviour in (lambda _: Reply(cut="before"), refusing):
        server.behaviour = behaviour
        run(relay, "profiles")
    written = repr(lines)
    for secret in ("person-", "example.com", TOKEN, PASSWORD):
        assert secret not in written
