"""What Mixpanel's `/import` does not take is found before it is sent, and nothing else is."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mixpanel.event_limits import violations
from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.violations import MAX_RECORD_BYTES, path

NOW_MS = 1_785_888_000_123
HOUR_MS = 3_600_000
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"


def event(name: Any = "Signup", **properties: Any) -> dict[str, Any]:
    inner = {"time": NOW_MS, "distinct_id": "u1", "$insert_id": "i-1", **properties}
    return {"event": name, "properties": inner}


def rules(found: Any, **options: Any) -> list[tuple[str, str]]:
    return [(violation.field, violation.rule) for violation in violations(found, NOW_MS, **options)]


def test_an_ordinary_event_breaks_nothing() -> None:
    assert rules(event(Plan="pro", tags=["a", 1, None], deep={"a": {"b": {"c": [1.5, True]}}})) == []


@pytest.mark.parametrize(
    ("broken", "field", "rule"),
    [
        (5, "", "event"),
        (None, "", "event"),
        ([], "", "event"),
        ({**event(), "more": 1}, "more", "unknown_field"),
        ({"event": "a"}, "properties", "properties"),
        ({"event": "a", "properties": []}, "properties", "properties"),
        (event(""), "event", "event_name"),
        (event(" "), "event", "event_name"),
        (event(None), "event", "event_name"),
        (event(5), "event", "event_name"),
        (event("x" * 256), "event", "event_name"),
        (event("$identify"), "event", "event_name"),
        (event("$create_alias"), "event", "event_name"),
        (event("$merge"), "event", "event_name"),
        (event(time=None), "properties.time", "time"),
        (event(time="1785888000"), "properties.time", "time"),
        (event(time=True), "properties.time", "time"),
        (event(time=1785888000.5), "properties.time", "time"),
        (event(time=float("nan")), "properties.time", "time"),
        (event(time=float("inf")), "properties.time", "time"),
        (event(time=0), "properties.time", "time_past"),
        (event(time=-1), "properties.time", "time_past"),
        (event(time=NOW_MS * 1000), "properties.time", "time_future"),
        (event(distinct_id=None), "properties.distinct_id", "distinct_id"),
        (event(distinct_id=5), "properties.distinct_id", "distinct_id"),
        (event(distinct_id="u" * 256), "properties.distinct_id", "distinct_id"),
        (event(**{"$insert_id": ""}), "properties.$insert_id", "insert_id"),
        (event(**{"$insert_id": 5}), "properties.$insert_id", "insert_id"),
        (event(**{"$insert_id": "a_b"}), "properties.$insert_id", "insert_id"),
        (event(**{"$insert_id": "é"}), "properties.$insert_id", "insert_id"),
        (event(**{"$insert_id": "a\n"}), "properties.$insert_id", "insert_id"),
        (event(**{"$insert_id": "a" * 37}), "properties.$insert_id", "insert_id"),
        (event(tags=[0] * 255), "properties.tags", "array_elements"),
        (event(a=[{"b": [0] * 255}]), "properties.a[0].b", "array_elements"),
        (event(a={"b": {"c": {"d": {}}}}), "properties.a.b.c.d", "nesting"),
        (event(**{"$device_id": "d", "$user_id": "u"}), "properties.$device_id", "identity_link"),
        (event(**{"$device_id": "anon"}), "properties.$device_id", "refused_id"),
        (event(**{"$user_id": "null"}), "properties.$user_id", "refused_id"),
        (event(**{"$user_id": 5}), "properties.$user_id", "user_id"),
        (event(**{"$device_id": "d" * 256}), "properties.$device_id", "device_id"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_its_rule(broken: Any, field: str, rule: str) -> None:
    assert rules(broken) == [(field, rule)]


@pytest.mark.parametrize("name", ["time", "distinct_id", "$insert_id"])
def test_what_deduplication_needs_cannot_be_missing(name: str) -> None:
    broken = event()
    del broken["properties"][name]
    assert rules(broken) == [(f"properties.{name}", name.removeprefix("$"))]


def test_everything_that_is_wrong_is_found_at_once() -> None:
    broken = event("$merge", time=1, distinct_id="null", tags=[0] * 255, **{"$insert_id": "anon"})
    assert [rule for _, rule in rules(broken)] == [
        "event_name",
        "time_past",
        "refused_id",
        "refused_id",
        "array_elements",
    ]


@pytest.mark.parametrize("refused", sorted(REFUSED_IDS))
def test_refused_ids_are_neither_distinct_ids_nor_insert_ids(refused: str) -> None:
    assert rules(event(distinct_id=refused)) == [("properties.distinct_id", "refused_id")]
    (found,) = violations(event(**{"$insert_id": refused}), NOW_MS)
    assert found.field == "properties.$insert_id"
    assert found.rule in {"refused_id", "insert_id"}


def test_an_insert_id_may_have_36_characters() -> None:
    assert rules(event(**{"$insert_id": "29fc2962-6d9c-455d-95ad-95b84f09B9E4"})) == []


def test_a_distinct_id_may_have_255_bytes() -> None:
    assert rules(event(distinct_id="é" * 127 + "x")) == []
    assert rules(event(distinct_id="é" * 128)) == [("properties.distinct_id", "distinct_id")]


def test_a_device_id_may_have_as_many_bytes_as_leave_room_for_its_prefix() -> None:
    assert rules(event(**{"$device_id": "d" * 247})) == []
    assert rules(event(**{"$device_id": "d" * 248})) == [("properties.$device_id", "device_id")]
    assert rules(event(**{"$device_id": "$device:" + "d" * 247})) == []


def test_an_event_of_nobody_has_an_empty_distinct_id() -> None:
    assert rules(event(distinct_id="")) == []


@pytest.mark.parametrize("system", ["original", "legacy"])
def test_both_ids_merge_nobody_outside_a_simplified_project(system: Any) -> None:
    assert rules(event(**{"$device_id": "d", "$user_id": "u"}), id_management=system) == []


@pytest.mark.parametrize("ids", [{"$device_id": "d"}, {"$user_id": "u"}, {"$device_id": "d", "$user_id": ""}])
def test_one_id_alone_merges_nobody(ids: dict[str, str]) -> None:
    assert rules(event(**ids)) == []


@given(st.integers(0, NOW_MS + 3 * HOUR_MS))
def test_a_time_is_taken_from_1971_to_an_hour_ahead_in_seconds_or_milliseconds(instant_ms: int) -> None:
    for time in (instant_ms, float(instant_ms), instant_ms // 1000, float(instant_ms // 1000)):
        as_ms = time if time >= 31_536_000_000 else time * 1000
        expected = []
        if as_ms < 31_536_000_000:
            expected = ["time_past"]
        elif as_ms > NOW_MS + HOUR_MS:
            expected = ["time_future"]
        assert [rule for _, rule in rules(event(time=time))] == expected


@pytest.mark.parametrize(
    ("time", "rule"),
    [
        (31_535_999, "time_past"),
        (31_536_000, None),
        (31_535_999_999, "time_future"),
        (31_536_000_000, None),
        (NOW_MS + HOUR_MS, None),
        (NOW_MS + HOUR_MS + 1, "time_future"),
        (NOW_MS // 1000 + 3600, None),
        (NOW_MS // 1000 + 3601, "time_future"),
    ],
)
def test_the_edges_of_time(time: int, rule: str | None) -> None:
    assert [found for _, found in rules(event(time=time))] == ([rule] if rule else [])


@given(st.text(ALPHABET, min_size=1, max_size=40).filter(lambda text: text not in REFUSED_IDS))
def test_an_insert_id_has_at_most_36_permitted_characters(insert_id: str) -> None:
    found = rules(event(**{"$insert_id": insert_id}))
    assert [rule for _, rule in found] == (["insert_id"] if len(insert_id) > 36 else [])


@given(
    st.text(max_size=4), st.text(min_size=1, max_size=2).filter(lambda text: not set(text) <= set(ALPHABET))
)
def test_an_insert_id_has_no_other_character(start: str, other: str) -> None:
    assert [rule for _, rule in rules(event(**{"$insert_id": start + other}))] == ["insert_id"]


@given(st.integers(252, 258))
def test_an_event_has_fewer_than_255_properties_with_the_three_that_it_must_have(number: int) -> None:
    found = rules(event(**{f"p{n}": n for n in range(number - 3)}))
    assert [rule for _, rule in found] == (["properties"] if number >= 255 else [])


@given(st.integers(-3, 3), st.sampled_from(["x", "é", "€"]))
def test_an_event_is_smaller_than_a_mebibyte_in_bytes(over: int, letter: str) -> None:
    room = MAX_RECORD_BYTES - len(orjson.dumps(event(text="")))
    letters, rest = divmod(room + over, len(letter.encode()))
    large = event(text=letter * letters + "x" * rest)
    assert len(orjson.dumps(large)) == MAX_RECORD_BYTES + over
    assert [rule for _, rule in rules(large)] == (["size"] if over > 0 else [])


def test_a_size_that_is_known_is_not_measured_again() -> None:
    assert rules(event(), size_bytes=MAX_RECORD_BYTES + 1) == [("", "size")]
    assert rules(event(text="x" * MAX_RECORD_BYTES), size_bytes=10) == []


def test_something_nested_without_end_is_refused_without_failing() -> None:
    deep = orjson.loads(b'{"a":' * 900 + b"[" * 100 + b"]" * 100 + b"}" * 900)
    assert [rule for _, rule in rules(event(deep=deep))] == ["nesting"]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON | st.builds(lambda name, inner: {"event": name, "properties": inner}, JSON, JSON))
def test_anything_at_all_is_judged_without_failing(anything: Any) -> None:
    violations(anything, NOW_MS, size_bytes=1)


SECRETS = st.sampled_from(["jane@example.com", "5551234"])


@given(SECRETS, st.sampled_from(["time", "distinct_id", "$insert_id", "p"]), st.booleans())
def test_no_message_holds_a_value(secret: str, name: str, listed: bool) -> None:
    value: Any = [secret] * 300 if listed else {"a": {"b": {"c": {"d": secret}}}}
    for found in violations(event(secret * 50, **{name: value}), NOW_MS):
        assert secret not in json.dumps(found)


@pytest.mark.parametrize(
    ("steps", "written"),
    [
        (("properties",), "properties"),
        (("properties", "a", 3, "b"), "properties.a[3].b"),
        (("properties", "x" * 300), f"properties.{'x' * 255}"),
    ],
)
def test_a_place_is_written_as_people_know_it(steps: tuple[Any, ...], written: str) -> None:
    assert path(*steps) == written
