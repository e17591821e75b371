"""What cannot be read to its end is no answer: whoever were missing would be removed."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mixpanel.errors import MixpanelError, Retryable, SessionExpired
from app.mixpanel.query_answers import Asked, ListedCohort, read_cohorts, read_members

ENTRY: dict[str, Any] = {"$distinct_id": "a", "$properties": {"plan": "pro", "$email": "a@x"}}
ANSWER: dict[str, Any] = {
    "page": 0,
    "page_size": 3,
    "results": [ENTRY],
    "session_id": "1-A",
    "status": "ok",
    "total": 1,
}
COHORT: dict[str, Any] = {
    "count": 150,
    "is_visible": 0,
    "description": "d",
    "created": "2019-03-19 23:49:51",
    "project_id": 1,
    "id": 1000,
    "name": "Cohort One",
}
FIRST = Asked(0)
SECOND = Asked(1, "1-A", 3)


def body(**changes: Any) -> bytes:
    return orjson.dumps({name: value for name, value in (ANSWER | changes).items() if value != "left out"})


def entry(distinct_id: Any, properties: Any = None) -> dict[str, Any]:
    return {"$distinct_id": distinct_id, "$properties": properties}


def test_members_come_with_what_was_asked_for_and_nothing_else() -> None:
    page = read_members(body(), Asked(0, output_properties=["plan", "city"]))
    assert (page.page, page.page_size, page.session_id, page.total) == (0, 3, "1-A", 1)
    assert page.members == [("a", {"plan": "pro"})]
    assert read_members(body(), FIRST).members == [("a", {})]


def test_the_documentations_own_answers_are_read() -> None:
    results = [entry(4, {"$created": "2008-12-12T11:20:47", "$email": "example@mixpanel.com"})]
    page = read_members(body(page_size=1000, results=results, session_id="1234567890-EXAMPL"), FIRST)
    assert (page.members, page.last) == ([("4", {})], True)
    assert read_cohorts(orjson.dumps([COHORT])) == [
        ListedCohort("1000", "Cohort One", 150, "d", visible=False, created="2019-03-19 23:49:51")
    ]


def test_only_a_page_that_is_shorter_than_it_could_be_is_the_last() -> None:
    full = read_members(body(results=[entry("a"), entry("b"), entry("c")], total=3), FIRST)
    assert not full.last
    assert read_members(body(page=1, results=[], total=3), SECOND).last


def test_entries_that_name_nobody_are_left_out_and_yet_fill_a_page() -> None:
    page = read_members(body(results=[entry(""), entry("b"), entry(None)], total=3), FIRST)
    assert (page.members, page.entries, page.last) == ([("b", {})], 3, False)


@pytest.mark.parametrize("total", [None, "left out", "many", 0, 2, 5])
def test_a_total_that_says_nothing_or_no_more_than_was_read_is_no_objection(total: Any) -> None:
    assert read_members(body(page=1, total=total, results=[entry("d"), entry("e")]), SECOND).last


@pytest.mark.parametrize(
    "changes",
    [
        {"page": 1},
        {"page": False},
        {"page": "left out"},
        {"page_size": "left out"},
        {"page_size": 0},
        {"page_size": True},
        {"results": "left out"},
        {"results": {}},
        {"results": [ENTRY] * 4},
        {"results": ["a"]},
        {"results": [{"$properties": {}}]},
        {"results": [entry(["a"])]},
        {"results": [entry(True)]},
        {"results": [entry(1.5)]},
        {"results": [entry("a", ["b"])]},
        {"total": 2},
        {"session_id": "left out"},
        {"session_id": ["1-A"]},
        {"status": "error"},
        {"status": 0},
        {"error": "Query timed out"},
    ],
)
def test_an_answer_that_is_not_whole_and_of_one_mind_is_asked_for_again(changes: dict[str, Any]) -> None:
    with pytest.raises(Retryable, match="could not be read"):
        read_members(body(**changes), FIRST)


@pytest.mark.parametrize("other", [{"session_id": "2-B"}, {"session_id": 2}, {"page_size": 2}])
def test_pages_of_two_sessions_are_never_put_together(other: dict[str, Any]) -> None:
    with pytest.raises(SessionExpired, match="anew, from page 0"):
        read_members(body(page=1, **other), SECOND)


def test_a_further_page_may_leave_the_session_out_and_a_number_is_a_name() -> None:
    assert read_members(body(page=1, session_id="left out"), SECOND).session_id == "1-A"
    assert read_members(body(session_id=17), FIRST).session_id == "17"


@pytest.mark.parametrize(
    "changes", [{"id": None}, {"id": ""}, {"id": True}, {"count": None}, {"count": -1}, {"count": "150"}]
)
def test_a_list_with_a_cohort_that_cannot_be_read_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(Retryable, match="could not be read"):
        read_cohorts(orjson.dumps([COHORT, COHORT | changes]))


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"error": "no"}', b"[1]", b"null", b'[{"id": 1, "cou'])
def test_whatever_is_no_list_is_asked_for_again(raw: bytes) -> None:
    with pytest.raises(Retryable, match="could not be read"):
        read_cohorts(raw)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*ANSWER, *ENTRY]), inner),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(ANSWER, anything)) | anything)
def test_no_answer_whatever_breaks_the_reader(answer: Any) -> None:
    changed = ANSWER | answer if isinstance(answer, dict) else answer
    for asked in (FIRST, SECOND):
        try:
            page = read_members(orjson.dumps(changed), asked)
        except MixpanelError:
            continue
        assert page.page == asked.page
        assert len(page.members) <= page.entries <= page.page_size


@given(st.integers(0, len(body()) - 1))
def test_no_beginning_of_an_answer_passes_for_the_whole(length: int) -> None:
    with pytest.raises(Retryable):
        read_members(body()[:length], FIRST)
