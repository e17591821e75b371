"""Reading a page: what is refused by name, what is forgiven, and that nobody pays for a bad neighbour."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cohorts.pages import InvalidPayload, PageHead, parse, usable_members

MEMBER = {"mixpanel_distinct_id": "u1", "email": "a@example.com", "first_name": "A", "last_name": None}
MISSING: Any = object()


def document(action: Any = "members", **changes: Any) -> dict[str, Any]:
    """A page as Mixpanel sends it; a change to MISSING leaves the parameter out."""
    parameters = {
        "mixpanel_project_id": "2195193",
        "mixpanel_cohort_id": "123",
        "mixpanel_cohort_name": "VIP",
        "mixpanel_cohort_description": "Big spenders",
        "mixpanel_session_id": "s-1",
        "page_info": {"total_pages": 3, "page_count": 2},
        "members": [MEMBER],
        **changes,
    }
    named = {key: value for key, value in parameters.items() if value is not MISSING}
    return {"action": action, "parameters": named}


def body(action: Any = "members", **changes: Any) -> bytes:
    return json.dumps(document(action, **changes)).encode()


def refused(sent: bytes) -> InvalidPayload:
    with pytest.raises(InvalidPayload) as caught:
        parse(sent)
    return caught.value


def head(**changes: Any) -> PageHead:
    return parse(body(**changes)).head


def test_names_and_descriptions_are_cut_where_they_are_too_long() -> None:
    found = head(mixpanel_cohort_name="é" * 300, mixpanel_cohort_description="d" * 300)
    assert (found.cohort_name, found.description) == ("é" * 255, "d" * 255)
    assert head(mixpanel_cohort_name="n" * 255).cohort_name == "n" * 255


def test_a_page_as_documented_is_read_whole() -> None:
    page = parse(body())
    assert page.head == PageHead(
        project_id="2195193",
        cohort_id="123",
        cohort_name="VIP",
        description="Big spenders",
        session_id="s-1",
        action="members",
        number=2,
        total=3,
    )
    assert page.members == [MEMBER]


@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
def test_each_action_is_known(action: str) -> None:
    assert parse(body(action)).head.action == action


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (b"", "body"),
        (b"hello", "body"),
        (b"[]", "body"),
        (b'"members"', "body"),
        (b"null", "body"),
        (b"\xff\xfe", "body"),
        (b'{"action": "members", "x": "\xf0\x9f\x98"}', "body"),
        (b"[" * 200_000, "body"),
        (b'{"a":' * 200_000, "body"),
        (b"{}", "action"),
        (body(None), "action"),
        (body(7), "action"),
        (body("MEMBERS"), "action"),
        (b'{"action": "members"}', "parameters"),
        (b'{"action": "members", "parameters": null}', "parameters"),
        (b'{"action": "members", "parameters": []}', "parameters"),
        (body(members=MISSING), "parameters.members"),
        (body(members=None), "parameters.members"),
        (body(members={}), "parameters.members"),
        (body(members="u1"), "parameters.members"),
        (body(page_info=[]), "parameters.page_info"),
        (body(page_info=2), "parameters.page_info"),
        (body(page_info={"page_count": True}), "parameters.page_info.page_count"),
        (body(page_info={"page_count": "two"}), "parameters.page_info.page_count"),
        (body(page_info={"page_count": "²"}), "parameters.page_info.page_count"),
        (body(page_info={"page_count": 1.5}), "parameters.page_info.page_count"),
        (body(page_info={"total_pages": -1}), "parameters.page_info.total_pages"),
        (body(page_info={"total_pages": 10**12}), "parameters.page_info.total_pages"),
        (body(page_info={"total_pages": [3]}), "parameters.page_info.total_pages"),
    ],
)
def test_what_is_no_page_is_refused_naming_the_field(sent: bytes, field: str) -> None:
    error = refused(sent)
    assert error.field == field
    assert error.message.startswith(field if field != "body" else "The body")


@pytest.mark.parametrize("name", ["mixpanel_project_id", "mixpanel_cohort_id", "mixpanel_session_id"])
@pytest.mark.parametrize("value", [MISSING, None, "", True, 1.0, [], {}, "x" * 256, 10**255])
def test_an_id_that_is_none_is_refused_naming_it(name: str, value: Any) -> None:
    assert refused(body(**{name: value})).field == f"parameters.{name}"


def test_the_first_fault_in_the_documented_order_is_the_one_that_is_named() -> None:
    assert refused(body("zap", mixpanel_project_id=None, members=None)).field == "action"
    assert refused(body(mixpanel_cohort_id=None, members=None)).field == "parameters.mixpanel_cohort_id"


@pytest.mark.parametrize(
    ("sent", "action"),
    [
        (body("add_members", members=None), "add_members"),
        (body("zap"), "zap"),
        (body("z" * 1000), "z" * 64),
        (body(7), None),
        (b"{}", None),
        (b"[]", None),
    ],
)
def test_a_refusal_keeps_the_action_as_far_as_it_could_be_read(sent: bytes, action: str | None) -> None:
    assert refused(sent).action == action


@pytest.mark.parametrize("value", [10**4000, "tok-3f9"])
def test_a_refusal_quotes_nothing_of_the_body(value: Any) -> None:
    assert str(value) not in refused(body("secret@example.com", mixpanel_project_id=value)).message
    assert "secret" not in refused(b'{"action": secret@example.com}').message


def test_ids_may_be_whole_numbers() -> None:
    found = head(mixpanel_project_id=2195193, mixpanel_cohort_id=0, mixpanel_session_id=2**70)
    assert (found.project_id, found.cohort_id) == ("2195193", "0")


@pytest.mark.parametrize(
    ("page_info", "number", "total"),
    [
        (MISSING, 1, 1),
        (None, 1, 1),
        ({}, 1, 0),
        ({"total_pages": 0, "page_count": 0}, 0, 0),
        ({"total_pages": 0, "page_count": 1}, 1, 0),
        ({"total_pages": None, "page_count": None}, 1, 0),
        ({"page_count": 4}, 4, 0),
        ({"total_pages": 4}, 1, 4),
        ({"total_pages": "4", "page_count": "02"}, 2, 4),
        ({"total_pages": 4.0, "page_count": 2.0}, 2, 4),
        ({"total_pages": 2, "page_count": 3, "next": "x"}, 3, 2),
    ],
)
def test_page_numbers_are_read_liberally(page_info: Any, number: int, total: int) -> None:
    found = head(page_info=page_info)
    assert (found.number, found.total) == (number, total)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (MISSING, ""),
        (None, ""),
        (["VIP"], ""),
        (True, ""),
        (2024, "2024"),
        ("", ""),
        ("Jürgen 😀", "Jürgen 😀"),
    ],
)
def test_a_cohorts_name_never_costs_its_page(sent: Any, name: str) -> None:
    found = head(mixpanel_cohort_name=sent, mixpanel_cohort_description=sent)
    assert (found.cohort_name, found.description) == (name, name)


def test_unknown_fields_are_ignored_everywhere() -> None:
    page = document(mixpanel_new_thing={"a": 1}, page_info={"total_pages": 1, "page_count": 1, "cursor": "x"})
    page["version"] = 3
    assert parse(orjson.dumps(page)).head.number == 1


def test_an_empty_page_is_a_page() -> None:
    assert parse(body("add_members", members=[])).members == []


def odd_page(member: bytes) -> bytes:
    good = b'{"mixpanel_distinct_id": "good", "email": "a@example.com"}'
    return body(members=[0]).replace(b"[0]", b"[" + member + b"," + good + b"]")


@pytest.mark.parametrize(
    "member",
    [
        rb'{"mixpanel_distinct_id": "odd", "first_name": "cut \ud83d"}',
        rb'{"mixpanel_distinct_id": "odd", "\udc00": {"deep": ["\udc00"]}}',
        b'{"mixpanel_distinct_id": "odd", "first_name": "cut \xed\xa0\xbd"}',
        b'{"mixpanel_distinct_id": "odd", "spent": NaN}',
        b'{"mixpanel_distinct_id": "odd", "spent": -Infinity}',
        b'{"mixpanel_distinct_id": "odd", "spent": 1e999}',
        b'{"mixpanel_distinct_id": "odd", "spent": 1' + b"0" * 5000 + b"}",
        b'{"mixpanel_distinct_id": "odd", "spent": NaN, "big": 1' + b"0" * 200 + b"}",
        b'{"mixpanel_distinct_id": "odd", "first_name": "tab\there"}',
        b'{"mixpanel_distinct_id": "odd", "inner": {"mixpanel_distinct_id": NaN}}',
    ],
)
def test_one_odd_value_costs_neither_its_member_nor_the_page(member: bytes) -> None:
    usable, quarantined = usable_members(parse(odd_page(member)).members)
    assert [distinct_id for distinct_id, _ in usable] == ["odd", "good"]
    assert quarantined == []
    assert orjson.loads(orjson.dumps(usable[0][1]))["mixpanel_distinct_id"] == "odd"


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999"])
def test_what_is_no_number_becomes_null(number: bytes) -> None:
    page = parse(odd_page(b'{"mixpanel_distinct_id": "odd", "spent": [' + number + b"]}"))
    assert page.members[0]["spent"] == [None]


def test_a_cut_emoji_becomes_the_replacement_character_and_a_pair_stays_itself() -> None:
    page = parse(odd_page(rb'{"mixpanel_distinct_id": "odd", "first_name": "\ud83d\ude00 \ud83d"}'))
    assert page.members[0]["first_name"] == "😀 \ufffd"


def test_a_cut_emoji_in_a_cohorts_name_costs_nothing() -> None:
    assert parse(body(mixpanel_cohort_name="VIP \ud83d")).head.cohort_name == "VIP \ufffd"


def test_a_cut_emoji_in_an_id_quarantines_that_member_alone() -> None:
    usable, quarantined = usable_members(parse(odd_page(rb'{"mixpanel_distinct_id": "\ud83d"}')).members)
    assert [distinct_id for distinct_id, _ in usable] == ["good"]
    assert [(found.index, found.reason) for found in quarantined] == [
        (0, "distinct_id_has_broken_characters")
    ]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**40, -(10**254 - 1)])
def test_a_large_number_as_an_id_keeps_all_its_digits(number: int) -> None:
    for spoiler in (b"", rb', "first_name": "\ud83d"'):
        member = b'{"mixpanel_distinct_id": ' + str(number).encode() + spoiler + b"}"
        usable, _ = usable_members(parse(odd_page(member)).members)
        if len(str(number)) <= 255:
            assert usable[0][0] == str(number)


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse(b"\xef\xbb\xbf" + body()).head.number == 2


ANY_JSON: st.SearchStrategy[Any] = st.deferred(
    lambda: st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters())),
        st.lists(ANY_JSON, max_size=4),
        st.dictionaries(st.text(max_size=8), ANY_JSON, max_size=4),
    )
)


@settings(max_examples=300)
@given(
    changes=st.dictionaries(
        st.sampled_from([*document()["parameters"], "other"]), ANY_JSON | st.just(MISSING), max_size=3
    ),
    member=ANY_JSON,
)
def test_any_json_is_read_or_refused_by_name_and_what_is_read_can_be_written(
    changes: dict[str, Any], member: Any
) -> None:
    sent = body(**{"members": [MEMBER, member], **changes})
    named: str | None = None
    try:
        members = parse(sent).members
    except InvalidPayload as err:
        members, named = [], err.field.split(".")[-1]
    assert named is None or named in {*changes, "page_count", "total_pages"}
    usable, quarantined = usable_members(members)
    assert len(usable) + len(quarantined) == len(members)
    for distinct_id, found in usable:
        assert 0 < len(distinct_id.encode()) <= 255
        orjson.dumps(found)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(sent: bytes) -> None:
    assert refused(sent).field in {"body", "action"}
