from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.event_shape import MAX_DEPTH, MAX_ELEMENTS, MAX_PROPERTIES, misshapes
from config.events import FILLED, MAX_OWN_PROPERTIES, Event
from config.rules import Rule, RuleSet
from config.templates import Context, escape

from .conftest import Load, Problems
from .test_projects_file import ENVIRON, HEAD

CONTEXT = Context("1", "77", "VIP", "s", 1_785_888_000_123, "u1", {"plan": "pro", "visits": 3, "gone": None})
PLACE = "projects[0].rules[0].enter.event"


def test_an_event_stands_beside_operations_and_alone(load: Load) -> None:
    rules = """
    rules:
      - enter:
          $set: {VIP: true}
          event: {name: "Entered {cohort_name}", properties: {Plan: "{member[plan]}"}}
        exit: {event: {name: Left}}
      - update: {event: {name: Changed}}
"""
    one, two = load(HEAD + rules, **ENVIRON).projects["1"].rules.rules
    assert [operation.kind for operation in one.enter] == ["$set"]
    assert one.enter_event == Event("Entered {cohort_name}", {"Plan": "{member[plan]}"})
    assert (one.exit, one.exit_event, one.update_event) == ((), Event("Left"), None)
    assert two == Rule(update_event=Event("Changed"))


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("Entered", f"{PLACE}: must be an object with a name"),
        ("", f"{PLACE}: must be an object with a name"),
        ("{}", f"{PLACE}.name: is missing"),
        ("{name: }", f"{PLACE}.name: the name of an event must be text"),
        ("{name: ' '}", f"{PLACE}.name: the name of an event must be text"),
        ("{name: 5}", f"{PLACE}.name: the name of an event must be text"),
        (f"{{name: {'x' * 256}}}", f"{PLACE}.name: the name of an event has at most 255 characters"),
        ('{name: "In {cohort}"}', f"{PLACE}.name: unknown placeholder {{cohort}}"),
        ("{name: $identify}", f"{PLACE}.name: $identify would link identities"),
        ("{name: $create_alias}", f"{PLACE}.name: $create_alias would link identities"),
        ("{name: $merge}", f"{PLACE}.name: $merge would link identities"),
        ("{name: a, property: {}}", f"{PLACE}.property: unknown field; known are name, properties"),
        ("{name: a, properties: [b]}", f"{PLACE}.properties: must be an object"),
        ("{name: a, properties: }", f"{PLACE}.properties: must be an object"),
        ("{name: a, properties: {5: b}}", f"{PLACE}.properties.5: a property name must be text"),
        ("{name: a, properties: {b: }}", f"{PLACE}.properties.b: is empty"),
        ("{name: a, properties: {b: [{c: '{'}]}}", f"{PLACE}.properties.b[0].c: a lone '{{'"),
        ("{name: a, properties: {time: 1}}", f"{PLACE}.properties.time: is filled by the relay"),
        ("{name: a, properties: {distinct_id: x}}", f"{PLACE}.properties.distinct_id: is filled by"),
        ("{name: a, properties: {$insert_id: x}}", f"{PLACE}.properties.$insert_id: is filled by"),
        ("{name: a, properties: {$source: x}}", f"{PLACE}.properties.$source: is filled by"),
        ("{name: a, properties: {$device_id: x}}", f"{PLACE}.properties.$device_id: is filled by"),
        ("{name: a, properties: {token: x}}", f"{PLACE}.properties.token: cannot be part of"),
        ("{name: a, properties: {$user_id: x}}", f"{PLACE}.properties.$user_id: cannot be part of"),
        ("{name: a, properties: {$anon_id: x}}", f"{PLACE}.properties.$anon_id: cannot be part of"),
        (
            "{name: a, properties: {b: {c: {d: {e: {f: 1}}}}}}",
            f"{PLACE}.properties.b.c.d.e: is nested more than 3 deep",
        ),
        (
            f"{{name: a, properties: {{b: {list(range(255))}}}}}",
            f"{PLACE}.properties.b: has more than 254 elements",
        ),
        (
            f"{{name: a, properties: {{b: {{{', '.join(f'p{n}: 1' for n in range(255))}}}}}}}",
            f"{PLACE}.properties.b: has more than 254 properties",
        ),
        (
            f"{{name: a, properties: {{{', '.join(f'p{n}: 1' for n in range(250))}}}}}",
            f"{PLACE}.properties: has more than 249 properties",
        ),
    ],
)
def test_a_wrong_event_is_refused_with_its_path(problems: Problems, event: str, problem: str) -> None:
    (found,) = problems(f"{HEAD}    rules: [{{enter: {{event: {event}}}}}]", **ENVIRON)
    assert problem in found
    assert found.endswith("(p.yaml, line 6)")


def test_an_event_at_every_static_limit_is_taken(load: Load) -> None:
    many = ", ".join(f"p{n}: 1" for n in range(MAX_OWN_PROPERTIES - 2))
    own = f"{{b: {{c: {{d: {{f: 1}}}}}}, e: {list(range(MAX_ELEMENTS))}, {many}}}"
    rules = f"    rules: [{{enter: {{event: {{name: {'x' * 255}, properties: {own}}}}}}}]"
    event = load(HEAD + rules, **ENVIRON).projects["1"].rules.rules[0].enter_event
    assert event is not None
    assert len(event.properties) + len(FILLED) == MAX_PROPERTIES


