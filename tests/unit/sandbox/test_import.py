import gzip
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from app.sandbox.config import Limits
from app.sandbox.machine import Machine
from app.sandbox.store.events import Selection
from tests.unit.sandbox.calls import ACCOUNT, TOKEN, decoded, event, failures, send_import
from tests.unit.sandbox.doubles import MovedClock

GOOD = event()
BAD = event(time="never", **{"$insert_id": "i-bad"})


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=0, cohorts=0, id_management="original")


def batch(count: int) -> list[dict[str, Any]]:
    return [event(**{"$insert_id": f"i-{number}"}) for number in range(count)]


def test_a_good_batch_is_answered_with_its_count(machine: Machine) -> None:
    answer = send_import(machine, batch(3))

    assert answer.status == 200
    assert decoded(answer) == {"code": 200, "num_records_imported": 3, "status": "OK"}
    assert machine.events.count() == 3


def test_strict_names_each_failed_event_and_imports_the_others(machine: Machine) -> None:
    answer = send_import(machine, [GOOD, BAD, event(**{"$insert_id": "i-2"}), 7])

    assert answer.status == 400
    assert decoded(answer) == {
        "code": 400,
        "status": "Bad Request",
        "error": "some data points in the request failed validation",
        "num_records_imported": 2,
        "failed_records": [
            {
                "index": 1,
                "insert_id": "i-bad",
                "field": "properties.time",
                "message": "'properties.time' is invalid: must be specified as seconds since epoch",
            },
            {
                "index": 3,
                "insert_id": "",
                "field": "event",
                "message": "'event' is invalid: each event must be an object",
            },
        ],
    }
    assert [one.insert_id for one in machine.events.read(Selection(), "arrival", 9)] == ["i-1", "i-2"]


def test_without_strict_what_is_invalid_is_left_out_without_a_word(machine: Machine) -> None:
    answer = send_import(machine, [GOOD, BAD], strict="0")

    assert (answer.status, decoded(answer)["num_records_imported"]) == (200, 1)
    assert "failed_records" not in decoded(answer)


@pytest.mark.parametrize(
    ("who", "project_id"),
    [
        (ACCOUNT, "2195193"),
        ((TOKEN, ""), ""),
        ((TOKEN, ""), "2195193"),
        (("sandbox-project-secret", ""), ""),
    ],
)
def test_account_token_and_secret_may_import(machine: Machine, who: tuple[str, str], project_id: str) -> None:
    assert send_import(machine, [GOOD], who=who, project_id=project_id).status == 200


@pytest.mark.parametrize(
    ("who", "project_id"),
    [
        (None, "2195193"),
        (ACCOUNT, ""),
        (ACCOUNT, "1"),
        (("sandbox-account", "wrong"), "2195193"),
        (("sandbox-account", ""), "2195193"),
        ((TOKEN, "something"), "2195193"),
        (("somebody-elses", ""), ""),
        (("ü", "ü"), ""),
    ],
)
def test_nobody_else_may(machine: Machine, who: tuple[str, str] | None, project_id: str) -> None:
    answer = send_import(machine, [GOOD], who=who, project_id=project_id)

    assert answer.status == 401
    assert decoded(answer) == {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}
    assert machine.events.arrivals() == 0


def test_events_come_one_a_line_or_as_an_array_packed_or_not(machine: Machine) -> None:
    lines = b"\r\n".join(orjson.dumps(one) for one in batch(3)) + b"\n\n"
    assert decoded(send_import(machine, lines, mimetype="application/x-ndjson"))["num_records_imported"] == 3
    packed = gzip.compress(lines)
    answer = send_import(machine, packed, mimetype="application/x-ndjson", encoding="gzip")
    assert decoded(answer)["num_records_imported"] == 3
    assert send_import(machine, gzip.compress(orjson.dumps([GOOD])), encoding="gzip").status == 200


@pytest.mark.parametrize(
    ("body", "encoding", "mimetype"),
    [
        (b"", "", "application/json"),
        (b"[]", "", "application/json"),
        (orjson.dumps(GOOD), "", "application/json"),
        (b"[{", "", "application/json"),
        (b'{"event": "A"}\nnonsense', "", "application/x-ndjson"),
        (b"not packed", "gzip", "application/json"),
        (gzip.compress(b"[]", mtime=0)[:-9], "gzip", "application/json"),
        (orjson.dumps([GOOD]), "br", "application/json"),
    ],
)
@pytest.mark.parametrize("strict", ["0", "1"])
def test_a_body_without_events_is_answered_400(
    machine: Machine, body: bytes, encoding: str, mimetype: str, strict: str
) -> None:
    answer = send_import(machine, body, encoding=encoding, mimetype=mimetype, strict=strict)

    assert answer.status == 400
    assert (decoded(answer)["code"], decoded(answer)["num_records_imported"]) == (400, 0)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_events=2), "request exceeds max limit of 2 events"),
        (Limits(max_request_bytes=300), "request exceeds max limit of 300 bytes"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_request_over_a_limit_is_answered_413_by_its_unpacked_size(
    machine: Machine, limits: Limits, message: str, packed: bool
) -> None:
    machine.controls.limits = limits
    body = orjson.dumps(batch(3))

    answer = send_import(machine, gzip.compress(body) if packed else body, encoding="gzip" if packed else "")

    assert answer.status == 413
    assert decoded(answer) == {"code": 413, "error": message, "status": "Request Entity Too Large"}
    assert machine.events.arrivals() == 0


def test_a_request_at_a_limit_is_accepted(machine: Machine) -> None:
    body = orjson.dumps(batch(3))
    machine.controls.limits = Limits(max_events=3, max_request_bytes=len(body))

    assert send_import(machine, body).status == 200


def test_an_event_over_a_megabyte_fails_alone(machine: Machine) -> None:
    answer = send_import(machine, [GOOD, event(text="x" * 1024 * 1024)])

    assert failures(answer) == [(1, "record")]
    assert decoded(answer)["num_records_imported"] == 1


def test_events_beyond_the_rolling_minute_are_answered_429(machine: Machine, clock: MovedClock) -> None:
    machine.controls.limits = Limits(records_a_minute=3)
    assert send_import(machine, batch(3)).status == 200

    answer = send_import(machine, [GOOD])
    assert (answer.status, decoded(answer)["status"]) == (429, "Too Many Requests")
    clock.advance(60)
    assert send_import(machine, [GOOD]).status == 200


def test_two_thousand_events_take_well_under_a_second(machine: Machine) -> None:
    sent = orjson.dumps(batch(2000))
    started = time.monotonic()

    assert send_import(machine, sent).status == 200
    assert time.monotonic() - started < 1


def test_the_journal_holds_counts_and_no_personal_data(machine: Machine) -> None:
    send_import(machine, [event(distinct_id="somebody"), BAD])

    entry = machine.journal.entries(1)[0]
    assert (entry["path"], entry["records"], entry["imported"], entry["refused"]) == ("/import", 2, 1, 1)
    assert "somebody" not in str(entry)
    assert machine.journal.counters()["import_imported"] == 1
