"""Webhook subscriptions over the API: wishes, secrets, states, tests, deliveries."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from threading import Event, Semaphore
from typing import Any

import pytest
import redis
from standardwebhooks import Webhook

from app.store import keys
from app.subscriptions.building import build_sender
from app.subscriptions.subscriptions import Subscriptions
from app.subscriptions.turns import Turns
from config.settings import Settings
from tests.integration.feed.written_log import WrittenLog
from tests.integration.subscriptions.receiver import OK, Receiver, plainly, receiving
from tests.integration.web.api.relay import Relay, problem, services
from tests.integration.web.services import BLOG, SHOP, settings

HOOK = "https://hooks.example.com/in"


def operating(redis_client: redis.Redis, made: Settings) -> Relay:
    relay = Relay(services(redis_client, made))
    relay.authorization = relay.token("operate")
    return relay


@pytest.fixture
def desk(redis_client: redis.Redis, redis_url: str) -> Relay:
    return operating(redis_client, settings(redis_url))


@pytest.fixture
def local(redis_client: redis.Redis, redis_url: str) -> Relay:
    """A relay that may call loopback, without TLS."""
    networks = (ip_network("127.0.0.1/32"),)
    return operating(redis_client, settings(redis_url, subscriber_http=True, subscriber_networks=networks))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(plainly()) as made:
        yield made


def call(relay: Relay, method: str, path: str = "", body: Any = None, token: str = "") -> Any:
    more = {"json": body} if body is not None else {}
    headers = {"Authorization": token or relay.authorization}
    return relay.call(method, f"/subscriptions{path}", headers=headers, **more)


def subscribe(relay: Relay, **wish: Any) -> dict[str, Any]:
    answer = call(relay, "POST", body={"url": HOOK, "projects": [SHOP], **wish})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"].endswith(told["id"])
    assert answer.headers["Cache-Control"] == "no-store"
    return told


def test_a_new_one_is_shown_with_its_secret_once(desk: Relay) -> None:
    made = subscribe(desk, types=["members.*"], cohorts=["VIP*"], batch=5, rate=2, description="CRM")
    assert made["secret"].startswith("whsec_")
    shown = call(desk, "GET", f"/{made['id']}").get_json()
    assert "secret" not in shown
    assert made["secret"] not in call(desk, "GET").text
    assert shown["types"] == [f"cohort-relay.members.{each}" for each in ("entered", "exited", "updated")]
    assert (shown["cohorts"], shown["batch"], shown["rate"]) == (["VIP*"], 5, 2)
    assert [(each["project_id"], each["state"]) for each in shown["projects"]] == [(SHOP, "active")]


def test_without_projects_it_is_for_all_that_the_token_reaches(desk: Relay) -> None:
    made = call(desk, "POST", body={"url": HOOK}).get_json()
    assert [each["project_id"] for each in made["projects"]] == [SHOP, BLOG]
    token = desk.token("operate", project_id=BLOG)
    mine = call(desk, "POST", body={"url": HOOK}, token=token).get_json()
    assert [each["project_id"] for each in mine["projects"]] == [BLOG]


def test_a_token_of_one_project_sees_and_changes_only_what_is_for_that_alone(desk: Relay) -> None:
    theirs = subscribe(desk)
    both = subscribe(desk, projects=[SHOP, BLOG])
    token = desk.token("operate", project_id=BLOG)
    mine = call(desk, "POST", body={"url": HOOK}, token=token).get_json()
    listed = call(desk, "GET", token=token).get_json()["subscriptions"]
    assert [each["id"] for each in listed] == [mine["id"]]
    for other in (theirs, both):
        problem(call(desk, "GET", f"/{other['id']}", token=token), 404, "unknown_subscription")
        problem(call(desk, "DELETE", f"/{other['id']}", token=token), 404, "unknown_subscription")
        problem(call(desk, "POST", f"/{other['id']}/test", token=token), 404, "unknown_subscription")
    problem(call(desk, "POST", body={"url": HOOK, "projects": [SHOP]}, token=token), 404, "unknown_project")


WISHES: list[tuple[dict[str, Any], str]] = [
    ({"url": "http://hooks.example.com/"}, "url"),
    ({"url": "ftp://hooks.example.com/"}, "url"),
    ({"url": "https://user:password@hooks.example.com/"}, "url"),
    ({"url": "https://hooks.example.com/#here"}, "url"),
    ({"url": "https://hooks.example.com:port/"}, "url"),
    ({"url": "https:///nowhere"}, "url"),
    ({"url": "https://hooks.example.com/\r\nX: y"}, "url"),
    ({"url": "https://127.0.0.1/"}, "url"),
    ({"url": "https://2130706433/"}, "url"),
    ({"url": "https://0x7f.1/"}, "url"),
    ({"url": "https://[::ffff:10.0.0.1]/"}, "url"),
    ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
    ({"types": ["no.such"]}, "types"),
    ({"batch": 1001}, "batch"),
    ({"rate": 0.001}, "rate"),
    ({"from": "yesterday"}, "from"),
    ({"from": "12"}, "from"),
    ({"url": "https://a..b.example/"}, "url"),
    ({"url": f"https://{'a' * 64}.example/"}, "url"),
    ({"projects": []}, "projects"),
    ({"secret": "mine"}, "secret"),
]


def test_a_wish_that_cannot_be_had_is_named(desk: Relay) -> None:
    for wish, field in WISHES:
        answer = call(desk, "POST", body={"url": HOOK, "projects": [SHOP], **wish})
        told = problem(answer, 400, "invalid_body")
        assert [each["field"] for each in told["errors"]] == [field], wish
    assert call(desk, "GET").get_json()["subscriptions"] == []


def test_it_is_changed_in_what_is_named_and_keeps_the_rest(desk: Relay) -> None:
    made = subscribe(desk, batch=7, types=["members.entered"])
    changed = call(desk, "PATCH", f"/{made['id']}", {"rate": 5, "cohorts": ["7"]}).get_json()
    assert (changed["batch"], changed["rate"], changed["cohorts"]) == (7, 5, ["7"])
    assert changed["types"] == ["cohort-relay.members.entered"]
    answer = call(desk, "PATCH", f"/{made['id']}", {"url": "https://10.0.0.1/"})
    assert problem(answer, 400, "invalid_body")["errors"][0]["field"] == "url"


def test_it_is_paused_with_a_reason_resumed_and_deleted(desk: Relay, redis_client: redis.Redis) -> None:
    made = subscribe(desk)
    paused = call(desk, "PUT", f"/{made['id']}/pause", {"why": "maintenance"}).get_json()["projects"][0]
    assert (paused["state"], paused["why"]) == ("paused", "maintenance")
    assert paused["by"] == desk.authorization.split("_")[1]
    resumed = call(desk, "DELETE", f"/{made['id']}/pause").get_json()["projects"][0]
    assert (resumed["state"], resumed["why"], resumed["by"]) == ("active", "", "")
    assert call(desk, "DELETE", f"/{made['id']}").status_code == 200
    problem(call(desk, "GET", f"/{made['id']}"), 404, "unknown_subscription")
    assert not list(redis_client.scan_iter("cr:*subscription*"))


def test_the_list_goes_on_page_by_page(desk: Relay) -> None:
    made = [subscribe(desk)["id"] for _ in range(5)]
    found, cursor = [], ""
    while True:
        page = call(desk, "GET", f"?limit=2{cursor}").get_json()
        found += [each["id"] for each in page["subscriptions"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(found) == sorted(made)


def test_the_list_reads_only_where_its_page_stands_and_each_logs_end_once(
    desk: Relay, redis_client: redis.Redis
) -> None:
    for _ in range(5):
        subscribe(desk)
    asked: list[str] = []
    watched: Any = redis_client
    with watched.monitor() as monitor:
        assert len(call(desk, "GET", "?limit=3").get_json()["subscriptions"]) == 3
        redis_client.echo("over")
        for told in monitor.listen():
            asked.append(told["command"])
            if "over" in told["command"]:
                break
    read = [each.partition(" ")[0] for each in asked if "subscription:" in each or "log:meta" in each]
    assert (read.count("HGETALL"), read.count("HMGET")) == (3, 1)


def test_a_test_message_arrives_signed_and_moves_nothing(local: Relay, receiver: Receiver) -> None:
    made = subscribe(local, url=receiver.url())
    told = call(local, "POST", f"/{made['id']}/test").get_json()
    assert (told["taken"], told["status"]) == (True, 204)
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:])
    event = Webhook(made["secret"]).verify(body, headers)
    assert (event["type"], event["data"]) == ("cohort-relay.test", {"subscription_id": made["id"]})
    assert call(local, "GET", f"/{made['id']}").get_json()["projects"][0]["taken"] == 0


def test_a_test_of_a_name_that_leads_inside_says_so(desk: Relay) -> None:
    made = subscribe(desk, url="https://localhost/hook")
    told = call(desk, "POST", f"/{made['id']}/test").get_json()
    assert (told["taken"], told["status"]) == (False, None)
    assert "not public" in told["reason"]


def test_a_new_secret_signs_beside_the_old_one(local: Relay, receiver: Receiver) -> None:
    made = subscribe(local, url=receiver.url())
    answer = call(local, "POST", f"/{made['id']}/rotate-secret", {"overlap_s": 60})
    assert answer.headers["Cache-Control"] == "no-store"
    new = answer.get_json()["secret"]
    assert call(local, "GET", f"/{made['id']}").get_json()["secrets"] == 2
    call(local, "POST", f"/{made['id']}/test")
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:])
    for secret in (made["secret"], new):
        Webhook(secret).verify(body, headers)
    call(local, "POST", f"/{made['id']}/rotate-secret", {"overlap_s": 0})
    assert call(local, "GET", f"/{made['id']}").get_json()["secrets"] == 1


def test_what_was_delivered_is_listed_and_delivered_again_from_a_point(
    local: Relay, receiver: Receiver, redis_client: redis.Redis
) -> None:
    log = WrittenLog(redis_client)
    made = subscribe(local, url=receiver.url())
    for _ in range(3):
        log.changelog.append(SHOP, "sync.completed", {}, "1", "VIP")
    made_services = local.services
    sender = build_sender(
        made_services.settings,
        redis_client,
        Subscriptions(redis_client),
        changelog=log.changelog,
        feed=made_services.feed,
        encoder=made_services.encoder,
    )

    def deliver() -> None:
        for turn in Turns(redis_client).take(SHOP, 10, 10, 30):
            sender.send(SHOP, turn)

    deliver()
    listed = call(local, "GET", f"/{made['id']}/deliveries?limit=2").get_json()["deliveries"]
    assert [(each["status"], each["tries"]) for each in listed] == [(204, 1), (204, 1)]
    second = listed[1]["event_id"]
    told = call(local, "POST", f"/{made['id']}/redeliver", {"from": second}).get_json()
    assert told["projects"][0]["behind"] == 2  # an entry that an id points into counts until it is read
    deliver()
    sequences = [json.loads(each.rpartition(b"\r\n\r\n")[2])["sequence"][-1] for each in receiver.requests]
    assert sequences == ["1", "2", "3", "3"]
    problem(call(local, "POST", f"/{made['id']}/redeliver", {"from": "999"}), 400, "invalid_body")
    problem(
        call(local, "POST", f"/{made['id']}/redeliver", {"from": "now", "project": BLOG}), 400, "invalid_body"
    )
    assert redis_client.exists(keys.subscription_deliveries(SHOP, made["id"]))


def test_changing_calls_stand_in_the_audit_log_without_the_secret(desk: Relay) -> None:
    made = subscribe(desk)
    call(desk, "PUT", f"/{made['id']}/pause", {})
    entries = desk.services.audit.page("changes", limit=10)[0]
    assert [each.entry.action.split()[0] for each in entries] == ["PUT", "POST"]
    assert entries[0].entry.resources["subscription_id"] == made["id"]
    assert made["secret"] not in repr(entries)


def test_receivers_that_hang_keep_two_threads_from_other_requests_and_no_more(local: Relay) -> None:
    free, hanging = Event(), Semaphore(0)

    def hang(connection: socket.socket, _request: bytes) -> None:
        hanging.release()
        free.wait(10)
        connection.sendall(OK)

    with receiving(hang) as receiver, ThreadPoolExecutor(2) as pool:
        made = subscribe(local, url=receiver.url())
        path = f"/{made['id']}/test"
        under_way = [pool.submit(call, local, "POST", path) for _ in range(2)]
        for _ in under_way:
            assert hanging.acquire(timeout=10)
        problem(call(local, "POST", path), 503, "too_many_tests")
        free.set()
        assert [each.result().get_json()["taken"] for each in under_way] == [True, True]
        assert call(local, "POST", path).get_json()["taken"]
