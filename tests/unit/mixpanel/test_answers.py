import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mixpanel import answers
from app.mixpanel.errors import Retryable
from app.mixpanel.results import BatchResult

TOKEN = "4f2ac9b0e1d24c7f8a6b5c4d3e2f1a0b"


def read(status: int, body: Any, records: int = 10) -> BatchResult:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return answers.read(status, raw, records, answers.redactor(TOKEN))


@pytest.mark.parametrize(
    "body",
    [
        b"1",
        b" 1\n",
        {"status": 1},
        {"status": 1, "error": None},
        {"status": 1, "error": ""},
        {"code": 200, "status": "OK"},
        {"code": 200, "status": "OK", "num_records_imported": 10},
        {"error": None, "num_good_events": 10, "status": 1},
        {"code": 200, "status": "OK", "failed_records": []},
    ],
)
def test_every_shape_of_success_accepts_all_records(body: Any) -> None:
    assert read(200, body) == BatchResult(10)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"0"),
        (200, {"status": 0, "error": "token, missing or empty"}),
        (200, {"status": 0}),
        (200, {"error": "something", "status": "error"}),
        (200, {"code": 400, "status": "Bad Request", "error": "invalid"}),
        (200, {"code": 200, "status": 0}),
        (400, {"code": 400, "error": "invalid", "status": "Bad Request"}),
        (400, {"code": 400, "failed_records": [], "num_records_imported": 0}),
        (400, {"status": 1}),
        (400, b"0"),
        (400, b"1"),
        (400, b"<html>Bad Request</html>"),
        (400, b""),
    ],
)
def test_a_refusal_without_names_leaves_every_record_unsettled(status: int, body: Any) -> None:
    result = read(status, body)
    assert (result.accepted, result.failures, result.unsettled) == (0, (), 10)
    assert result.reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"2",
        b"true",
        b"[]",
        b"null",
        b'"1"',
        b"{",
        b"\xff\xfe",
        {},
        {"status": True},
        {"status": 7},
    ],
)
def test_a_200_that_cannot_be_read_is_tried_again_as_its_outcome_is_unknown(body: Any) -> None:
    with pytest.raises(Retryable) as caught:
        read(200, body)
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_200_whose_body_reports_a_server_error_is_tried_again(code: int) -> None:
    with pytest.raises(Retryable):
        read(200, {"code": code, "status": "error", "error": "internal"})


@pytest.mark.parametrize("status", [200, 400])
def test_records_refused_by_name_fail_and_the_others_are_accepted(status: int) -> None:
    result = read(
        status,
        {
            "code": 400,
            "status": "Bad Request",
            "num_records_imported": 8,
            "failed_records": [
                {"index": 7, "message": "too many properties"},
                {"index": 2, "field": "$distinct_id", "message": "is not allowed"},
            ],
        },
    )
    assert result.accepted == 8
    assert result.unsettled == 0
    assert [(failure.index, failure.reason) for failure in result.failures] == [
        (2, "$distinct_id: is not allowed"),
        (7, "too many properties"),
    ]
    assert orjson.loads(result.failures[1].response) == {"index": 7, "message": "too many properties"}


def test_names_beside_a_status_of_1_are_believed() -> None:
    result = read(200, {"status": 1, "failed_records": [{"index": 0, "message": "bad"}]})
    assert (result.accepted, len(result.failures), result.unsettled) == (9, 1, 0)


@pytest.mark.parametrize("index", [-1, 10, 2**70, 1.5, "x", "3", None, True, [], {}])
def test_a_failure_that_names_none_of_our_records_leaves_the_others_unsettled(index: Any) -> None:
    entries = [{"index": 4, "message": "bad"}, {"index": index, "message": "bad"}]
    body = json.dumps({"code": 400, "failed_records": entries}).encode()
    result = read(400, body)
    assert [failure.index for failure in result.failures] == [4]
    assert (result.accepted, result.unsettled) == (8, 1)


