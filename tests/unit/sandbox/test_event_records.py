from typing import Any

import pytest

from app.sandbox.api.event_records import Event, EventRules, check_event
from app.sandbox.api.records import REFUSED_IDS, RefusedRecordError
from app.sandbox.config import IdManagement, Limits
from tests.unit.sandbox.calls import NOW_S, event, identify, merge, verb

HOUR_S = 3600
NOW_MS = NOW_S * 1000


def rules(
    source: str = "import", system: IdManagement = "original", address: str | None = None
) -> EventRules:
    return EventRules(source, system, Limits(), NOW_MS, address)


def nested(depth: int) -> Any:
    return 1 if depth == 0 else {"a": nested(depth - 1)}


def many(count: int) -> dict[str, int]:
    return {f"p{number}": number for number in range(count)}


def checked(record: Any, given: EventRules) -> Event:
    found = check_event(record, given)
    assert isinstance(found, Event)
    return found


REFUSED: list[tuple[Any, str]] = [
    ("text", "event"),
    ({"properties": {}}, "event"),
    ({"event": "", "properties": {}}, "event"),
    ({"event": 7, "properties": {}}, "event"),
    ({"event": "A"}, "properties"),
    ({"event": "A", "properties": []}, "properties"),
    (event(time=None), "properties.time"),
    (event(time="yesterday"), "properties.time"),
    (event(time=True), "properties.time"),
    (event(time=NOW_S + 0.5), "properties.time"),
    (event(time=365 * 24 * HOUR_S - 1), "properties.time"),
    (event(time=-5), "properties.time"),
    (event(time=NOW_S + HOUR_S + 1), "properties.time"),
    (event(time=(NOW_S + HOUR_S) * 1000 + 1), "properties.time"),
    (event(distinct_id=None), "properties.distinct_id"),
    (event(distinct_id=["u1"]), "properties.distinct_id"),
    (event(distinct_id="ü" * 128), "properties.distinct_id"),
    (event(**{"$insert_id": None}), "properties.$insert_id"),
    (event(**{"$insert_id": ""}), "properties.$insert_id"),
    (event(**{"$insert_id": 7}), "properties.$insert_id"),
    (event(**{"$insert_id": "a" * 37}), "properties.$insert_id"),
    (event(**{"$insert_id": "a_b"}), "properties.$insert_id"),
    (event(**{"$insert_id": "ü"}), "properties.$insert_id"),
    (event(**{"$insert_id": "a\n"}), "properties.$insert_id"),
    (event(**many(251)), "properties"),
    (event(deep=nested(4)), "properties.deep"),
    (event(deep=[[nested(4)]]), "properties.deep"),
    (event(wide={"a": many(255)}), "properties.wide"),
    (event(long=[1] * 255), "properties.long"),
    (event(long={"a": [1] * 255}), "properties.long"),
    (verb("$identify"), "properties.$identified_id"),
    (verb("$identify", **{"$identified_id": "u1"}), "properties.$anon_id"),
    (verb("$create_alias", distinct_id="u1"), "properties.alias"),
    (verb("$create_alias", distinct_id="null", alias="a"), "properties.distinct_id"),
    (verb("$merge"), "properties.$distinct_ids"),
    (verb("$merge", **{"$distinct_ids": ["a", "b", "c"]}), "properties.$distinct_ids"),
    (verb("$merge", **{"$distinct_ids": ["a", "anon"]}), "properties.$distinct_ids"),
    (merge("a", "a"), "properties"),
    ({"event": "$identify", "properties": {"$identified_id": "u1", "$anon_id": "a"}}, "properties.token"),
]


@pytest.mark.parametrize(("sent", "field"), REFUSED)
def test_an_event_with_a_mistake_is_refused_naming_the_field(sent: Any, field: str) -> None:
    with pytest.raises(RefusedRecordError) as refused:
        check_event(sent, rules())

    assert refused.value.field == field
    assert refused.value.message.startswith(f"'{field}' is invalid: ")


@pytest.mark.parametrize("value", sorted(REFUSED_IDS))
@pytest.mark.parametrize("name", ["distinct_id", "$insert_id", "$user_id", "$device_id"])
def test_the_ids_on_mixpanels_list_are_refused_wherever_an_id_stands(name: str, value: str) -> None:
    with pytest.raises(RefusedRecordError) as refused:
        check_event(event(**{name: value}), rules(system="simplified"))

    assert refused.value.field == f"properties.{name}"


ACCEPTED = [
    event(),
    event(distinct_id=""),
    event(**{"$insert_id": "a" * 36}),
    event(**many(250)),
    event(deep=nested(3), lists=[[[[[nested(3)]]]]]),
    event(wide={"a": many(254)}),
    event(long=[1] * 254),
    event(nothing=None, truth=True, number=1.5),
    event(time=365 * 24 * HOUR_S),
    event(time=365 * 24 * HOUR_S * 1000),
    event(time=float(NOW_S)),
    event(time=NOW_S + HOUR_S),
]


