"""What is shown of a page tells nothing of its people."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.page_masking import told_body

SECRET = "ada@example.com"
HEAD = {"mixpanel_project_id": "1", "mixpanel_cohort_id": 7, "page_info": {"total_pages": 1}}


def page(**changes: Any) -> dict[str, Any]:
    return {"action": "members", "parameters": {**HEAD, "members": [], **changes}}


def test_the_head_is_told_and_of_members_their_form() -> None:
    member = {"mixpanel_distinct_id": SECRET, "list": [1, None, True], "map": {"email": SECRET}}
    told = told_body(orjson.dumps(page(members=[member, SECRET])), masked=True)
    assert told == page(
        members=[
            {
                "mixpanel_distinct_id": "string(15)",
                "list": ["number", None, "boolean"],
                "map": {"email": "string(15)"},
            },
            "string(15)",
        ]
    )


@pytest.mark.parametrize(
    "document",
    [SECRET, [SECRET], {"parameters": SECRET}, {"parameters": {"email": SECRET}}, {"who": {"is": [SECRET]}}],
)
def test_what_is_not_known_is_masked(document: Any) -> None:
    body = orjson.dumps(document)
    assert SECRET.encode() not in orjson.dumps(told_body(body, masked=True))
    assert told_body(body, masked=False) == document


def test_what_is_no_json_is_told_as_text_or_not_at_all() -> None:
    assert told_body(b"{ada", masked=True) == "unreadable(4)"
    assert told_body(b"{ada\xff", masked=False) == "{ada\ufffd"


@pytest.mark.parametrize("masked", [True, False])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_was_taken_in_can_be_written(masked: bool, member: Any) -> None:
    for body in (
        json.dumps(page(members=[member])),
        json.dumps({"mixpanel_distinct_id": "\ud800", "a": member}),
    ):
        orjson.dumps(told_body(body.encode(), masked=masked))
