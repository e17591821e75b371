"""What is too old goes, of dead letters and of what was put aside, and it is told."""

from typing import Any

import pytest
from redis import Redis
from structlog.testing import capture_logs

from app.cohorts.quarantine import KEPT_S, Quarantine, Which
from app.destinations.dead_letters.ageing import Ageing
from app.store import keys

from .letters import DAY_MS, Letters, P

FIELDS: dict[Any, Any] = {"cohort_id": "7", "session_id": "s", "action": "members", "page": 1}


@pytest.fixture
def quarantine(redis_client: Redis) -> Quarantine:
    return Quarantine(redis_client)


def now_ms(redis: Redis) -> int:
    return int(redis.time()[0]) * 1000


def put_member(redis: Redis, number: int, at_ms: int | None = None, **fields: Any) -> None:
    where = "*" if at_ms is None else f"{at_ms}-{number}"
    entry: dict[Any, Any] = {**FIELDS, "index": number, "reason": "distinct_id_missing", **fields}
    redis.xadd(keys.quarantine(P), entry, id=where)
    redis.hincrby(keys.quarantine_counts(P), "members", 1)


def put_page(redis: Redis, at_ms: int, **fields: Any) -> None:
    entry: dict[Any, Any] = {"body": b"x" * 1000, "at_ms": at_ms, **fields}
    redis.xadd(keys.set_aside(P), entry, id=f"{at_ms}-1")
    redis.hincrby(keys.quarantine_counts(P), "pages", 1)


def test_each_goes_at_its_age_and_is_told_once(
    world: Letters, quarantine: Quarantine, redis_client: Redis
) -> None:
    now = now_ms(redis_client)
    world.add(at_ms=now - 3 * DAY_MS)
    kept = world.add(at_ms=now - DAY_MS)
    put_member(redis_client, 1, now - KEPT_S * 1000 - DAY_MS)
    put_member(redis_client, 2)
    put_page(redis_client, now - KEPT_S * 1000 - DAY_MS)
    trimmed: list[str] = []
    ageing = Ageing(redis_client, world.letters, quarantine, days=2, trim=trimmed.append)
    told = []
    for _ in range(2):
        with capture_logs() as logs:
            ageing.tidy([P, "another"])
        told.append([{name: line[name] for name in line if name != "log_level"} for line in logs])
    assert told == [
        [
            {"event": "dead_letters_expired", "project_id": P, "expired": 1, "dead_letter_days": 2},
            {"event": "quarantine_tidied", "project_id": P, "members_expired": 1, "pages_expired": 1},
        ],
        [],
    ]
    assert world.ids() == [kept]
    assert trimmed == [P, "another"] * 2
    assert [member.index for member in quarantine.members(P)[0]] == [2]
    assert quarantine.pages(P) == []


def test_what_went_for_the_cap_is_told_too(quarantine: Quarantine, redis_client: Redis) -> None:
    for number in range(5):
        put_member(redis_client, number)
    redis_client.xtrim(keys.quarantine(P), maxlen=2, approximate=False)
    assert quarantine.tidy(P, 0) == {"members_dropped": 3}
    assert quarantine.tidy(P, 0) == {}
    assert quarantine.discard_members(P) == 2
    assert quarantine.tidy(P, 0) == {}
    assert quarantine.counts(P) == {"members": 5, "members_dropped": 3, "members_discarded": 2}


def test_one_broken_project_keeps_no_other_from_it(
    world: Letters, quarantine: Quarantine, redis_client: Redis
) -> None:
    world.add(at_ms=1)
    redis_client.set(keys.dead_letters("broken"), "no stream")
    with capture_logs() as logs:
        Ageing(redis_client, world.letters, quarantine, days=1, trim=lambda _: None).tidy(["broken", P])
    assert [line["event"] for line in logs] == ["not_tidied", "dead_letters_expired"]
    assert world.ids() == []


def test_members_are_listed_page_by_page_and_by_what_is_asked_for(
    quarantine: Quarantine, redis_client: Redis
) -> None:
    for number in range(1_203):
        put_member(redis_client, number, cohort_id=str(number % 3), reason="abc"[number % 2])
    for which in (Which(), Which(cohort_id="1"), Which(reason="b"), Which(cohort_id="2", reason="a")):
        found: list[int] = []
        after: str | None = ""
        while after is not None:
            some, after = quarantine.members(P, which, after=after, limit=100)
            assert len(some) <= 100
            found += [member.index for member in some]
        assert found == [
            number
            for number in range(1_203)
            if which.cohort_id in ("", str(number % 3)) and which.reason in ("", "abc"[number % 2])
        ]
        assert quarantine.discard_members(P, which, dry_run=True) == len(found)
    assert quarantine.discard_members(P, Which(cohort_id="1")) == 401
    assert len(quarantine.members(P, limit=10_000)[0]) == 802


def test_pages_are_listed_without_their_bodies_also_those_that_say_nothing_of_themselves(
    quarantine: Quarantine, redis_client: Redis
) -> None:
    for number in range(1, 10):
        put_page(redis_client, number, **(FIELDS if number > 1 else {}))
    pages = quarantine.pages(P)
    assert [page.time_ms for page in pages] == list(range(1, 10))
    assert (pages[0].cohort_id, pages[0].page, pages[0].size_bytes) == ("", 0, 1000)
    assert (pages[1].cohort_id, pages[1].session_id, pages[1].action, pages[1].page) == (
        "7",
        "s",
        "members",
        1,
    )
    assert quarantine.discard_pages(P, Which(before_ms=4), dry_run=True) == 3
    assert quarantine.discard_pages(P, Which(before_ms=4)) == 3
    assert len(quarantine.pages(P)) == 6


def test_pages_are_given_page_by_page_as_asked_for(quarantine: Quarantine, redis_client: Redis) -> None:
    for number in range(1, 12):
        put_page(redis_client, number, **{**FIELDS, "reason": "ab"[number % 2]})
    for which in (Which(), Which(reason="b"), Which(since_ms=4, before_ms=9)):
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            some, after = quarantine.some_pages(P, which, after=after, limit=3)
            found += [page.id for page in some]
        assert found == [page.id for page in quarantine.pages(P, which)] != []
