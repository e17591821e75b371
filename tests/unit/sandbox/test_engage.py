from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.call import Call, Fate
from app.sandbox.config import Limits
from app.sandbox.faults import Fault
from app.sandbox.machine import Machine
from tests.unit.sandbox.doubles import MovedClock

GOOD = {"$token": "sandbox-token", "$distinct_id": "u1", "$set": {"plan": "pro"}}
BAD = {"$token": "sandbox-token", "$distinct_id": "", "$set": {"plan": "pro"}}


def update(number: int) -> dict[str, Any]:
    return {"$token": "sandbox-token", "$distinct_id": f"p{number}", "$union": {"Cohorts": ["VIP"]}}


def post(
    machine: Machine, sent: Any, encoding: str = "", mimetype: str = "application/json", **query: str
) -> Any:
    body = sent if isinstance(sent, bytes) else orjson.dumps(sent)
    return machine.api.engage.answer(Call(Modes.of(query), body, mimetype, encoding))


def decoded(answer: Answer) -> Any:
    return orjson.loads(answer.body)


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=0, cohorts=0)


@pytest.mark.parametrize(
    ("sent", "body"), [([GOOD], b"1"), (GOOD, b"1"), ([BAD, GOOD], b"1"), ([BAD], b"0"), ([], b"0")]
)
def test_the_plain_answer_is_1_if_any_record_is_valid(machine: Machine, sent: Any, body: bytes) -> None:
    answer = post(machine, sent)

    assert (answer.status, answer.body, answer.content_type) == (200, body, "text/plain")


def test_verbose_alone_hides_bad_records_behind_one_good(machine: Machine) -> None:
    assert decoded(post(machine, [BAD, GOOD], verbose="1")) == {"status": 1, "error": None}


def test_verbose_without_a_valid_record_says_why(machine: Machine) -> None:
    assert decoded(post(machine, [BAD], verbose="1")) == {
        "status": 0,
        "error": "'$distinct_id' is invalid: missing or empty",
    }


@pytest.mark.parametrize("query", [{"strict": "1"}, {"strict": "1", "verbose": "1"}])
def test_strict_names_each_failed_record_and_applies_the_others(
    machine: Machine, query: dict[str, str]
) -> None:
    answer = post(machine, [GOOD, BAD, 7], **query)

    assert answer.status == 200
    assert decoded(answer) == {
        "code": 400,
        "status": "Bad Request",
        "error": "some data points in the request failed validation",
        "num_records_imported": 1,
        "failed_records": [
            {"index": 1, "field": "$distinct_id", "message": "'$distinct_id' is invalid: missing or empty"},
            {"index": 2, "field": "record", "message": "'record' is invalid: must be an object"},
        ],
    }
    assert machine.profiles.properties(["u1"])["u1"]["plan"] == "pro"


def test_strict_can_be_made_to_answer_400_as_import_does(machine: Machine) -> None:
    machine.controls.limits = Limits(strict_status=400)

    assert post(machine, [BAD], strict="1").status == 400
    assert post(machine, [GOOD], strict="1").status == 200


def test_strict_without_mistakes_counts_the_records(machine: Machine) -> None:
    assert decoded(post(machine, [GOOD], strict="1")) == {
        "code": 200,
        "num_records_imported": 1,
        "status": "OK",
    }


@pytest.mark.parametrize("body", [b"", b"   ", b"nonsense!", b'"text"', b"[]", b"7"])
def test_a_body_without_records_is_no_success_in_any_mode(machine: Machine, body: bytes) -> None:
    assert post(machine, body).body == b"0"
    assert decoded(post(machine, body, verbose="1"))["status"] == 0
    strict = decoded(post(machine, body, strict="1"))
    assert (strict["num_records_imported"], strict["code"]) == (0, 400)


def test_a_callback_wraps_the_answer_in_a_call(machine: Machine) -> None:
    answer = post(machine, [GOOD], callback="mp.done")

    assert (answer.body, answer.content_type) == (b"mp.done(1);", "text/javascript")


def test_a_callback_that_is_no_name_is_ignored(machine: Machine) -> None:
    assert post(machine, [GOOD], callback="alert(1)//").body == b"1"


