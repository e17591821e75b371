"""What is derived for an event: the same when it is repeated, another for another event."""

import copy
import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.destinations.checks.events import EventCheck
from app.destinations.checks.invalid import Invalid
from config.links import IdManagement

NOW_MS = 1_800_000_000_000
DIGEST = "d" * 64
plain = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.floats(-2, 2)
values = plain | st.lists(plain, max_size=2) | st.dictionaries(st.sampled_from("xyz"), plain, max_size=2)
events = st.builds(
    lambda name, person, time, more: {
        "event": name,
        "properties": {"distinct_id": person, **more, **({} if time is None else {"time": time})},
    },
    st.sampled_from(("A", "B")),
    st.sampled_from(("one", "two")),
    st.sampled_from((None, 1_700_000_000, 1_700_000_000_000)),
    st.dictionaries(st.sampled_from("abc"), values, max_size=3),
)
calls = st.lists(events, min_size=1, max_size=8)
patient = settings(deadline=None, max_examples=40)  # milliseconds each, but beside other tests
identities = st.none() | st.sampled_from(("k1", "k2"))


def complete(
    records: list[Any],
    *,
    key: str | None = None,
    digest: str = DIGEST,
    now_ms: int = NOW_MS,
    system: IdManagement = "simplified",
    source: str = "cohort-relay",
) -> list[dict[str, Any]]:
    """Return a call's events as they are submitted; the given ones stay as they are."""
    check = EventCheck(system, now_ms, key, digest, source)
    return [orjson.loads(check(copy.deepcopy(record))) for record in records]


def identity(event: dict[str, Any]) -> tuple[Any, ...]:
    """Return by what Mixpanel tells an event from others."""
    properties = event["properties"]
    return event["event"], properties["time"], properties["distinct_id"], properties["$insert_id"]


@patient
@given(calls, identities)
def test_a_repeated_call_is_the_same_events(records: list[Any], key: str | None) -> None:
    assert complete(records, key=key) == complete(records, key=key)


@patient
@given(calls, identities)
def test_no_two_events_of_a_call_are_one_to_mixpanel(records: list[Any], key: str | None) -> None:
    found = [identity(event) for event in complete(records, key=key)]
    assert len(set(found)) == len(found)


@patient
@given(calls, identities)
def test_nothing_else_of_an_event_changes(records: list[Any], key: str | None) -> None:
    for before, after in zip(records, complete(records, key=key), strict=True):
        added = after["properties"].keys() - before["properties"].keys()
        assert added <= {"time", "$insert_id", "$source"}
        assert {name: after["properties"][name] for name in before["properties"]} == before["properties"]
        assert re.fullmatch("[a-z0-9]{32}", after["properties"]["$insert_id"])


@patient
@given(calls, st.randoms(use_true_random=False))
def test_events_with_a_time_are_the_same_in_whatever_order_and_at_whatever_time(
    records: list[Any], random: Any
) -> None:
    timed = [record for record in records if "time" in record["properties"]]
    shuffled = [
        {
            "properties": dict(random.sample(list(record["properties"].items()), len(record["properties"]))),
            "event": record["event"],
        }
        for record in random.sample(timed, len(timed))
    ]
    first = complete(timed)
    later = complete(shuffled, now_ms=NOW_MS + 60_000, digest="e" * 64)
    assert sorted(map(identity, first)) == sorted(map(identity, later))


@patient
@given(calls)
def test_two_calls_with_different_keys_share_no_event(records: list[Any]) -> None:
    first, second = complete(records, key="k1"), complete(records, key="k2")
    assert not {identity(event) for event in first} & {identity(event) for event in second}


@patient
@given(calls, calls)
def test_two_calls_with_different_bodies_share_no_event_without_a_time_even_in_one_millisecond(
    one: list[Any], two: list[Any]
) -> None:
    found = []
    for records, digest in ((one, "1" * 64), (two, "2" * 64)):
        timeless = [record for record in records if "time" not in record["properties"]]
        found.append({identity(event) for event in complete(timeless, digest=digest)})
    assert not found[0] & found[1]


@patient
@given(events, events)
def test_two_different_events_are_never_one(one: Any, two: Any) -> None:
    if orjson.dumps(one, option=orjson.OPT_SORT_KEYS) != orjson.dumps(two, option=orjson.OPT_SORT_KEYS):
        assert identity(complete([one])[0]) != identity(complete([two])[0])


