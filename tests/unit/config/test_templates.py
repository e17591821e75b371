from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.templates import (
    MISSING,
    PLACEHOLDERS,
    Context,
    Placeholder,
    Template,
    TemplateError,
    escape,
    members_used,
    names_used,
    of_member,
    parse,
    render,
)

CONTEXT = Context(
    project_id="2195193",
    cohort_id="77",
    cohort_name="VIP {gold}",
    session_id="s-1",
    time_ms=1_785_888_000_123,
    distinct_id="u1",
    member={"plan": "pro", "visits": 3, "tags": ["a"], "paid": True, "none": None, "a]{b}": "odd"},
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PARTS = st.lists(
    st.one_of(
        TEXTS.filter(bool),
        st.sampled_from(sorted(PLACEHOLDERS)).map(lambda name: Placeholder(name, None)),
        TEXTS.filter(bool).map(lambda name: Placeholder(f"member[{name}]", name)),
    ),
    max_size=6,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{project_id}/{cohort_id}/{session_id}/{distinct_id}", "2195193/77/s-1/u1"),
        ("{cohort_name}", "VIP {gold}"),
        ("{time}", "2026-08-05T00:00:00"),
        ("{{cohort_name}} {{}}", "{cohort_name} {}"),
        ("{{{cohort_id}}}", "{77}"),
        ("{member[visits]}", 3),
        ("{member[tags]}", ["a"]),
        ("{member[visits]} visits, {member[paid]}, {member[tags]}", '3 visits, true, ["a"]'),
        ("{member[a]{{b}}]}", "odd"),
        (["{cohort_id}", 1, None, True], ["77", 1, None, True]),
        ({"in {cohort_id}": {"plan": "{member[plan]}"}}, {"in 77": {"plan": "pro"}}),
        ("{member[absent]}", MISSING),
        ("{member[none]}", MISSING),
        ("Plan: {member[absent]}", MISSING),
        (["a", "{member[none]}"], MISSING),
        ({"a": {"b": "{member[absent]}"}}, MISSING),
        ({"{member[absent]}": 1}, MISSING),
    ],
)
def test_a_value_renders_as_documented(value: Any, expected: Any) -> None:
    assert render(value, CONTEXT) == expected
    compiled = Template(value)
    assert [compiled.render(CONTEXT), compiled.render(CONTEXT)] == [expected, expected]


@pytest.mark.parametrize(
    "text", ["{", "}", "a } b", "{cohort}", "{}", "{member[]}", "{member}", "{{a}", "{a}}"]
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(TemplateError):
        Template({"a": [text]})


@given(TEXTS)
def test_an_escaped_text_renders_as_itself(text: str) -> None:
    assert render(escape(text), CONTEXT) == text
    assert names_used(escape(text)) == frozenset()


@given(PARTS)
def test_parsing_finds_the_very_parts_that_a_template_was_written_from(
    parts: list[str | Placeholder],
) -> None:
    merged: list[str | Placeholder] = []
    for part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    assert parse("".join(_written(part) for part in parts)) == tuple(merged)


def _written(part: str | Placeholder) -> str:
    if isinstance(part, str):
        return escape(part)
    return of_member(part.member) if part.member is not None else f"{{{part.name}}}"


@given(TEXTS.filter(bool), st.one_of(st.integers(), st.booleans(), st.text(), st.lists(st.integers())))
def test_a_lone_member_property_keeps_its_type_whatever_its_name(name: str, value: Any) -> None:
    rendered = render(of_member(name), CONTEXT._replace(member={name: value}))
    assert rendered == value
    assert type(rendered) is type(value)


@given(TEXTS)
def test_any_text_either_compiles_or_is_refused_as_no_template(text: str) -> None:
    with suppress(TemplateError):
        assert Template(text).render(CONTEXT._replace(member={})) is not None


def test_a_rendered_value_follows_the_context_and_not_what_was_rendered_before() -> None:
    template = Template(["{cohort_name}", "{session_id}", "{time}"])
    other = CONTEXT._replace(cohort_name="Other", session_id="s-2", time_ms=0)
    assert template.render(CONTEXT) == ["VIP {gold}", "s-1", "2026-08-05T00:00:00"]
    assert template.render(other) == ["Other", "s-2", "1970-01-01T00:00:00"]
    assert template.render(CONTEXT) == ["VIP {gold}", "s-1", "2026-08-05T00:00:00"]


def test_what_does_not_depend_on_the_member_is_computed_once_a_change() -> None:
    template = Template({"a": ["{cohort_name}", "{time}"]})
    assert template.render(CONTEXT) is template.render(CONTEXT._replace(distinct_id="u2", member={}))


def test_a_template_names_its_placeholders() -> None:
    value = {"{cohort_name}": ["{member[plan]}", "{{distinct_id}}"]}
    assert names_used(value) == Template(value).names == {"cohort_name", "member[plan]"}
    assert members_used(value) == {"plan"}
