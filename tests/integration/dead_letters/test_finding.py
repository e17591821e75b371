"""Dead letters are found by what is asked for, a page at a time, oldest or newest first."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.destinations.dead_letters import CODES, StoredLetter
from app.destinations.dead_letters.filter import Filter
from app.destinations.dead_letters.store import Order
from app.store import keys

from .letters import MINUTE_MS, NOW_MS, Letters, P, profile

DESTINATIONS = ("profiles", "events", "profiles-outbox")
letters = st.tuples(
    st.sampled_from(DESTINATIONS),
    st.sampled_from(CODES),
    st.sampled_from(("too long", "Too Deep", "it broke a LIMIT")),
    st.integers(0, 5),
)
filters = st.builds(
    Filter,
    destination=st.sampled_from(("", *DESTINATIONS)),
    code=st.sampled_from((None, *CODES)),
    reason=st.sampled_from(("", "too", "TOO D", "limit", "nowhere", "%")),
    before_ms=st.none() | st.integers(0, 6).map(lambda at: NOW_MS + at),
    since_ms=st.none() | st.integers(0, 6).map(lambda at: NOW_MS + at),
)


def means(wanted: Filter, stored: StoredLetter) -> bool:
    """What a filter means, in plain words."""
    return (
        wanted.destination in ("", stored.destination)
        and wanted.code in (None, stored.letter.code)
        and wanted.reason.lower() in stored.letter.reason.lower()
        and (wanted.before_ms is None or stored.time_ms < wanted.before_ms)
        and (wanted.since_ms is None or stored.time_ms >= wanted.since_ms)
    )


def every(world: Letters, wanted: Filter, **more: Any) -> list[StoredLetter]:
    """Go through all pages."""
    found: list[StoredLetter] = []
    after = None
    while True:
        page = world.letters.scan(P, wanted, after=after, **more)
        assert len(page.letters) <= more.get("limit", 100)
        assert page.looked <= more.get("most", 500)
        found += page.letters
        if page.next is None:
            return found
        after = page.next


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(letters, max_size=20),
    filters,
    st.sampled_from(("oldest", "newest")),
    st.tuples(st.integers(1, 7), st.integers(1, 9)),
)
def test_the_pages_together_hold_exactly_what_is_meant_in_order(
    world: Letters, given_up: list[Any], wanted: Filter, order: Order, bounds: tuple[int, int]
) -> None:
    world.redis.delete(keys.dead_letters(P))
    for destination, code, reason, at in sorted(given_up, key=lambda each: each[3]):
        world.add(destination=destination, code=code, reason=reason, at_ms=NOW_MS + at)
    expected = [stored for stored in world.letters.read(P) if means(wanted, stored)]
    if order == "newest":
        expected.reverse()
    found = every(world, wanted, order=order, limit=bounds[0], most=bounds[1], records=True)
    assert found == expected


def test_a_page_has_records_only_if_they_are_asked_for(world: Letters) -> None:
    world.add(profile("ada"))
    (without,), (whole,) = (world.letters.scan(P, records=asked).letters for asked in (False, True))
    assert without.letter.record == b""
    assert b"ada" in whole.letter.record
    assert without == replace(whole, letter=replace(whole.letter, record=b""))
    assert whole.size_bytes == len(whole.letter.record)
    assert world.letters.get(P, whole.id) == whole
    assert world.letters.get(P, "1-1") is None


def test_huge_records_end_a_page_early_so_that_it_stays_quick(world: Letters) -> None:
    for number in range(40):
        world.add(profile(str(number), set={"Text": "x" * 200_000}))
    page = world.letters.scan(P, records=True)
    assert 5 < len(page.letters) < 20
    assert page.next == page.letters[-1].id
    assert [stored.id for stored in every(world, Filter())] == world.ids()


def test_a_cursor_from_before_the_age_asked_for_widens_nothing(world: Letters) -> None:
    old, new = world.add(at_ms=NOW_MS), world.add(at_ms=NOW_MS + MINUTE_MS)
    since = Filter(since_ms=NOW_MS + 1)
    assert [each.id for each in world.letters.scan(P, since, after="0-0").letters] == [new]
    before = Filter(before_ms=NOW_MS + 1)
    newest = world.letters.scan(P, before, after=f"{NOW_MS + 10 * MINUTE_MS}-0", order="newest")
    assert [each.id for each in newest.letters] == [old]


def test_all_that_there_are_at_the_beginning_are_exported_and_no_later_ones(world: Letters) -> None:
    ids = [world.add() for _ in range(3)]
    exported = world.letters.all(P)
    first = next(exported)
    world.add()
    assert [first.id, *(each.id for each in exported)] == ids
    assert list(world.letters.all("another")) == []


def test_what_is_too_old_goes_in_steps_and_is_counted(
    world: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.destinations.dead_letters.store.EXPIRED_AT_MOST", 500)
    for _ in range(1_200):
        world.add(at_ms=NOW_MS)
    kept = world.add(at_ms=NOW_MS + 1)
    assert [world.letters.expire(P, NOW_MS + 1) for _ in range(4)] == [500, 500, 200, 0]
    assert world.ids() == [kept]
    assert world.letters.counters(P)["expired"] == 1_200
