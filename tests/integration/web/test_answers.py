"""Every row of the answers table over the real inbox and a real Redis, however that fares."""

import threading
import time
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
import redis
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from app.store import keys
from app.store.connection import connect
from app.store.heartbeats import Heartbeats
from app.web.webhook import PATH
from tests.conftest import StartRedis
from tests.integration.web.services import BLOG, SHOP, basic, page, settings
from tests.redis_server import RedisServer

TIMEOUT_S = 0.5


def start(redis_url: str, **changes: Any) -> Flask:
    """Make the whole web application on one Redis, which is given up after half a second of silence."""
    with patch("app.services.connect", partial(connect, timeout_s=TIMEOUT_S)):
        return create_app(settings(redis_url, **changes))


@pytest.fixture
def relay(redis_url: str) -> Flask:
    return start(redis_url)


def send(app: Flask, body: bytes = page(), user: str = "shop") -> TestResponse:
    return app.test_client().post(PATH, data=body, headers=basic(user))


def accepted(answer: TestResponse) -> bool:
    return answer.status_code == 200 and answer.get_json() == {"action": "members", "status": "success"}


def assert_come_back(answer: TestResponse, status: int) -> None:
    assert answer.status_code == status
    assert int(answer.headers["Retry-After"]) > 0
    sent: Any = answer.get_json()
    assert (sent["action"], sent["status"], sent["error"]["code"]) == ("members", "failure", status)


def waiting(client: redis.Redis) -> int:
    return int(client.xlen(keys.inbox(SHOP)))


def test_a_page_is_in_redis_once_it_is_acknowledged(relay: Flask, redis_client: redis.Redis) -> None:
    assert accepted(send(relay))
    entries: Any = redis_client.xrange(keys.inbox(SHOP))
    assert [fields[b"body"] for _, fields in entries] == [page()]


def test_a_copy_is_acknowledged_and_not_kept_twice(relay: Flask, redis_client: redis.Redis) -> None:
    assert all(accepted(send(relay)) for _ in range(3))
    assert waiting(redis_client) == 1


def test_empty_members_and_pages_of_any_session_are_acknowledged(relay: Flask) -> None:
    for session in ("s1", "s2", "s1"):
        assert accepted(send(relay, page(mixpanel_session_id=session, members=[])))


def test_permanent_faults_have_their_code_and_keep_nothing(relay: Flask, redis_client: redis.Redis) -> None:
    assert send(relay, b" " * 10_001).status_code == 413
    assert send(relay, user="nobody").status_code == 401
    assert send(relay, b"{").status_code == 400
    assert send(relay, page("9999")).status_code == 404
    assert send(relay, page(BLOG)).status_code == 403
    assert redis_client.keys() == []


