import gzip
from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.config import ApiHabits, Limits
from app.sandbox.machine import Machine
from tests.unit.sandbox.calls import NOW_S, TOKEN, both, decoded, event, export, exported, send_import
from tests.unit.sandbox.doubles import START_S, MovedClock

DAY_S = 24 * 3600
JULY_S = 1_753_920_000  # 31 July 2025, 00:00 UTC


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=0, cohorts=0)


def at(second: int, name: str = "A") -> dict[str, object]:
    return event(name, time=second, **{"$insert_id": f"i-{second}"})


def test_an_event_is_read_back_with_its_properties(machine: Machine) -> None:
    send_import(machine, [event(time=JULY_S * 1000 + 5, plan="pro", n={"a": [1]})])

    assert exported(machine, time_in_ms="true") == [
        {
            "event": "Signed up",
            "properties": {
                "plan": "pro",
                "n": {"a": [1]},
                "time": JULY_S * 1000 + 5,
                "distinct_id": "u1",
                "$insert_id": "i-1",
                "mp_processing_time_ms": int(START_S * 1000),
            },
        }
    ]
    assert exported(machine)[0]["properties"]["time"] == JULY_S


def test_an_event_shows_its_persons_canonical_id_and_the_one_it_came_with(machine: Machine) -> None:
    sent = event(distinct_id=None, **{"$device_id": "d1", "$insert_id": "i-0"})
    send_import(machine, [sent])
    assert exported(machine)[0]["properties"]["distinct_id"] == "$device:d1"

    send_import(machine, [both("u1", "d1")])
    found = {one["properties"]["$insert_id"]: one["properties"] for one in exported(machine)}
    assert found["i-0"]["distinct_id"] == found["i-1"]["distinct_id"] == "u1"
    assert found["i-0"]["$distinct_id_before_identity"] == "$device:d1"
    assert "$distinct_id_before_identity" not in found["i-1"]


def test_both_dates_are_inclusive_and_events_are_in_order_of_time(machine: Machine) -> None:
    inside = [JULY_S, JULY_S + 5, JULY_S + 2 * DAY_S - 1]
    send_import(
        machine, [at(one) for one in (inside[2], JULY_S - 1, inside[0], JULY_S + 2 * DAY_S, inside[1])]
    )

    found = exported(machine, from_date="2025-07-31", to_date="2025-08-01")
    assert [one["properties"]["time"] for one in found] == inside


def test_names_and_a_limit_choose(machine: Machine) -> None:
    send_import(machine, [at(JULY_S + number, name) for number, name in enumerate("ABCA")])

    assert [one["event"] for one in exported(machine, event='["A","C"]')] == ["A", "C", "A"]
    assert [one["event"] for one in exported(machine, limit="2")] == ["A", "B"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from_date": ""}, "from_date"),
        ({"to_date": "31.07.2025"}, "to_date"),
        ({"to_date": "1970-01-01"}, "to_date"),
        ({"event": "A"}, "event"),
        ({"event": "[]"}, "event"),
        ({"event": '{"a": 1}'}, "event"),
        ({"limit": "0"}, "limit"),
        ({"limit": "100001"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"where": 'properties["a"] ~ 1'}, "where"),
    ],
)
def test_a_query_with_a_mistake_is_answered_400_with_a_sentence(
    machine: Machine, query: dict[str, Any], said: str
) -> None:
    answer = export(machine, **query)

    assert answer.status == 400
    assert decoded(answer)["error"].startswith(f"{said}: ")


def test_account_and_secret_read_and_the_token_does_not(machine: Machine) -> None:
    assert export(machine).status == 200
    assert export(machine, who=("sandbox-project-secret", "")).status == 200
    for who in (None, (TOKEN, ""), ("sandbox-account", "wrong")):
        assert export(machine, who=who).status == 401


def test_long_answers_are_packed_for_whoever_takes_them(machine: Machine) -> None:
    send_import(machine, [event(text="x" * 200)])
    assert export(machine, encoding="gzip").encoding is None
    send_import(machine, [at(NOW_S - 60 - number) for number in range(20)])

    packed = export(machine, encoding="gzip, deflate")
    assert packed.encoding == "gzip"
    assert gzip.decompress(packed.body) == export(machine).body


def test_there_are_three_exports_a_second_and_sixty_an_hour(machine: Machine, clock: MovedClock) -> None:
    assert [export(machine).status for _ in range(4)] == [200, 200, 200, 429]
    clock.advance(1)
    assert export(machine).status == 200
    machine.controls.limits = Limits(exports_an_hour=4)
    clock.advance(1)
    assert export(machine).status == 429
    clock.advance(3600)
    assert export(machine).status == 200


def test_it_can_show_every_arrival_as_mixpanels_own_does(machine: Machine) -> None:
    for _ in range(3):
        send_import(machine, [event()])
    assert len(exported(machine)) == 1

    machine.controls.api = ApiHabits(export="raw")
    assert len(exported(machine)) == 3


def test_no_events_are_an_empty_answer(machine: Machine) -> None:
    assert (export(machine).status, export(machine).body) == (200, b"")


def test_an_expression_chooses_events(machine: Machine) -> None:
    send_import(machine, [event(f"E{at}", **{"$insert_id": f"i-{at}", "n": at}) for at in range(6)])
    assert len(exported(machine, where='properties["n"] > 3')) == 2
    assert len(exported(machine, where='properties["n"] > 3', limit="1")) == 1
    assert len(exported(machine, where='properties["distinct_id"] == "u1"')) == 6


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_what_is_too_large_for_memory_is_a_stream(
    machine: Machine, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [event("E", **{"$insert_id": f"i-{at}", "n": f"{hash(str(at))}"}) for at in range(500)]
    send_import(machine, sent)
    whole = export(machine, encoding=encoding)
    monkeypatch.setattr("app.sandbox.api.export.IN_MEMORY_BYTES", 1000)
    streamed = export(machine, encoding=encoding)
    assert streamed.body == b""
    assert streamed.stream is not None
    with streamed.stream as stream:
        body = stream.read()
    if encoding:
        assert streamed.encoding == "gzip"
        assert gzip.decompress(body) == gzip.decompress(whole.body)
    else:
        assert body == whole.body