@pytest.mark.parametrize(
    "body",
    [
        b"data=%5B%7B%22%24token%22%3A%22sandbox-token%22%2C%22%24distinct_id%22%3A%22u1%22%2C%22%24set%22%3A%7B%7D%7D%5D",
        b"data=eyIkdG9rZW4iOiJzYW5kYm94LXRva2VuIiwiJGRpc3RpbmN0X2lkIjoidTEiLCIkc2V0Ijp7fX0%3D",
        orjson.dumps([GOOD]),
    ],
)
def test_a_form_carries_records_in_data_plain_or_base64(machine: Machine, body: bytes) -> None:
    assert post(machine, body, mimetype="application/x-www-form-urlencoded").body == b"1"
    assert machine.profiles.count() == 1


def test_compressed_bodies_are_refused(machine: Machine) -> None:
    assert post(machine, [GOOD], encoding="gzip").status == 400
    assert machine.profiles.count() == 0


def test_a_wrong_token_is_accepted_and_goes_nowhere(machine: Machine) -> None:
    sent = GOOD | {"$token": "somebody-elses"}

    assert post(machine, [sent]).body == b"1"
    assert decoded(post(machine, [sent], strict="1"))["num_records_imported"] == 1
    assert machine.profiles.count() == 0
    assert machine.journal.counters()["engage_misdirected"] == 2


def test_ip_1_overwrites_the_location_and_ip_0_does_not(machine: Machine) -> None:
    post(machine, [GOOD | {"$set": {"$city": "Oslo"}}], ip="0")
    assert machine.profiles.properties(["u1"])["u1"]["$city"] == "Oslo"

    post(machine, [GOOD])
    assert machine.profiles.properties(["u1"])["u1"]["$city"] != "Oslo"


def test_records_of_one_profile_are_applied_in_order(machine: Machine) -> None:
    kinds: list[tuple[str, Any]] = [
        ("$delete", ""),
        ("$append", {"l": 1}),
        ("$append", {"l": 2}),
        ("$remove", {"l": 1}),
    ]
    post(
        machine,
        [
            GOOD,
            *({"$token": "sandbox-token", "$distinct_id": "u1", kind: operand} for kind, operand in kinds),
        ],
        ip="0",
    )

    assert machine.profiles.properties(["u1"]) == {"u1": {"l": [2]}}


def test_a_profile_that_would_have_too_many_properties_stays_as_it_is(machine: Machine) -> None:
    machine.controls.limits = Limits(max_properties=2)
    post(machine, [GOOD], ip="0")

    answer = decoded(post(machine, [GOOD | {"$set": {"a": 1, "b": 2}}], ip="0", strict="1"))

    assert answer["failed_records"][0]["field"] == "$set"
    assert machine.profiles.properties(["u1"]) == {"u1": {"plan": "pro"}}


@pytest.mark.parametrize(
    ("limits", "sent", "message"),
    [
        (Limits(max_updates=2), [GOOD] * 3, "request exceeds max limit of 2 updates"),
        (Limits(max_request_bytes=50), [GOOD], "request exceeds max limit of 50 bytes"),
    ],
)
def test_a_request_over_a_limit_is_answered_413(
    machine: Machine, limits: Limits, sent: Any, message: str
) -> None:
    machine.controls.limits = limits

    answer = post(machine, sent, strict="1")

    assert answer.status == 413
    assert decoded(answer) == {"code": 413, "error": message, "status": "Request Entity Too Large"}
    assert machine.profiles.count() == 0


def test_one_record_over_its_limit_fails_alone(machine: Machine) -> None:
    machine.controls.limits = Limits(max_record_bytes=200)

    answer = decoded(post(machine, [GOOD, GOOD | {"$set": {"a": "x" * 200}}], strict="1"))

    assert (answer["num_records_imported"], answer["failed_records"][0]["index"]) == (1, 1)


def test_records_beyond_the_rolling_minute_are_answered_429(machine: Machine, clock: MovedClock) -> None:
    machine.controls.limits = Limits(records_a_minute=3)
    assert post(machine, [GOOD] * 3).status == 200

    answer = post(machine, [GOOD])
    assert answer.status == 429
    assert decoded(answer)["code"] == 429
    clock.advance(60)
    assert post(machine, [GOOD]).status == 200


