from typing import Any

import pytest

from app.status.checks import Check
from app.status.redis_checks import memory, persistent, same_time, version
from app.status.redis_facts import MemoryUse, RedisFacts

MIB = 1024 * 1024


def facts(appendfsync: str | None = "always", **info: Any) -> RedisFacts:
    return RedisFacts(info, appendonly=True, appendfsync=appendfsync, maxmemory_policy="noeviction")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ("6.2.0", "ok"),
        ("7.0.15", "ok"),
        ("10.0.1", "ok"),
        ("6.0.16", "fail"),
        ("5.0.7", "fail"),
        ("", "warn"),
    ],
)
def test_redis_must_be_6_2_or_later(found: str, verdict: str) -> None:
    assert version(facts(redis_version=found)).verdict == verdict


def memory_check(**info: int) -> Check:
    return memory(MemoryUse.of(info))


@pytest.mark.parametrize(("used", "verdict"), [(70, "ok"), (80, "warn"), (95, "fail")])
def test_memory_is_measured_against_maxmemory(used: int, verdict: str) -> None:
    check = memory_check(used_memory=used * MIB, maxmemory=100 * MIB, total_system_memory=10_000 * MIB)
    assert check.verdict == verdict
    assert f"{used}% of maxmemory" in check.found
    assert bool(check.advice) == (verdict != "ok")


def test_without_maxmemory_it_is_measured_against_the_machine() -> None:
    check = memory_check(used_memory=950 * MIB, maxmemory=0, total_system_memory=1000 * MIB)
    assert check.verdict == "fail"
    assert "the machine's memory" in check.found


def test_memory_that_is_not_told_is_not_taken_for_enough() -> None:
    assert memory_check().verdict == "warn"


@pytest.mark.parametrize(
    ("skew_s", "verdict", "direction"),
    [(0.1, "ok", ""), (-3.0, "warn", "behind"), (3.0, "warn", "ahead of"), (-25.0, "fail", "behind")],
)
def test_clocks_that_differ_are_told_with_the_direction(skew_s: float, verdict: str, direction: str) -> None:
    check = same_time(skew_s)
    assert check.verdict == verdict
    assert direction in check.found


@pytest.mark.parametrize(("policy", "verdict"), [("always", "ok"), ("everysec", "warn"), ("no", "warn")])
def test_writes_that_reach_the_disk_late_are_to_know_about_but_ready(policy: str, verdict: str) -> None:
    check = persistent(facts(policy), allow_volatile=False)
    assert (check.verdict, check.ok) == (verdict, True)
