"""Wrong tokens are limited by the address that they come from; right ones never are."""

import time
from typing import Any
from unittest import mock

import pytest
import redis
from werkzeug.test import TestResponse

from app.access.failed_logins import client_of
from app.store import keys
from tests.integration.web.api.relay import Relay, problem, services
from tests.integration.web.services import SHOP, settings

WRONG = f"Bearer crt_{'a' * 12}_{'b' * 43}"
PATH = f"/projects/{SHOP}/cohorts"


@pytest.fixture(params=[0])
def strict(request: Any, redis_client: redis.Redis, redis_url: str) -> Relay:
    return Relay(
        services(redis_client, settings(redis_url, failed_login_limit=3, trusted_proxies=request.param))
    )


def expired(relay: Relay) -> str:
    return relay.token("admin", expires_ms=time.time_ns() // 1_000_000 - 3_600_000)


def come(
    relay: Relay, authorization: str | None, address: str = "192.0.2.1", forwarded: str = ""
) -> TestResponse:
    headers = {"Authorization": authorization} if authorization is not None else {}
    if forwarded:
        headers["X-Forwarded-For"] = forwarded
    return relay.call("GET", PATH, headers=headers, environ_base={"REMOTE_ADDR": address})


def fail(relay: Relay, times: int = 3, **how: Any) -> None:
    for _ in range(times):
        problem(come(relay, WRONG, **how), 401, "token_invalid")


def test_the_limit_answers_429_with_a_time_to_come_back(strict: Relay) -> None:
    fail(strict)
    answer = come(strict, WRONG)
    problem(answer, 429, "too_many_failed_logins")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("kind", ["none", "expired", "no token's form"])
def test_whoever_has_no_valid_token_is_held_up_then(strict: Relay, kind: str) -> None:
    authorization = {
        "none": None,
        "expired": expired(strict),
        "no token's form": "Bearer hunter2",
    }[kind]
    assert come(strict, authorization).status_code == 401
    for _ in range(3):
        come(strict, WRONG)
    problem(come(strict, authorization), 429, "too_many_failed_logins")


def test_a_valid_token_is_let_through_at_any_time(strict: Relay) -> None:
    fail(strict)
    for _ in range(5):
        come(strict, WRONG)
        assert come(strict, strict.token("read")).status_code == 200


def test_other_addresses_are_not_held_up(strict: Relay) -> None:
    fail(strict)
    fail(strict, address="192.0.2.2")


def test_no_token_and_an_expired_one_are_no_failed_logins(strict: Relay) -> None:
    for _ in range(10):
        problem(come(strict, None), 401, "token_missing")
        problem(come(strict, expired(strict)), 401, "token_expired")
    assert strict.services.failed_logins.total() == 0


def test_a_minute_later_it_counts_anew(strict: Relay, redis_client: redis.Redis) -> None:
    fail(strict)
    key = keys.failed_logins("192.0.2.1")
    assert 50_000 < redis_client.pttl(key) <= 60_000
    redis_client.pexpire(key, 1)
    while redis_client.exists(key):
        pass
    fail(strict)


def test_a_network_of_ipv6_is_one_client() -> None:
    assert client_of("2001:db8::1") == client_of("2001:db8:0:0:ffff::2") == "2001:db8::/64"
    assert client_of("2001:db8:0:1::1") != client_of("2001:db8::1")
    assert client_of("::ffff:192.0.2.1") == client_of("192.0.2.1") == "192.0.2.1"
    assert client_of("") == client_of("a-socket") == "unknown"


def test_they_are_one_line_a_minute_that_counts(
    strict: Relay, lines: list[Any], redis_client: redis.Redis
) -> None:
    for _ in range(10):
        come(strict, WRONG)
    (line,) = lines
    assert (line["event"], line["count"], line["log_level"]) == ("failed_logins", 1, "warning")
    redis_client.hset(keys.failed_login_counts(), "told_ms", 0)
    come(strict, WRONG)
    assert lines[1]["count"] == 10
    assert strict.services.failed_logins.total() == 11


def test_where_redis_does_not_count_nobody_is_held_up(strict: Relay) -> None:
    with mock.patch.object(strict.services.failed_logins, "_failed", side_effect=redis.ConnectionError):
        fail(strict, 10)


def test_forwarded_addresses_are_not_believed_without_a_proxy(strict: Relay) -> None:
    for number in range(3):
        fail(strict, 1, forwarded=f"198.51.100.{number}")
    problem(come(strict, WRONG, forwarded="198.51.100.9"), 429, "too_many_failed_logins")


@pytest.mark.parametrize("strict", [2], indirect=True)
def test_behind_proxies_the_address_is_what_the_outermost_of_them_saw(strict: Relay) -> None:
    for number in range(3):  # what the client makes up stands before
        fail(strict, 1, forwarded=f"203.0.113.{number}, 198.51.100.1, 10.0.0.1")
    problem(
        come(strict, WRONG, forwarded="203.0.113.9, 198.51.100.1, 10.0.0.1"), 429, "too_many_failed_logins"
    )
    fail(strict, 1, forwarded="198.51.100.2, 10.0.0.1")
    for broken in ("10.0.0.1", "nonsense, 10.0.0.1", "198.51.100.1:80, 10.0.0.1"):
        fail(strict, 1, forwarded=broken)  # counted by the proxy's address
    problem(come(strict, WRONG), 429, "too_many_failed_logins")
