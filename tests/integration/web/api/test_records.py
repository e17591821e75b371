"""What can be wrong with a record, endpoint by endpoint and field by field: each fault names the field."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from app.lanes.work import OutboxName
from app.web.api.problems import MOST_FAULTS
from tests.integration.web.api.records import VALID, event, group, nested, profile
from tests.integration.web.api.relay import NDJSON, Relay, fault

Case = tuple[Any, str, str]
"""A record, and the field and the code of its fault."""
LONG = "x" * 256
CUT = "x" * 255


def each(
    values: Iterable[Any], field: str, code: str, make: Callable[[Any], Any] = lambda value: value
) -> list[Case]:
    """Give a case for each value."""
    return [(make(value), field, code) for value in values]


NO_OBJECTS: tuple[Any, ...] = (None, 1, "text", [], True)
NO_TEXTS: tuple[Any, ...] = (None, 1, True, [], {})
NO_NAMES: tuple[Any, ...] = (None, 1, "", " ", [])
EVENTS: list[Case] = [
    *each(NO_OBJECTS, "record", "event"),
    ({}, "event", "event_name"),
    ({"properties": {"distinct_id": "a"}}, "event", "event_name"),
    ({"event": "A"}, "properties", "properties"),
    *each((None, 1, "a", []), "properties", "properties", lambda value: {"event": "A", "properties": value}),
    *each((*NO_NAMES, LONG), "event", "event_name", event),
    *each(("$identify", "$create_alias", "$merge"), "event", "identity_event", event),
    ({**event(), "time": 1}, "time", "unknown_field"),
    ({"event": "A", "properties": {}}, "properties.distinct_id", "distinct_id"),
    *each(NO_TEXTS, "properties.distinct_id", "distinct_id", lambda value: event(distinct_id=value)),
    *each(
        ("null", "anonymous", "0"),
        "properties.distinct_id",
        "refused_id",
        lambda value: event(distinct_id=value),
    ),
    ({"event": "A", "properties": {"$user_id": 1}}, "properties.$user_id", "user_id"),
    ({"event": "A", "properties": {"$device_id": []}}, "properties.$device_id", "device_id"),
    ({"event": "A", "properties": {"$user_id": LONG}}, "properties.distinct_id", "distinct_id"),
    ({"event": "A", "properties": {"$user_id": "null"}}, "properties.distinct_id", "refused_id"),
    *each((None, "1", True, [], {}), "properties.time", "time", lambda value: event(time=value)),
    *each((0, -1, 31_535_999), "properties.time", "time_past", lambda value: event(time=value)),
    *each((4 * 10**9, 4 * 10**12), "properties.time", "time_future", lambda value: event(time=value)),
    *each(
        (None, 1, "", "a" * 37, "a_b", "é"),
        "properties.$insert_id",
        "insert_id",
        lambda value: event(__insert_id=value),
    ),
    (event(__insert_id="null"), "properties.$insert_id", "refused_id"),
    *each(("secret", None), "properties.token", "filled_by_relay", lambda value: event(token=value)),
    (event(__source="me"), "properties.$source", "filled_by_relay"),
    (event(__device_id="D", __user_id="U"), "properties.$device_id", "identity_link"),
    (event(**{f"p{number}": 1 for number in range(260)}), "properties", "properties"),
    (event(**{LONG: 1}), f"properties.{CUT}", "property_name"),
    (event(a=nested(5)), "properties.a.a.a.a", "nesting"),
    (event(a=nested(300)), "properties", "nesting"),
    (event(a=[1] * 255), "properties.a", "array_elements"),
    (event(a="x" * 1_048_500, b="y" * 100), "record", "size"),
]


def changes(make: Callable[..., Any]) -> list[Case]:
    """Give the cases of operations that profiles and groups share."""

    def operation(kind: str) -> Callable[[Any], Any]:
        return lambda value: make(**{kind: value})

    def of_property(kind: str) -> Callable[[Any], Any]:
        return lambda value: make(**{kind: {"a": value}})

    return [
        (make(), "record", "operation"),
        (make(__set={"a": 1}, __unset=["b"]), "record", "operation"),
        (make(__set={"a": 1}, __token="secret"), "$token", "filled_by_relay"),
        (make(__set={"a": 1}, a=1), "a", "unknown_field"),
        (make(__set={"a": 1}, __ip=0), "$ip", "unknown_field"),
        *each((None, 1, [], {}), "$set", "operation", operation("__set")),
        *each((None, 1, [], {}), "$set_once", "operation", operation("__set_once")),
        *each((None, 1, [], {}), "$union", "operation", operation("__union")),
        *each((None, 1, [], {}), "$remove", "operation", operation("__remove")),
        *each((None, "a", [], {}, [1], ["a", None]), "$unset", "operation", operation("__unset")),
        *each((False, 0, "no", [], {}), "$delete", "value", operation("__delete")),
        *each(
            (None, 1, "a", {}, [], [None], [True], [[1]], [{}]), "$union.a", "value", of_property("__union")
        ),
        *each(([1], {"b": 1}), "$remove.a", "value", of_property("__remove")),
        (make(__set={"": 1}), "$set", "property_name"),
        (make(__set={LONG: 1}), f"$set.{CUT}", "property_name"),
        (make(__unset=[LONG]), f"$unset.{CUT}", "property_name"),
        (make(__set={f"p{number}": 1 for number in range(2_001)}), "$set", "properties"),
        (make(__set={"a": nested(300)}), "record", "nesting"),
        (make(__set={"a": "x" * 1_048_576}), "record", "size"),
    ]


PROFILES: list[Case] = [
    *each(NO_OBJECTS, "record", "update"),
    ({"$set": {"a": 1}}, "$distinct_id", "distinct_id"),
    *each(
        NO_NAMES, "$distinct_id", "distinct_id", lambda value: profile(__distinct_id=value, __set={"a": 1})
    ),
    (profile(__distinct_id="null", __set={"a": 1}), "$distinct_id", "refused_id"),
    *changes(profile),
    *each((None, 1, [], {}), "$add", "operation", lambda value: profile(__add=value)),
    *each((None, "1", True, [], {}), "$add.a", "value", lambda value: profile(__add={"a": value})),
    *each((None, 1, [], {}), "$append", "operation", lambda value: profile(__append=value)),
]
GROUPS: list[Case] = [
    *each(NO_OBJECTS, "record", "update"),
    ({"$group_id": "a", "$set": {"a": 1}}, "$group_key", "group_key"),
    ({"$group_key": "a", "$set": {"a": 1}}, "$group_id", "group_id"),
    *each(NO_NAMES, "$group_key", "group_key", lambda value: group(__group_key=value, __set={"a": 1})),
    *each(NO_NAMES, "$group_id", "group_id", lambda value: group(__group_id=value, __set={"a": 1})),
    *changes(group),
    (group(__add={"a": 1}), "$add", "unknown_field"),
    (group(__append={"a": 1}), "$append", "unknown_field"),
]
CASES = [
    *(("events", *case) for case in EVENTS),
    *(("profiles", *case) for case in PROFILES),
    *(("groups", *case) for case in GROUPS),
]


@pytest.mark.parametrize(("name", "record", "field", "code"), CASES, ids=lambda value: str(value)[:60])
def test_a_wrong_record_is_refused_naming_the_field_and_a_right_one_beside_it_is_kept(
    relay: Relay, name: OutboxName, record: Any, field: str, code: str
) -> None:
    told = fault(relay.post(name, [record], key="1"), 422, "invalid_records")
    assert (told["index"], told["field"], told["code"]) == (0, field, code)
    assert relay.kept(name) == []

    answer = relay.post(name, [VALID[name], record, VALID[name]], key="2").get_json()
    assert answer["accepted"] == 2
    assert [(one["index"], one["field"], one["code"]) for one in answer["rejected"]] == [(1, field, code)]
    assert [len(submission) for submission in relay.kept(name)] == [2]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("events", event("somebody@example.com" + LONG)),
        ("events", event(distinct_id=["somebody@example.com"])),
        ("events", event(__insert_id="somebody@example.com")),
        ("events", event(time="somebody@example.com")),
        ("profiles", profile(__distinct_id=["somebody@example.com"], __set={"a": 1})),
        ("profiles", profile(__union={"a": "somebody@example.com"})),
        ("profiles", profile(__delete="somebody@example.com")),
        ("groups", group(__remove={"a": ["somebody@example.com"]})),
    ],
    ids=lambda value: str(value)[:60],
)
def test_neither_answer_nor_log_repeats_a_value(
    relay: Relay, lines: list[Any], name: OutboxName, record: Any
) -> None:
    answer = relay.post(name, [record])
    assert answer.status_code == 422
    assert "somebody" not in answer.text + str(lines)


HUGE = "x" * 5_000


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("events", {**event(), HUGE: 1}),
        ("events", event(**{HUGE: {HUGE: {HUGE: {HUGE: {HUGE: 1}}}}})),
        ("profiles", {"$distinct_id": "a", "$set": {"a": 1}, HUGE: 1}),
        ("profiles", profile(__add={HUGE: "a"})),
        ("profiles", profile(__union={HUGE: []})),
        ("groups", {**group(), HUGE: 1}),
        ("identity-links", {HUGE: 1}),
    ],
)
def test_a_name_of_any_length_makes_no_long_answer(relay: Relay, name: Any, record: Any) -> None:
    body = {"links": [record]} if name == "identity-links" else [record]
    answer = relay.post(name, body, key="k")
    assert answer.status_code == 422
    (wrong,) = answer.get_json()["errors"]
    assert len(wrong["field"]) <= 300
    assert len(answer.data) < 2_000


def test_any_number_of_unknown_fields_makes_no_long_answer(relay: Relay) -> None:
    body = {"links": [], **{f"{number} {'x' * 300}": 1 for number in range(5_000)}}
    for path in ("identity-links", "dead-letter-redrives"):
        relay.authorization = relay.token("admin")
        answer = relay.post(path, body)
        assert answer.status_code == 400
        assert len(answer.get_json()["errors"]) == MOST_FAULTS
        assert len(answer.data) < 700 * MOST_FAULTS


def test_a_record_as_a_whole_is_named_as_such(relay: Relay) -> None:
    for name, body in (
        ("events", [1]),
        ("profiles", [1]),
        ("groups", [[]]),
        ("identity-links", {"links": [1]}),
    ):
        assert fault(relay.post(name, body), 422, "invalid_records")["field"] == "record"
    answer = relay.post("events", b"{", headers={"Content-Type": NDJSON})
    assert fault(answer, 422, "invalid_records")["field"] == "record"