@pytest.mark.parametrize("sent", ACCEPTED)
def test_an_event_at_a_limit_is_accepted(sent: dict[str, Any]) -> None:
    checked(sent, rules())


@pytest.mark.parametrize(
    ("given", "time_ms"),
    [
        (NOW_S - 60, NOW_MS - 60_000),
        (NOW_MS - 59_999, NOW_MS - 59_999),
        (NOW_S + 60, NOW_MS),
        (NOW_MS + 1, NOW_MS),
    ],
)
def test_a_time_is_seconds_or_milliseconds_and_one_in_the_future_becomes_now(
    given: int, time_ms: int
) -> None:
    assert checked(event(time=given), rules()).event.time_ms == time_ms


def test_strings_are_cut_at_255_characters_wherever_they_stand() -> None:
    long = "ü" * 300
    kept = checked(
        event(**{"a": long, "b": [long], "c": {"d": long, long: 2}, long: 1}), rules()
    ).event.properties

    cut = long[:255]
    assert kept == {"a": cut, "b": [cut], "c": {"d": cut, cut: 2}, cut: 1}


def test_what_has_a_column_of_its_own_and_the_token_are_no_properties() -> None:
    assert checked(event(plan="pro"), rules()).event.properties == {"plan": "pro"}


@pytest.mark.parametrize(
    ("ids", "distinct_id", "pair"),
    [
        ({"$user_id": "u2", "$device_id": "d1"}, "u2", ("$device:d1", "u2")),
        ({"$user_id": "u2", "$device_id": "$device:d1"}, "u2", ("$device:d1", "u2")),
        ({"$user_id": "u2"}, "u2", None),
        ({"$device_id": "d1"}, "$device:d1", None),
        ({"$user_id": "", "$device_id": "d1"}, "$device:d1", None),
        ({"$user_id": "$device:d2", "$device_id": "d1"}, "$device:d2", None),
        ({}, "u1", None),
    ],
)
@pytest.mark.parametrize("named", ["u1", "other"])
def test_in_a_simplified_project_user_and_device_decide_whose_an_event_is(
    ids: dict[str, str], distinct_id: str, pair: Any, named: str
) -> None:
    found = checked(event(distinct_id=named, **ids), rules(system="simplified"))

    assert (found.event.distinct_id, found.pair) == (distinct_id if ids else named, pair)


def test_a_distinct_id_that_a_user_overrides_must_be_valid_all_the_same() -> None:
    with pytest.raises(RefusedRecordError, match="distinct_id"):
        check_event(event(distinct_id="anon", **{"$user_id": "u2"}), rules(system="simplified"))


def test_a_simplified_project_needs_no_distinct_id_beside_a_user_or_a_device() -> None:
    sent = event(distinct_id=None, **{"$user_id": "u2"})
    assert checked(sent, rules(system="simplified")).event.distinct_id == "u2"
    for system in ("original", "legacy"):
        with pytest.raises(RefusedRecordError):
            check_event(sent, rules(system=system))


@pytest.mark.parametrize("system", ["original", "legacy"])
def test_elsewhere_user_and_device_are_properties_like_others(system: IdManagement) -> None:
    found = checked(event(**{"$user_id": "u2", "$device_id": "d1"}), rules(system=system))

    assert (found.event.distinct_id, found.pair) == ("u1", None)


def test_track_makes_up_what_import_requires() -> None:
    first, second = (
        checked(event(time=None, distinct_id=None, **{"$insert_id": None}), rules("track")).event
        for _ in range(2)
    )

    assert (first.time_ms, first.distinct_id) == (NOW_MS, "")
    assert first.insert_id != second.insert_id


def test_track_takes_the_address_for_a_missing_id_if_asked_to() -> None:
    sent = event(distinct_id=None)
    found = {checked(sent, rules("track", address=one)).event.distinct_id for one in ("a", "a", "b")}

    assert len(found) == 2
    assert "a" not in found


def test_track_needs_a_token() -> None:
    with pytest.raises(RefusedRecordError, match="token"):
        check_event(event(token=None), rules("track"))


def test_track_takes_any_time_ahead_for_now() -> None:
    assert checked(event(time=NOW_S + 10**6), rules("track")).event.time_ms == NOW_MS


def test_an_identity_verb_needs_neither_time_nor_insert_id() -> None:
    found = check_event(identify("u1", "anything"), rules())

    assert not isinstance(found, Event)
    assert (found.first, found.second) == ("u1", "anything")