def test_above_the_soft_cap_the_answer_is_delayed_and_at_the_hard_cap_it_is_429(
    redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    size = len(page())
    app = start(redis_url, inbox_soft_cap_bytes=3 * size, inbox_hard_cap_bytes=6 * size)
    for session in ("s1", "s2", "s3"):
        assert accepted(send(app, page(mixpanel_session_id=session)))
    assert slept == []
    for session in ("s4", "s5", "s6"):
        assert accepted(send(app, page(mixpanel_session_id=session)))
    assert len(slept) == 3
    assert slept == sorted(slept)
    assert 0 < slept[0] < slept[-1] <= 1.0
    assert_come_back(send(app, page(mixpanel_session_id="s7")), 429)
    assert waiting(redis_client) == 6
    assert accepted(send(app, page(mixpanel_session_id="s6")))


def test_a_killed_redis_is_503_until_it_is_back_and_what_was_acknowledged_is_there(
    start_redis: StartRedis,
) -> None:
    server = start_redis(appendonly=True)
    app = start(server.url)
    assert accepted(send(app))
    server.kill()
    assert_come_back(send(app, page(mixpanel_session_id="s2")), 503)
    server.start()
    assert accepted(send(app, page(mixpanel_session_id="s3")))
    with server.client() as client:
        assert waiting(client) == 2


def test_a_redis_that_was_never_there_is_503() -> None:
    assert_come_back(send(start("redis://127.0.0.1:1/0")), 503)


def test_a_redis_that_hangs_is_503_after_the_time_out(start_redis: StartRedis) -> None:
    server = start_redis()
    app = start(server.url)
    assert accepted(send(app))
    server.freeze()
    begun_s = time.monotonic()
    assert_come_back(send(app, page(mixpanel_session_id="s2")), 503)
    assert time.monotonic() - begun_s < 10 * TIMEOUT_S
    server.thaw()


def test_a_redis_out_of_memory_is_503(start_redis: StartRedis) -> None:
    server = start_redis()
    app = start(server.url)
    with server.client() as client:
        client.config_set("maxmemory", 1)
        assert_come_back(send(app), 503)
        client.config_set("maxmemory", 0)
        assert waiting(client) == 0
    assert accepted(send(app))


def test_a_replica_is_503(start_redis: StartRedis) -> None:
    primary, replica = start_redis(), start_redis()
    app = start(replica.url)
    with replica.client() as client:
        client.replicaof("127.0.0.1", str(primary.port))
        assert_come_back(send(app), 503)
        client.replicaof("NO", "ONE")
    assert accepted(send(app))


def test_a_redis_without_the_replicas_it_must_have_is_503(start_redis: StartRedis) -> None:
    server = start_redis(options={"min-replicas-to-write": "1"})
    assert_come_back(send(start(server.url)), 503)


def test_a_page_that_too_few_replicas_confirm_is_503(start_redis: StartRedis) -> None:
    server = start_redis()
    assert_come_back(send(start(server.url, wait_replicas=1)), 503)


def test_a_script_that_fails_is_503(relay: Flask, redis_client: redis.Redis) -> None:
    redis_client.set(keys.inbox(SHOP), "not a stream")
    assert_come_back(send(relay), 503)


def test_a_redis_that_lost_its_scripts_is_no_trouble(relay: Flask, redis_client: redis.Redis) -> None:
    assert accepted(send(relay))
    redis_client.script_flush()
    assert accepted(send(relay, page(mixpanel_session_id="s2")))


def test_a_redis_that_loads_its_data_is_503(start_redis: StartRedis) -> None:
    # Microseconds a key; commands are answered after every 2 MB, and connecting takes some.
    slowly = {"rdbcompression": "no", "key-load-delay": "40000"}
    server = start_redis(options=slowly)
    app = start(server.url)
    with server.client() as client:
        for number in range(60):
            client.set(f"large:{number}", bytes(1_000_000))
        client.save()
    server.kill()
    starting = threading.Thread(target=server.start)
    starting.start()
    assert _seen_loading(server)
    assert_come_back(send(app), 503)
    starting.join()
    assert accepted(send(app))


def _seen_loading(server: RedisServer) -> bool:
    deadline_s = time.monotonic() + 10
    with server.client() as client:
        while time.monotonic() < deadline_s:
            try:
                client.ping()
            except redis.BusyLoadingError:
                return True
            except redis.ConnectionError:
                time.sleep(0.005)
            else:
                return False
    return False


# --- health ---


def all_start(server: RedisServer) -> None:
    """Let every process that there must be give a sign of life."""
    with server.client() as client:
        for role in ("worker-apply", "worker-mixpanel", "worker-webhooks", "clock"):
            Heartbeats(client).beat(role)


def readiness(app: Flask) -> tuple[int, dict[str, Any]]:
    answer = app.test_client().get("/readyz")
    sent: Any = answer.get_json()
    return answer.status_code, sent["checks"]


def test_a_persistent_redis_that_evicts_nothing_is_ready_and_the_policy_is_named(
    start_redis: StartRedis,
) -> None:
    server = start_redis(appendonly=True)
    all_start(server)
    status, checks = readiness(start(server.url))
    assert status == 200
    assert "appendfsync always" in checks["persistence"]["reason"]
    assert "noeviction" in checks["eviction"]["reason"]


def test_a_volatile_redis_is_not_ready_unless_allowed(start_redis: StartRedis) -> None:
    server = start_redis(maxmemory_policy="allkeys-lru")
    all_start(server)
    status, checks = readiness(start(server.url))
    assert status == 503
    assert {name for name, check in checks.items() if not check["ok"]} == {"persistence", "eviction"}
    assert readiness(start(server.url, allow_volatile_redis=True))[0] == 200


@pytest.mark.parametrize("user", ["-config", "-config -info"])
def test_where_commands_are_forbidden_readiness_says_what_it_can(start_redis: StartRedis, user: str) -> None:
    server = start_redis(appendonly=True)
    with server.client() as client:
        all_start(server)
        client.execute_command("ACL", "SETUSER", "limited", "on", ">pw", "~*", "&*", "+@all", *user.split())
    url = server.url.replace("//", "//limited:pw@")
    status, checks = readiness(start(url))
    assert status == (503 if "-info" in user else 200)
    assert checks["redis"]["ok"]
    assert "unknown" in checks["persistence"]["reason"]


def test_without_workers_and_clock_it_is_not_ready_but_takes_pages(start_redis: StartRedis) -> None:
    app = start(start_redis(appendonly=True).url)
    status, checks = readiness(app)
    assert status == 503
    missing = {name for name, check in checks.items() if not check["ok"]}
    assert missing == {"worker-apply", "worker-mixpanel", "clock"}
    assert accepted(send(app))


def test_a_redis_that_is_away_is_not_ready_but_the_process_is_healthy() -> None:
    app = start("redis://127.0.0.1:1/0")
    status, checks = readiness(app)
    assert (status, list(checks)) == (503, ["redis"])
    assert app.test_client().get("/healthz").status_code == 200


def test_a_replica_is_not_ready(start_redis: StartRedis) -> None:
    server = start_redis(appendonly=True)
    with server.client() as client:
        client.replicaof("127.0.0.1", "1")
    status, checks = readiness(start(server.url))
    assert status == 503
    assert "replica" in checks["redis"]["reason"]
