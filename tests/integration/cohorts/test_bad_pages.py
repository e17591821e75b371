"""Pages and members that could stop a lane: each must cost no more than itself."""

from collections.abc import Iterator
from typing import Any, cast
from unittest import mock

import orjson
import pytest

from app.cohorts.applying.run import MAX_TRIES
from app.store import keys
from tests.integration.cohorts.invariants import check_drained
from tests.integration.cohorts.relay import P, Relay, body_of
from tests.model.wire import SentPage
from tests.redis_server import RedisServer

ADMIT = "app.cohorts.applying.pages.admit"


@pytest.fixture
def relay(redis_server: RedisServer) -> Iterator[Relay]:
    redis_server.flush()
    relay = Relay(redis_server)
    yield relay
    relay.close()


def add(*people: str, session: str = "1") -> SentPage:
    return SentPage(session, "add_members", 1, 1, people, at=0.0)


class Killed(BaseException):
    """What no code catches: to the lane, its worker is gone."""


def test_a_page_that_kills_every_worker_is_set_aside(relay: Relay) -> None:
    relay.accept(add("a"))
    with mock.patch("app.cohorts.applying.pages.Pages._name", side_effect=Killed):
        for _ in range(MAX_TRIES):
            with pytest.raises(Killed):
                relay.run()
            relay.plain.hset(keys.lane(P, "apply"), "lease", 0)
        relay.drain()
    assert relay.plain.xlen(keys.set_aside(P)) == 1
    assert relay.members() == frozenset()
    check_drained(relay.plain)


def test_a_page_that_cannot_even_be_counted_is_kept_whole_and_its_cohort_is_suspect(relay: Relay) -> None:
    relay.accept(add("a"))
    with mock.patch(ADMIT, side_effect=ZeroDivisionError):
        for _ in range(MAX_TRIES - 1):
            assert relay.run().kind == "later"
        relay.drain()
    ((_, kept),) = cast("list[Any]", relay.plain.xrange(keys.set_aside(P)))
    assert kept[b"body"] == body_of(add("a"))
    cohort = relay.cohorts.get(P, "c")
    assert cohort is not None
    assert cohort.suspect
    relay.accept(add("b", session="2"))
    relay.drain()
    assert relay.members() == {"b"}
    check_drained(relay.plain)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [240, 250, 900])
def test_a_property_nested_too_deeply_is_left_out_and_its_member_is_not(relay: Relay, levels: int) -> None:
    document = orjson.loads(body_of(add("a", "b"), plan="gold"))
    document["parameters"]["members"][0]["plan"] = "?"
    body = orjson.dumps(document).replace(b'"?"', b"[" * levels + b"1" + b"]" * levels)
    relay.accept_body(body)
    relay.drain()
    entered = {who: dict(exported) for entry in relay.log() for who, exported in entry.entered}
    assert entered["b"] == {"plan": "gold"}
    assert entered["a"] in ({}, {"plan": nested(levels)})
    check_drained(relay.plain)


def test_a_sync_is_complete_at_the_end_of_the_run_that_applied_its_last_page(relay: Relay) -> None:
    relay.accept(SentPage("0", "members", 1, 1, ("a",), at=0.0))
    relay.run()
    assert "sync.completed" in {entry.kind for entry in relay.log()}