def test_an_event_of_an_exit_knows_nothing_of_the_member(problems: Problems) -> None:
    event = '{name: "{member[a]}", properties: {"{member[b]}": 1, c: ["{member[c]}"]}}'
    found = problems(f"{HEAD}    rules: [{{exit: {{event: {event}}}}}]", **ENVIRON)
    assert [problem.split(": {member[...]} cannot be used on exit")[0] for problem in found] == [
        "projects[0].rules[0].exit.event.name",
        "projects[0].rules[0].exit.event.properties.{member[b]}",
        "projects[0].rules[0].exit.event.properties.c[0]",
    ]


def test_the_deletion_of_a_profile_stands_beside_an_event_but_no_operation(
    load: Load, problems: Problems
) -> None:
    rule = "{exit: {$delete: true, event: {name: Gone}}}"
    assert load(f"{HEAD}    rules: [{rule}]", **ENVIRON).projects["1"].rules.has_events
    (found,) = problems(f"{HEAD}    rules: [{rule.replace('event: {', '$set: {')}]", **ENVIRON)
    assert "exit.$delete: deletes the whole profile" in found


def rendered(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    return Event(name, properties).rendered(CONTEXT)


def test_a_property_that_lacks_its_member_value_is_left_out_and_the_event_is_not() -> None:
    properties = {"Plan": "{member[plan]}", "Gone": "{member[gone]}", "No": ["{member[no]}"], "At": "{time}"}
    assert rendered("Entered {cohort_name}", properties) == (
        "Entered VIP",
        {"Plan": "pro", "At": "2026-08-05T00:00:00"},
    )


def test_an_event_whose_name_lacks_its_member_value_is_none() -> None:
    assert rendered("Plan {member[gone]}", {}) is None
    assert rendered("{member[visits]}", {"{member[visits]} visits": 1}) == ("3", {"3 visits": 1})


@pytest.mark.parametrize(
    ("name", "properties", "personal"),
    [
        ("Entered {cohort_name}", {"At": "{time}", "{session_id}": "{project_id}"}, False),
        ("Entered", {"Id": "{distinct_id}"}, True),
        ("Entered", {"{member[plan]}": 1}, True),
        ("{member[plan]}", {}, True),
    ],
)
def test_an_event_knows_whether_it_differs_between_members(
    name: str, properties: dict[str, Any], personal: bool
) -> None:
    assert Event(name, properties).personal is personal


def test_the_order_of_properties_in_the_file_makes_no_difference() -> None:
    one, other = Event("e", {"a": 1, "b": 2}), Event("e", {"b": 2, "a": 1})
    assert list(one.rendered(CONTEXT) or ()) == list(other.rendered(CONTEXT) or ())
    assert list((one.rendered(CONTEXT) or ("", {}))[1]) == list((other.rendered(CONTEXT) or ("", {}))[1])
    assert RuleSet((Rule(enter_event=one),)).digest == RuleSet((Rule(enter_event=other),)).digest


def test_what_events_need_is_exported_but_not_what_an_exit_would() -> None:
    rule = Rule(
        enter_event=Event("{member[a]}", {"{member[b]}": ["{member[c]}"]}),
        update_event=Event("x", {"d": "{member[d]}"}),
        exit_event=Event("x", {"e": "{cohort_id}"}),
    )
    assert rule.exported() == {"a", "b", "c", "d"}


SCALARS = st.one_of(st.integers(), st.booleans(), st.none(), st.text(max_size=3))


def nested(depth: int, inner: Any) -> Any:
    """Wrap a value in so many objects, each in a list."""
    for _ in range(depth):
        inner = [{"k": inner}]
    return inner


@given(st.integers(0, MAX_DEPTH + 3), SCALARS)
def test_nesting_is_found_beyond_its_limit_and_only_there(depth: int, inner: Any) -> None:
    found = [found.rule for found in misshapes({"a": nested(depth, inner)})]
    assert found == (["nesting"] if depth > MAX_DEPTH else [])


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, MAX_DEPTH + 2, 900])
def test_lists_within_lists_are_nested_too(depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    assert [found.rule for found in misshapes({"a": value})] == (["nesting"] if depth > MAX_DEPTH + 1 else [])


@given(st.integers(MAX_ELEMENTS - 2, MAX_ELEMENTS + 2), st.integers(0, MAX_DEPTH), SCALARS)
def test_a_long_list_is_found_however_deep_it_stands(elements: int, depth: int, item: Any) -> None:
    found = [found.rule for found in misshapes({"a": nested(depth, [item] * elements)})]
    assert found == (["array_elements"] if elements > MAX_ELEMENTS else [])


@given(st.integers(MAX_PROPERTIES - 2, MAX_PROPERTIES + 2), st.integers(0, MAX_DEPTH - 1))
def test_too_many_properties_are_found_however_deep_they_stand(number: int, depth: int) -> None:
    many = {f"p{n}": n for n in range(number)}
    found = [found.rule for found in misshapes({"a": nested(depth, many)} if depth else many)]
    assert found == (["properties"] if number > MAX_PROPERTIES else [])


@given(st.integers(253, 257), st.booleans())
def test_too_long_a_name_is_found_also_within_an_object(length: int, inside: bool) -> None:
    named = {"x" * length: 1}
    found = [found.rule for found in misshapes({"a": named} if inside else named)]
    assert found == (["property_name"] if length > 255 else [])


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_any_name_can_be_written_as_a_template(name: str) -> None:
    assert Event(escape(name)).rendered(CONTEXT) == (name, {})