@pytest.mark.parametrize("given_id", [{}, {"$insert_id": "i1"}])
def test_every_event_names_its_source_which_makes_it_no_other_event(given_id: dict[str, str]) -> None:
    event = {"event": "A", "properties": {"distinct_id": "a", "time": 1_700_000_000, **given_id}}
    (ours,), (theirs,) = complete([event]), complete([event], source="my-company")
    assert (ours["properties"]["$source"], theirs["properties"]["$source"]) == ("cohort-relay", "my-company")
    assert identity(ours) == identity(theirs)


@pytest.mark.parametrize("given_id", [{}, {"$insert_id": "i1"}])
def test_the_source_counts_among_the_properties(given_id: dict[str, str]) -> None:
    three = {"distinct_id": "a", "time": 1_700_000_000, "$insert_id": "i1"}
    room = {str(number): 1 for number in range(254 - len(three) - 1)}
    properties = {**three, **room}
    if not given_id:
        del properties["$insert_id"]
    (kept,) = complete([{"event": "A", "properties": properties}])
    assert len(kept["properties"]) == 254
    with pytest.raises(Invalid, match="properties"):
        complete([{"event": "A", "properties": {**properties, "one more": 1}}])


@pytest.mark.parametrize("ahead", [NOW_MS + 1, NOW_MS + 3_599_000, NOW_MS // 1000 + 60])
def test_a_time_that_is_ahead_counts_as_none_since_mixpanel_would_write_its_own(ahead: int) -> None:
    check = EventCheck("simplified", NOW_MS, None, DIGEST, "cohort-relay")
    event = {"event": "A", "properties": {"distinct_id": "a", "time": ahead, "$insert_id": "i1"}}
    assert orjson.loads(check(event))["properties"]["time"] == NOW_MS
    assert check.filled_a_time


def test_a_time_that_is_now_stays_and_one_far_ahead_is_refused() -> None:
    (now,) = complete([{"event": "A", "properties": {"distinct_id": "a", "time": NOW_MS}}])
    assert now["properties"]["time"] == NOW_MS
    with pytest.raises(Invalid) as refused:
        complete([{"event": "A", "properties": {"distinct_id": "a", "time": NOW_MS + 3_600_001}}])
    assert refused.value.code == "time_future"


def test_whether_a_time_was_filled_is_known_of_the_events_that_are_kept() -> None:
    check = EventCheck("simplified", NOW_MS, None, DIGEST, "cohort-relay")
    check({"event": "A", "properties": {"distinct_id": "a", "time": 1_700_000_000}})
    with pytest.raises(Invalid):
        check({"event": "", "properties": {"distinct_id": "a"}})
    assert not check.filled_a_time
    check({"event": "A", "properties": {"distinct_id": "a"}})
    assert check.filled_a_time


@pytest.mark.parametrize(
    ("given_ids", "expected"),
    [
        ({"distinct_id": "X"}, "X"),
        ({"$user_id": "U"}, "U"),
        ({"$device_id": "D"}, "$device:D"),
        ({"distinct_id": "X", "$device_id": "D"}, "X"),
        ({"$user_id": "U", "$device_id": ""}, "U"),
    ],
)
def test_in_a_simplified_project_the_person_is_who_mixpanel_would_make_of_it(
    given_ids: dict[str, str], expected: str
) -> None:
    (event,) = complete([{"event": "A", "properties": given_ids}])
    assert event["properties"]["distinct_id"] == expected


@pytest.mark.parametrize("system", ["original", "legacy"])
def test_elsewhere_the_person_must_be_named_and_both_ids_are_just_properties(system: IdManagement) -> None:
    with pytest.raises(Invalid) as refused:
        complete([{"event": "A", "properties": {"$user_id": "U"}}], system=system)
    assert refused.value.field == "properties.distinct_id"
    both = {"distinct_id": "X", "$user_id": "U", "$device_id": "D"}
    (event,) = complete([{"event": "A", "properties": both}], system=system)
    assert event["properties"]["distinct_id"] == "X"


def test_an_event_that_links_is_refused_with_a_pointer_to_where_links_go() -> None:
    for record in (
        {"event": "$merge", "properties": {}},
        {"event": "A", "properties": {"$user_id": "U", "$device_id": "D"}},
    ):
        with pytest.raises(Invalid) as refused:
            complete([record])
        assert "identity-links" in refused.value.detail