@pytest.mark.parametrize("entries", [None, "x", {"index": 1}, 3])
def test_failed_records_of_another_type_are_no_names(entries: Any) -> None:
    assert read(400, {"code": 400, "failed_records": entries}).unsettled == 10


def test_entries_that_are_no_objects_name_nothing() -> None:
    result = read(400, {"code": 400, "failed_records": [1, "2", None, [3]]})
    assert (result.failures, result.unsettled) == ((), 4)


def test_a_record_named_twice_fails_once() -> None:
    entries = [{"index": 1, "message": "first"}, {"index": 1.0, "message": "second"}]
    result = read(400, {"code": 400, "failed_records": entries})
    assert [(failure.index, failure.reason) for failure in result.failures] == [(1, "first")]
    assert result.accepted == 9


def test_a_count_below_the_rest_leaves_the_difference_unsettled() -> None:
    result = read(
        400, {"code": 400, "num_records_imported": 0, "failed_records": [{"index": 1, "message": "bad"}]}
    )
    assert (result.accepted, len(result.failures), result.unsettled) == (0, 1, 9)


def test_a_success_that_counts_fewer_records_is_not_believed_for_all() -> None:
    assert read(200, {"code": 200, "status": "OK", "num_records_imported": 9}).unsettled == 1


@pytest.mark.parametrize("count", [11, -1, "10", None, 1.0, True])
def test_a_count_that_cannot_be_true_is_ignored(count: Any) -> None:
    assert read(200, {"status": 1, "num_good_events": count}) == BatchResult(10)


def test_a_single_record_needs_no_name_to_be_refused() -> None:
    result = read(200, {"status": 0, "error": "token, missing or empty"}, records=1)
    assert (result.accepted, result.unsettled) == (0, 0)
    assert [(failure.index, failure.reason) for failure in result.failures] == [
        (0, "token, missing or empty")
    ]


def test_what_is_kept_of_an_answer_is_short_on_one_line_and_without_the_token() -> None:
    message = f"bad token {TOKEN}\r\n" + "x" * 5_000
    result = read(
        400, {"code": 400, "error": message, "failed_records": [{"index": 0, "message": message}, {}]}
    )
    kept = [result.reason, result.response, result.failures[0].reason, result.failures[0].response]
    assert all(TOKEN not in text and "\n" not in text and "\r" not in text for text in kept)
    assert [len(text) for text in kept] == [200, 500, 200, 500]


def test_a_token_at_the_cut_leaves_no_part_behind() -> None:
    for before in range(150, 210):
        result = read(400, {"code": 400, "failed_records": [{"index": 0, "message": "y" * before + TOKEN}]})
        assert TOKEN[:4] not in result.failures[0].reason


def test_a_secret_is_found_in_the_form_that_json_gives_it() -> None:
    redact = answers.redactor('qu"ote')
    assert redact(orjson.dumps({"m": 'qu"ote'}).decode()) == '{"m":"***"}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1000) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
answer_objects = st.fixed_dictionaries(
    {},
    optional={
        "code": json_values | st.sampled_from([200, 400, 500]),
        "status": json_values | st.sampled_from(["OK", "Bad Request", 0, 1]),
        "error": json_values,
        "num_records_imported": json_values,
        "failed_records": st.lists(st.fixed_dictionaries({"index": st.integers(-2, 12)}) | json_values)
        | json_values,
    },
)


@given(
    status=st.sampled_from([200, 400]),
    body=st.binary(max_size=20) | json_values.map(orjson.dumps) | answer_objects.map(orjson.dumps),
    records=st.integers(1, 10),
)
def test_whatever_is_answered_each_record_is_accounted_for_exactly_once(
    status: int, body: bytes, records: int
) -> None:
    try:
        result = read(status, body, records)
    except Retryable:
        assert status == 200
        return
    indices = [failure.index for failure in result.failures]
    assert len(set(indices)) == len(indices)
    assert all(0 <= index < records for index in indices)
    assert result.accepted >= 0
    assert result.unsettled >= 0
    assert result.accepted + len(indices) + result.unsettled == records
    assert records > 1 or result.unsettled == 0