def test_bytes_beyond_the_rolling_minute_are_answered_429(machine: Machine, clock: MovedClock) -> None:
    machine.controls.limits = Limits(bytes_a_minute=100)

    assert [post(machine, [GOOD]).status for _ in range(2)] == [200, 429]
    clock.advance(60)
    assert post(machine, [GOOD]).status == 200


def test_a_request_at_a_limit_is_accepted(machine: Machine) -> None:
    machine.controls.limits = Limits(max_updates=2, max_request_bytes=len(orjson.dumps([GOOD, GOOD])))

    assert post(machine, [GOOD, GOOD]).status == 200


def test_failed_records_are_listed_by_index(machine: Machine) -> None:
    machine.controls.limits = Limits(max_properties=2)
    crowded = GOOD | {"$set": {"a": 1, "b": 2}}
    post(machine, [GOOD], ip="0")

    answer = decoded(post(machine, [crowded, BAD, crowded, BAD], ip="0", strict="1"))
    assert [failed["index"] for failed in answer["failed_records"]] == [0, 1, 2, 3]


def test_ten_threads_at_once_lose_no_update(machine: Machine) -> None:
    def send(thread: int) -> None:
        for _ in range(10):
            post(machine, [{"$token": "sandbox-token", "$distinct_id": "u1", "$add": {"n": 1}}], ip="0")
            post(machine, [update(thread)], ip="0")

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(send, range(10)))

    assert machine.profiles.properties(["u1"]) == {"u1": {"n": 100}}
    assert machine.profiles.count() == 11


@pytest.mark.parametrize(("status", "code"), [(503, "code"), (429, "code"), (401, "error"), (403, "error")])
def test_a_status_fault_strikes_as_often_as_asked(machine: Machine, status: int, code: str) -> None:
    machine.faults.add(Fault("api", "status", count=2, status=status, retry_after_s=3))

    answers = [post(machine, [GOOD]) for _ in range(3)]

    assert [answer.status for answer in answers] == [status, status, 200]
    assert code in decoded(answers[0])


def test_a_fault_after_applying_has_applied_the_batch(machine: Machine) -> None:
    machine.faults.add(Fault("api", "status", when="after"))
    assert post(machine, [GOOD]).status == 503
    assert machine.profiles.count() == 1


@pytest.mark.parametrize(("kind", "fate"), [("cut", Fate.CUT), ("timeout", Fate.HELD)])
@pytest.mark.parametrize(("when", "profiles"), [("before", 0), ("after", 1)])
def test_a_connection_fault_answers_nothing(
    machine: Machine, kind: str, fate: Fate, when: str, profiles: int
) -> None:
    machine.faults.add(Fault("api", kind, when=when))

    assert post(machine, [GOOD]) is fate
    assert machine.profiles.count() == profiles


def test_a_partial_fault_refuses_some_records_and_applies_the_rest(machine: Machine) -> None:
    machine.faults.add(Fault("api", "partial", records=3))

    answer = decoded(post(machine, [update(number) for number in range(10)], strict="1"))

    assert (len(answer["failed_records"]), answer["num_records_imported"]) == (3, 7)
    assert machine.profiles.count() == 7


def test_a_poisoned_id_fails_its_whole_batch_without_reasons(machine: Machine) -> None:
    machine.faults.add(Fault("api", "poison", count=None, distinct_ids=("p3",)))

    poisoned = post(machine, [update(2), update(3)], strict="1")
    assert (poisoned.status, "failed_records" in decoded(poisoned)) == (400, False)
    assert post(machine, [update(2)], strict="1").status == 200
    assert machine.profiles.count() == 1


def test_the_journal_holds_counts_and_no_personal_data(machine: Machine) -> None:
    post(machine, [GOOD, BAD], strict="1")

    entry = machine.journal.entries(1)[0]
    assert (entry["records"], entry["imported"], entry["refused"], entry["status"]) == (2, 1, 1, 200)
    assert "u1" not in str(entry)
