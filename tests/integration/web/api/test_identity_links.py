"""Identity links handed in, what they would do, and what is linked."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import redis
from werkzeug.test import TestResponse

from app.destinations.identity.ledger import Ledger
from app.destinations.identity.links import Link
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.queue import LaneQueue
from app.store import keys
from config.links import IdManagement
from config.projects import Projects, ServiceAccount
from config.secret import Secret
from tests.integration.web.api.relay import Relay, fault, problem, services
from tests.integration.web.services import PROJECTS, SHOP, settings

PATH = "identity-links"
ANON = "00000000-0000-4000-8000-000000000001"
DEVICE = {"user_id": "u1", "device_id": "d1"}
VALID: dict[IdManagement, dict[str, Any]] = {
    "simplified": DEVICE,
    "original": {"identified_id": "u1", "anon_id": ANON},
    "legacy": {"distinct_id": "u1", "alias": "a1"},
}


def relay_of(client: redis.Redis, system: IdManagement, *, account: bool = True) -> Relay:
    project = replace(
        PROJECTS[SHOP],
        id_management=system,
        service_account=ServiceAccount("account", Secret("hush")) if account else None,
    )
    return Relay(services(client, settings(max_body_bytes=4_000_000, projects=Projects([project]))))


@pytest.fixture
def original(redis_client: redis.Redis) -> Relay:
    return relay_of(redis_client, "original")


def ask(relay: Relay, distinct_id: str, query: str = "") -> TestResponse:
    authorization = {"Authorization": relay.token("read")}
    return relay.call("GET", f"/projects/{SHOP}/{PATH}/{distinct_id}{query}", headers=authorization)


def linked(relay: Relay, *links: Link) -> None:
    """Write links down as the lane does once Mixpanel has them."""
    client = relay.services.redis
    lanes = Lanes(client, LaneQueue(client), 60.0)
    client.hset(keys.lane(SHOP, "identity-outbox"), mapping={"state": "queued", "wake": 1})
    lane = lanes.start(SHOP, "identity-outbox", 1)
    assert isinstance(lane, HeldLane)
    Ledger(client).record(lane, links)
    client.delete(lane.key)


def device(user: str, one: str, **why: Any) -> Link:
    return Link("device", user, one, False, 1_767_225_600_123, why or {"api": "t"})


def merge(first: str, second: str) -> Link:
    return Link("merge", first, second, True, 1_767_225_600_123, {"api": "t"})


# --- handing in


@pytest.mark.parametrize(("system", "body"), VALID.items())
def test_links_are_kept_with_time_reason_and_insert_id(
    redis_client: redis.Redis, system: IdManagement, body: dict[str, Any]
) -> None:
    relay = relay_of(redis_client, system)
    answer = relay.post(PATH, {"links": [body]})
    assert answer.status_code == 202
    assert answer.get_json() == {"accepted": 1, "rejected": [], "replayed": False}
    (((kept),),) = relay.kept("identity")
    assert [kept["first"], kept["second"]] == list(body.values())
    assert kept["why"] == {"api": relay.authorization.split("_")[1]}
    assert len(kept["insert_id"]) == 32
    assert kept["time_ms"] > 1_700_000_000_000


def test_a_merge_is_kept_only_with_allow_merge(original: Relay) -> None:
    good = {"merge": ["a", "b"], "allow_merge": True}
    answer = original.post(PATH, {"links": [good, {"merge": ["a", "c"]}, {**good, "allow_merge": False}]})
    told = [(one["index"], one["field"], one["code"]) for one in answer.get_json()["rejected"]]
    assert told == [(1, "allow_merge", "merge_not_allowed"), (2, "allow_merge", "merge_not_allowed")]
    ((kept,),) = original.kept("identity")
    assert (kept["verb"], kept["first"], kept["second"], kept["allow_merge"]) == ("merge", "a", "b", True)


def test_a_device_may_be_named_as_its_profile_is(relay: Relay) -> None:
    relay.post(PATH, {"links": [{"user_id": "u1", "device_id": "$device:d1"}]})
    ((kept,),) = relay.kept("identity")
    assert kept["second"] == "d1"


NO_LINKS: tuple[Any, ...] = (None, 1, "a", [], {}, {"user_id": "a"}, {**DEVICE, "more": 1})
SHAPES: list[tuple[Any, str, str]] = [
    *((one, "record", "link") for one in NO_LINKS),
    ({"user_id": "a", "alias": "b"}, "record", "link"),
    ({"user_id": 1, "device_id": "d"}, "user_id", "id"),
    ({"user_id": "u", "device_id": None}, "device_id", "id"),
    ({**DEVICE, "allow_merge": True}, "allow_merge", "unknown_field"),
]
WRONG: list[tuple[IdManagement, Any, str, str]] = [
    *(("simplified", *case) for case in SHAPES),
    ("simplified", {"user_id": "", "device_id": "d"}, "user_id", "unusable_id"),
    ("simplified", {"user_id": "u", "device_id": " "}, "device_id", "unusable_id"),
    ("simplified", {"user_id": "u", "device_id": "x" * 256}, "device_id", "unusable_id"),
    ("simplified", {"user_id": "$device:d", "device_id": "d2"}, "user_id", "unusable_id"),
    ("simplified", {"user_id": "anonymous", "device_id": "d"}, "user_id", "refused_id"),
    ("simplified", {"user_id": "u", "device_id": "null"}, "device_id", "refused_id"),
    ("simplified", {"user_id": "u", "device_id": "u"}, "device_id", "same_id"),
    ("simplified", VALID["original"], "identified_id", "verb_unavailable"),
    ("simplified", VALID["legacy"], "distinct_id", "verb_unavailable"),
    ("simplified", {"merge": ["a", "b"], "allow_merge": True}, "merge", "verb_unavailable"),
    ("original", DEVICE, "user_id", "verb_unavailable"),
    ("original", {"identified_id": "u", "anon_id": "d"}, "anon_id", "not_uuid4"),
    ("original", {"merge": ["a"], "allow_merge": True}, "merge", "pair"),
    ("original", {"merge": "ab", "allow_merge": True}, "merge", "pair"),
    ("original", {"merge": ["a", 1], "allow_merge": True}, "merge[1]", "id"),
    ("original", {"merge": ["a", "nil"], "allow_merge": True}, "merge[1]", "refused_id"),
    ("original", {"merge": ["", "b"], "allow_merge": True}, "merge[0]", "unusable_id"),
    ("original", {"merge": ["a", "a"], "allow_merge": True}, "merge[1]", "same_id"),
    ("original", {"merge": ["a", "b"], "allow_merge": "yes"}, "allow_merge", "allow_merge"),
    ("legacy", VALID["original"], "identified_id", "verb_unavailable"),
    ("legacy", {"distinct_id": "u", "alias": "u"}, "alias", "same_id"),
]


@pytest.mark.parametrize(("system", "record", "field", "code"), WRONG, ids=lambda value: str(value)[:50])
def test_a_wrong_link_is_refused_naming_the_field_and_a_right_one_beside_it_is_kept(
    redis_client: redis.Redis, system: IdManagement, record: Any, field: str, code: str
) -> None:
    relay = relay_of(redis_client, system)
    told = fault(relay.post(PATH, {"links": [record]}), 422, "invalid_records")
    assert (told["index"], told["field"], told["code"]) == (0, field, code)
    assert relay.kept("identity") == []
    for dry_run in (True, False):
        answer = relay.post(PATH, {"links": [VALID[system], record], "dry_run": dry_run}).get_json()
        assert [(one["index"], one["field"], one["code"]) for one in answer["rejected"]] == [(1, field, code)]
    assert [len(submission) for submission in relay.kept("identity")] == [1]


def test_a_merge_needs_a_service_account(redis_client: redis.Redis) -> None:
    relay = relay_of(redis_client, "original", account=False)
    answer = relay.post(PATH, {"links": [{"merge": ["a", "b"], "allow_merge": True}]})
    assert fault(answer, 422, "invalid_records")["code"] == "no_service_account"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ([], 400, "invalid_body", "body"),
        ({}, 400, "invalid_body", "links"),
        ({"links": DEVICE}, 400, "invalid_body", "links"),
        ({"links": [DEVICE], "dry_run": "yes"}, 400, "invalid_body", "dry_run"),
        ({"links": [DEVICE], "dry-run": True}, 400, "invalid_body", "dry-run"),
        (b"{", 400, "invalid_body", "body"),
        ({"links": []}, 422, "invalid_records", "links"),
        ({"links": [DEVICE] * 2_001}, 413, "too_many_records", "links"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_body_is_refused_whole(relay: Relay, body: Any, status: int, code: str, field: str) -> None:
    assert fault(relay.post(PATH, body), status, code)["field"] == field
    assert relay.kept("identity") == []


def test_a_call_may_have_two_thousand_links(relay: Relay) -> None:
    links = [{"user_id": f"u{number}", "device_id": f"d{number}"} for number in range(2_000)]
    assert relay.post(PATH, {"links": links}).get_json()["accepted"] == 2_000


def test_a_repeated_call_gets_the_first_answer_and_adds_nothing(relay: Relay) -> None:
    body = {"links": [DEVICE, {}]}
    first, second = relay.post(PATH, body, key="k"), relay.post(PATH, body, key="k")
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.get_json() == {**first.get_json(), "replayed": True}
    assert len(relay.kept("identity")) == 1
    other = relay.post(PATH, {"links": [DEVICE]}, key="k")
    assert fault(other, 422, "idempotency_key_reused")["field"] == "Idempotency-Key"


def test_neither_answer_nor_log_repeats_an_id(relay: Relay, lines: list[Any]) -> None:
    record = {"user_id": "somebody@example.com", "device_id": "somebody@example.com"}
    assert "somebody" not in relay.post(PATH, {"links": [record]}).text + str(lines)


# --- what links would do


def test_a_dry_run_shows_the_clusters_before_and_after_and_keeps_nothing(original: Relay) -> None:
    linked(original, merge("a", "a2"), merge("b", "b2"), merge("b", "b3"))
    links = [
        {"merge": ["a", "b"], "allow_merge": True},
        {"identified_id": "a2", "anon_id": ANON},
        {"identified_id": "c", "anon_id": ANON},
        {"merge": ["a", "a2"], "allow_merge": True},
    ]
    original.authorization = original.token("ingest", "read")
    answer = original.post(PATH, {"links": links, "dry_run": True}, key="k")
    assert (answer.status_code, answer.get_json()["dry_run"]) == (200, True)
    first, second, third, fourth = answer.get_json()["links"]
    assert (first["verdict"], first["irreversible"], first["pending"]) == ("send", True, False)
    assert first["before"] == [{"size": 2, "ids": ["a", "a2"]}, {"size": 3, "ids": ["b", "b2", "b3"]}]
    assert (first["after"]["size"], set(first["after"]["ids"])) == (5, {"a", "a2", "b", "b2", "b3"})
    assert (second["verdict"], second["irreversible"], second["after"]["size"]) == ("send", False, 6)
    assert (third["verdict"], third["code"], third["after"]) == ("refused", "anon_id_merged", None)
    assert [one["size"] for one in third["before"]] == [1, 6]
    assert (fourth["verdict"], fourth["irreversible"]) == ("already_linked", False)
    assert original.kept("identity") == []
    assert original.post(PATH, {"links": links}, key="k").get_json()["replayed"] is False


def test_a_dry_run_shows_exact_counts_and_a_few_ids(redis_client: redis.Redis) -> None:
    relay = relay_of(redis_client, "simplified")
    linked(relay, *(device("u1", f"d{number}") for number in range(1_200)))
    relay.authorization = relay.token("ingest", "read")
    body = {
        "links": [{"user_id": "u1", "device_id": "new"}, {"user_id": "u2", "device_id": "d0"}],
        "dry_run": True,
    }
    one, other = relay.post(PATH, body).get_json()["links"]
    assert (one["before"][0]["size"], one["after"]["size"]) == (1_201, 1_202)
    assert len(one["after"]["ids"]) == 10
    assert one["after"]["ids"][0] == "u1"
    assert (other["code"], other["before"][1]["size"]) == ("other_user", 1_202)


def test_a_dry_run_shows_no_ids_to_whom_may_not_read(original: Relay) -> None:
    linked(original, merge("a", "secret"))
    links = [{"merge": ["a", "b"], "allow_merge": True}]
    answer = original.post(PATH, {"links": links, "dry_run": True})
    (told,) = answer.get_json()["links"]
    assert told["before"] == [{"size": 2, "ids": ["a"]}, {"size": 1, "ids": ["b"]}]
    assert "secret" not in answer.text


def test_a_dry_run_says_that_links_of_its_ids_wait(relay: Relay) -> None:
    relay.post(PATH, {"links": [DEVICE]})
    body = {"links": [DEVICE, {"user_id": "u2", "device_id": "d2"}], "dry_run": True}
    assert [one["pending"] for one in relay.post(PATH, body).get_json()["links"]] == [True, False]


# --- what is linked


def test_an_id_tells_its_cluster_and_since_when_and_why(relay: Relay) -> None:
    why = {"rule": "rules[0].links[0]", "cohort_id": "1", "session_id": "s"}
    linked(relay, device("u1", "d1", **why, sequence=7), device("u1", "d2", api="token-id"))
    relay.post(PATH, {"links": [{"user_id": "u1", "device_id": "d3"}]})
    told = ask(relay, "%24device%3Ad1").get_json()
    assert told["cluster"] == {"size": 3, "ids": ["u1", "$device:d1", "$device:d2"]}
    assert told["links"] == [
        {
            "link": {"user_id": "u1", "device_id": "d1"},
            "state": "sent",
            "since": "2026-01-01T00:00:00.123Z",
            "why": {**why, "sequence": 7},
        },
        {
            "link": {"user_id": "u1", "device_id": "d2"},
            "state": "sent",
            "since": "2026-01-01T00:00:00.123Z",
            "why": {"api": "token-id"},
        },
    ]
    assert (told["next_part"], told["pending"], told["pending_complete"]) == (None, [], True)
    (waiting,) = ask(relay, "u1").get_json()["pending"]
    assert (waiting["link"], waiting["state"]) == ({"user_id": "u1", "device_id": "d3"}, "pending")


def test_a_large_cluster_is_told_part_by_part(relay: Relay) -> None:
    linked(relay, *(device("u1", f"d{number}") for number in range(1_200)))
    seen: list[str] = []
    query, parts = "", 0
    while True:
        told = ask(relay, "u1", query).get_json()
        assert told["cluster"]["size"] == 1_201
        assert len(told["links"]) <= 500
        seen += [one["link"]["device_id"] for one in told["links"]]
        parts += 1
        if told["next_part"] is None:
            break
        query = f"?part={told['next_part']}"
    assert parts == 3
    assert sorted(seen) == sorted(f"d{number}" for number in range(1_200))


def test_an_id_that_nothing_is_known_of_stands_alone(relay: Relay) -> None:
    told = ask(relay, "who").get_json()
    assert (told["cluster"], told["links"]) == ({"size": 1, "ids": ["who"]}, [])


@pytest.mark.parametrize("an_id", ["https://a/b", "/lead", "//a//", "a/", "a\nb", "a\n", "..", "a?b#c%20"])
def test_whatever_an_id_holds_it_can_be_asked_for(original: Relay, an_id: str) -> None:
    linked(original, merge(an_id, "c"))
    answer = ask(original, quote(an_id, safe=""))
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["distinct_id"], told["cluster"]["size"]) == (an_id, 2)


def test_reading_needs_the_scope_and_nothing_else_is_asked(relay: Relay) -> None:
    path = f"/projects/{SHOP}/{PATH}/u1"
    problem(relay.call("GET", path, headers={"Authorization": relay.authorization}), 403, "scope_missing")
    assert fault(ask(relay, "u1", "?parts=1"), 422, "invalid_query")["field"] == "parts"
    assert fault(ask(relay, "u1", "?part=-1"), 422, "invalid_query")["field"] == "part"
