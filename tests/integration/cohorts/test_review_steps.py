"""The steps of a page go out together; one that Redis does not take must stop those behind it."""

from collections.abc import Iterable
from typing import Any

import pytest
from redis import Redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError

from app.cohorts.applying.run import ApplyLane
from app.store import scripts
from tests.integration.cohorts.invariants import check, check_drained, stored
from tests.integration.cohorts.relay import FOREVER, Relay
from tests.integration.cohorts.scale import scaled_down
from tests.model.notation import parse
from tests.redis_server import RedisServer


class RefusedError(Exception):
    """Stands for OOM, NOREPLICAS or MISCONF: refused now, taken again a moment later."""


PAGE = parse("M0{a,b,c,d,e,f,g}")[0]


def commit_script(apply: ApplyLane) -> Script:
    return apply._committer._script


@pytest.mark.parametrize("place", range(4))
def test_a_step_that_redis_refuses_takes_those_behind_it_along(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    redis_server.flush()
    relay = Relay(redis_server)
    script = commit_script(relay.apply)
    pipelined = scripts._pipelined
    refused: list[int] = []

    def one_is_refused(redis: Redis, sent: Script, calls: Iterable[scripts.Call]) -> list[Any]:
        calls = list(calls)
        if sent is not script or refused or len(calls) < 4:
            return pipelined(redis, sent, calls)
        refused.append(place)
        before, behind = calls[:place], calls[place + 1 :]
        return [*pipelined(redis, sent, before), RefusedError(), *pipelined(redis, sent, behind)]

    with scaled_down(chunk=2, load=2, list_limit=100_000):
        relay.accept(PAGE)
        monkeypatch.setattr(scripts, "_pipelined", one_is_refused)
        held = relay.hold()
        relay.lanes.finish(held, relay.apply.run(held, relay.project, FOREVER))
        relay.drain()
        assert refused == [place]
        check(relay)
        check_drained(relay.plain)
        assert stored(relay.plain, "c")[0].machine.count == len(PAGE.members) == len(relay.members())
    relay.close()


def test_a_script_that_another_process_loads_in_between_runs_no_step_twice(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_server.flush()
    relay = Relay(redis_server)
    script = commit_script(relay.apply)
    pipelined = scripts._pipelined
    loaded: list[bool] = []

    def loaded_late(redis: Redis, sent: Script, calls: Iterable[scripts.Call]) -> list[Any]:
        calls = list(calls)
        if sent is not script or loaded or len(calls) < 4:
            return pipelined(redis, sent, calls)
        loaded.append(True)
        return [NoScriptError(), *pipelined(redis, sent, calls[1:])]

    with scaled_down(chunk=2, load=2, list_limit=100_000):
        relay.accept(PAGE)
        monkeypatch.setattr(scripts, "_pipelined", loaded_late)
        relay.drain()
        assert loaded
        check(relay)
        check_drained(relay.plain)
    relay.close()
