import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.changelog import ChangeLog, Entry
from app.destinations.dead_letters import DeadLetter
from app.destinations.events.plan import plan
from app.destinations.events.source import EventsSource
from app.destinations.plan import Plan
from app.destinations.source import Delivery
from app.mixpanel.event_limits import violations
from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.violations import MAX_RECORD_BYTES
from config.event_shape import MAX_PROPERTIES
from config.events import MAX_OWN_PROPERTIES, Event
from config.projects import HOSTS, Project
from config.rules import Operation, Rule, RuleSet
from config.secret import Secret
from config.templates import escape
from tests.unit.destinations.entries import entry

NOW_MS = 1_767_225_600_000  # the entries' own time
PROJECT = Project("p1", "Shop", "eu", Secret("token-1"), HOSTS["eu"], webhook_credentials=())
ALL = Rule(
    enter_event=Event("Entered {cohort_name}", {"Plan": "{member[plan]}", "At": "{time}"}),
    exit_event=Event("Left {cohort_name}"),
    update_event=Event("Changed", {"Cohort": "{cohort_id}"}),
)


def planned(entries: Sequence[Entry], *rules: Rule, project: Project = PROJECT, now_ms: int = NOW_MS) -> Plan:
    return plan(project, entries, RuleSet(rules or (ALL,)), now_ms)


def records(result: Plan) -> list[bytes]:
    assert len(result.rounds) <= 1
    return [record for one in result.rounds for record in one.records]


def told(result: Plan) -> list[tuple[str, str]]:
    """Which event was told about whom, in order."""
    events = [json.loads(record) for record in records(result)]
    return [(event["event"], event["properties"]["distinct_id"]) for event in events]


def properties(result: Plan) -> dict[str, Any]:
    (record,) = records(result)
    found: dict[str, Any] = json.loads(record)["properties"]
    return found


def letters(result: Plan) -> list[tuple[str, str]]:
    return [(letter.code, letter.reason) for letter in result.given_up]


def only(result: Plan) -> DeadLetter:
    assert records(result) == []
    (letter,) = result.given_up
    return letter


def test_an_event_carries_what_the_rule_says_and_what_makes_it_one() -> None:
    result = planned([entry(7, entered={"u1": {"plan": "pro"}})])
    (record,) = records(result)
    event = json.loads(record)
    insert_id = event["properties"].pop("$insert_id")
    assert event == {
        "event": "Entered VIP",
        "properties": {
            "Plan": "pro",
            "At": "2026-01-01T00:00:00",
            "$source": "cohort-relay",
            "time": NOW_MS,
            "distinct_id": "u1",
        },
    }
    assert insert_id.isalnum()
    assert len(insert_id) <= 36


def test_the_projects_integration_id_is_the_source() -> None:
    project = replace(PROJECT, integration_id="my-company")
    assert properties(planned([entry(exited=["u"])], project=project))["$source"] == "my-company"


def test_nothing_is_added_that_no_rule_says() -> None:
    assert set(properties(planned([entry(exited=["u"])]))) == {"$source", "time", "distinct_id", "$insert_id"}


@pytest.mark.parametrize("cause", ["sync", "taken_back", "reconcile"])
def test_each_way_has_its_event_and_exits_come_first(cause: str) -> None:
    changed = entry(cause=cause, entered={"e": {"plan": 1}}, exited=["x"], updated={"u": {}})
    assert told(planned([changed])) == [("Left VIP", "x"), ("Entered VIP", "e"), ("Changed", "u")]


@pytest.mark.parametrize("cause", ["reasserted", "rename", "replay", "erased", ""])
def test_nothing_else_is_told(cause: str) -> None:
    changed = entry(cause=cause, entered=["e"], exited=["x"], updated={"u": {}}, old_names=("Old",))
    assert planned([changed]) == Plan()


def test_what_is_no_change_is_not_told() -> None:
    assert planned([entry(kind="sync.completed", detail={"entered": 1})]) == Plan()


def test_every_rule_that_matches_tells_its_own_event() -> None:
    rules = (
        Rule(frozenset({"9"}), enter_event=Event("No")),
        Rule(cohort_names=("V*",), enter_event=Event("Same")),
        Rule(enter=(Operation("$set", "a", 1),)),
        Rule(enter_event=Event("Same")),
    )
    result = planned([entry(entered=["u"])], *rules)
    assert told(result) == [("Same", "u"), ("Same", "u")]
    assert len(set(records(result))) == 2


def test_a_member_property_that_is_missing_leaves_out_the_property_or_the_whole_event() -> None:
    rule = Rule(enter_event=Event("On {member[plan]}", {"Age": "{member[age]}"}))
    entered = {"a": {"plan": "pro", "age": 3}, "b": {"plan": "pro", "age": None}, "c": {"age": 3}}
    result = planned([entry(entered=entered)], rule)
    assert told(result) == [("On pro", "a"), ("On pro", "b")]
    assert ["Age" in json.loads(record)["properties"] for record in records(result)] == [True, False]


def test_a_device_in_a_simplified_project_is_named_as_its_sdks_name_it() -> None:
    device = [entry(exited=["$device:D 1"])]
    found = properties(planned(device))
    assert (found["distinct_id"], found["$device_id"]) == ("$device:D 1", "D 1")
    for system in ("original", "legacy"):
        other = replace(PROJECT, id_management=system)
        assert "$device_id" not in properties(planned(device, project=other))


@pytest.mark.parametrize("device", ["", "anon", "0"])
def test_a_device_whose_id_mixpanel_refuses_is_named_by_its_profile_alone(device: str) -> None:
    found = properties(planned([entry(exited=[f"$device:{device}"])]))
    assert found["distinct_id"] == f"$device:{device}"
    assert "$device_id" not in found


@pytest.mark.parametrize("refused", sorted(REFUSED_IDS))
def test_an_event_about_an_id_that_mixpanel_refuses_is_never_sent(refused: str) -> None:
    result = planned([entry(exited=[refused, "u"])], Rule(), ALL)
    assert told(result) == [("Left VIP", "u")]
    (letter,) = result.given_up
    assert letter.code == "unusable_id"
    assert letter.reason.startswith("rules[1].exit.event: ")
    assert json.loads(letter.record)["properties"]["distinct_id"] == refused


DEEP = {"a": {"b": {"c": {"d": 1}}}}


@pytest.mark.parametrize(
    ("event", "member", "reason"),
    [
        (Event("{member[v]}"), " ", "event must be text that is not empty (event_name)"),
        (Event("{member[v]}"), "x" * 256, "event has more than 255 characters (event_name)"),
        (Event("{member[v]}"), "$merge", "event is an identity verb, not an event"),
        (Event("e", {"p": "{member[v]}"}), [0] * 255, "properties.p has more than 254 elements"),
        (Event("e", {"p": "{member[v]}"}), DEEP, "properties.p.a.b.c is nested more than 3 deep (nesting)"),
        (Event("e", {"p": {"q": "{member[v]}"}}), DEEP, "properties.p.q.a.b is nested"),
        (
            Event("e", {"p": "{member[v]}"}),
            {f"p{n}": n for n in range(255)},
            "properties.p has more than 254 properties (properties)",
        ),
        (Event("e", {"{member[v]}": 1}), "x" * 256, "has a name of more than 255 characters (property_name)"),
        (Event("e", {"{member[v]}": 1}), "time", "properties.time is filled by the relay"),
        (Event("e", {"{member[v]}": 1}), "$user_id", "properties.$user_id is filled by the relay"),
        (Event("e", {"{member[v]}": 1}), "$device_id", "properties.$device_id is filled by the relay"),
        (Event("e", {"p": "{member[v]}"}), "x" * MAX_RECORD_BYTES, "the event is larger than 1048575 bytes"),
    ],
)
def test_an_event_that_breaks_a_limit_is_never_sent_and_names_the_rule(
    event: Event, member: Any, reason: str
) -> None:
    letter = only(planned([entry(entered={"u": {"v": member}})], Rule(), Rule(enter_event=event)))
    assert letter.code == "invalid"
    assert letter.reason.startswith("rules[1].enter.event: ")
    assert reason in letter.reason
    assert json.loads(letter.record)["properties"]["distinct_id"] == "u"


@pytest.mark.parametrize("event", [Event("e"), Event("e", {"id": "{distinct_id}"})])
def test_an_event_about_an_id_that_mixpanel_would_cut_is_never_sent(event: Event) -> None:
    result = planned([entry(entered=["u" * 255, "v" * 256])], Rule(enter_event=event))
    assert told(result) == [("e", "u" * 255)]
    ((code, reason),) = letters(result)
    assert code == "invalid"
    assert "properties.distinct_id has more than 255 bytes" in reason


def test_one_event_that_breaks_a_limit_costs_no_other() -> None:
    rule = Rule(update_event=Event("e", {"p": "{member[v]}"}))
    updated: dict[str, dict[str, Any]] = {
        "a": {"v": 1},
        "b": {"v": [0] * 255},
        "c": {"v": DEEP},
        "d": {"v": 2},
    }
    result = planned([entry(updated=updated)], rule)
    assert told(result) == [("e", "a"), ("e", "d")]
    assert [code for code, _ in letters(result)] == ["invalid", "invalid"]
    assert all(reason.startswith("rules[0].update.event: ") for _, reason in letters(result))


def test_a_name_that_says_nothing_of_the_member_fails_alike_for_each() -> None:
    rule = Rule(enter_event=Event("In {cohort_name}"))
    result = planned([entry(entered=["a", "b"], cohort=("1", "x" * 255))], rule)
    assert records(result) == []
    assert len({letter.record for letter in result.given_up}) == 2


def test_many_violations_are_counted_and_not_all_spelled_out() -> None:
    event = Event("e", {f"p{n}": "{member[v]}" for n in range(10)})
    letter = only(planned([entry(entered={"u": {"v": DEEP}})], Rule(enter_event=event)))
    assert letter.reason.count("nesting") == 3
    assert letter.reason.endswith("and 7 more")


def test_something_nested_deeper_than_json_can_be_written_is_given_up_without_failing() -> None:
    value: Any = 1
    for _ in range(300):
        value = [value]
    rule = Rule(enter_event=Event("e", {"p": "{member[v]}"}))
    letter = only(planned([entry(entered={"u": {"v": value}})], rule))
    assert "nesting" in letter.reason
    assert json.loads(letter.record)["properties"]["distinct_id"] == "u"


def test_a_time_that_mixpanel_would_not_take_is_found() -> None:
    changed = [entry(exited=["a", "b"])]
    assert len(records(planned(changed, now_ms=NOW_MS - 3_600_000))) == 2
    result = planned(changed, now_ms=NOW_MS - 3_600_001)
    assert [code for code, _ in letters(result)] == ["invalid", "invalid"]
    assert all("time_future" in reason for _, reason in letters(result))


def test_a_reason_holds_no_value_of_the_member() -> None:
    event = Event("{member[v]}", {"p": ["{member[v]}"] * 255, "q": "{member[v]}"})
    letter = only(
        planned([entry(entered={"jane@example.com": {"v": "5551234" * 50}})], Rule(enter_event=event))
    )
    assert "5551234" not in letter.reason
    assert "jane" not in letter.reason


def test_the_most_that_a_rule_can_say_fits_beside_what_the_relay_fills() -> None:
    event = Event("e", {f"p{n}": 1 for n in range(MAX_OWN_PROPERTIES)})
    found = properties(planned([entry(entered=["$device:D"])], Rule(enter_event=event)))
    assert len(found) == MAX_PROPERTIES


def test_every_try_of_a_window_judges_an_events_time_alike() -> None:
    """Though it is later by then, and a time that was too far ahead would no longer be."""
    clock = [NOW_MS / 1000 - 3601]
    source = EventsSource(cast("ChangeLog", None), now=lambda: clock[0])
    entries = [entry(exited=["u"])]
    first, known = source.plan(PROJECT, Delivery(0, entries, RuleSet((ALL,)), known=None))
    clock[0] += 3600
    assert source.plan(PROJECT, Delivery(0, entries, RuleSet((ALL,)), known=known)) == (first, known)
    assert only(first).code == "invalid"
    now, _ = source.plan(PROJECT, Delivery(0, entries, RuleSet((ALL,)), known=None))
    assert len(records(now)) == 1


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
IDS = st.one_of(TEXTS, TEXTS.map("$device:{}".format), st.sampled_from(sorted(REFUSED_IDS)))
TEMPLATES = st.one_of(
    TEXTS.map(escape),
    st.sampled_from(["{member[a]}", "x {member[b]}", "{cohort_name}", "{distinct_id}", "{time}", "$merge"]),
)


def json_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    scalars = st.one_of(texts, st.integers(-(2**53), 2**53), st.booleans())
    return st.one_of(
        scalars,
        st.lists(scalars, max_size=2),
        st.builds(nested, st.integers(1, 5), scalars),
    )


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = {"k": inner}
    return inner


MEMBERS = st.dictionaries(IDS, st.dictionaries(st.sampled_from("ab"), st.none() | json_of(TEXTS)), max_size=3)
EVENTS = st.one_of(
    st.none(), st.builds(Event, TEMPLATES, st.dictionaries(TEMPLATES, json_of(TEMPLATES), max_size=2))
)
RULES = st.builds(Rule, enter_event=EVENTS, exit_event=EVENTS, update_event=EVENTS)


@st.composite
def windows(draw: st.DrawFn) -> list[Entry]:
    """Draw entries as the log has them: gapless, and naming nobody twice in one way."""
    return [
        entry(
            sequence,
            cause=draw(st.sampled_from(["sync", "sync", "taken_back", "rename"])),
            cohort=draw(st.sampled_from([("1", "VIP"), ("2", "Gold")])),
            entered=draw(MEMBERS),
            exited=list(draw(st.sets(IDS, max_size=3))),
            updated=draw(MEMBERS),
        )
        for sequence in range(1, 1 + draw(st.integers(0, 3)))
    ]


@given(windows(), st.lists(RULES, max_size=2))
def test_every_trace_planned_ten_times_leaves_one_event_each(entries: list[Entry], rules: list[Rule]) -> None:
    first = plan(PROJECT, entries, RuleSet(tuple(rules)), NOW_MS)
    stored = RuleSet.from_json(RuleSet(tuple(rules)).to_json())
    for _ in range(9):
        assert plan(PROJECT, entries, stored, NOW_MS) == first
    keys = [key(record) for record in records(first)]
    assert len(keys) == len(set(keys))


@given(windows(), st.lists(RULES, max_size=2))
def test_no_two_events_share_an_insert_id(entries: list[Entry], rules: list[Rule]) -> None:
    result = plan(PROJECT, entries, RuleSet(tuple(rules)), NOW_MS)
    made = [*records(result), *(letter.record for letter in result.given_up)]
    insert_ids = [json.loads(record)["properties"]["$insert_id"] for record in made]
    assert len(insert_ids) == len(set(insert_ids))


@given(windows(), st.lists(RULES, max_size=2), st.integers(0, 4))
def test_how_the_log_is_cut_into_windows_makes_no_difference(
    entries: list[Entry], rules: list[Rule], cut: int
) -> None:
    rule_set = RuleSet(tuple(rules))
    parts = [plan(PROJECT, part, rule_set, NOW_MS) for part in (entries[:cut], entries[cut:])]
    whole = plan(PROJECT, entries, rule_set, NOW_MS)
    assert [record for part in parts for record in records(part)] == records(whole)


@given(windows(), st.lists(RULES, max_size=2))
def test_what_is_sent_breaks_no_limit_and_what_is_given_up_breaks_one(
    entries: list[Entry], rules: list[Rule]
) -> None:
    result = plan(PROJECT, entries, RuleSet(tuple(rules)), NOW_MS)
    for record in records(result):
        assert violations(json.loads(record), NOW_MS, size_bytes=len(record)) == []
    for letter in result.given_up:
        broken = {one.rule for one in violations(json.loads(letter.record), NOW_MS)}
        if letter.code == "unusable_id":
            assert "refused_id" in broken
        else:
            assert broken or "reserved_property" in letter.reason


def insert_id(changed: Entry, rule: int = 0, member: str = "u", way: str = "exit") -> str:
    """The `$insert_id` of the event that the rule with this number tells."""
    events = Rule(**{f"{way}_event": Event("Same")})  # type: ignore[arg-type]
    found = {
        inner["distinct_id"]: inner["$insert_id"]
        for inner in (
            json.loads(record)["properties"]
            for record in records(planned([changed], *[Rule()] * rule, events))
        )
    }
    return str(found[member])


FIRST = entry(1, exited=["u", "1u"], entered=["u"], updated={"u": {}})


@pytest.mark.parametrize(
    "other",
    [
        lambda: insert_id(FIRST, member="1u"),
        lambda: insert_id(FIRST, rule=1),
        lambda: insert_id(FIRST, way="enter"),
        lambda: insert_id(FIRST, way="update"),
        lambda: insert_id(replace(FIRST, sequence=2)),
        lambda: insert_id(replace(FIRST, generation="g2")),
    ],
    ids=["member", "rule", "enter", "update", "sequence", "generation"],
)
def test_each_part_of_what_makes_an_event_makes_it_another(other: Callable[[], str]) -> None:
    assert other() != insert_id(FIRST)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda: insert_id(replace(FIRST, sequence=11)), lambda: insert_id(replace(FIRST, generation="g11"))),
        (lambda: insert_id(FIRST, rule=1), lambda: insert_id(FIRST, rule=0, member="1u")),
        (lambda: insert_id(FIRST, rule=11), lambda: insert_id(FIRST, rule=1, member="1u")),
        (lambda: insert_id(replace(FIRST, sequence=11)), lambda: insert_id(FIRST, member="1u")),
    ],
)
def test_parts_are_told_apart_wherever_one_ends(one: Callable[[], str], other: Callable[[], str]) -> None:
    assert one() != other()


def test_an_insert_id_is_the_same_in_every_process_and_version() -> None:
    """A window can be begun by one version and tried again by the next."""
    assert insert_id(FIRST) == "3311e34647a8a13204edd3884c41c372"


def test_the_order_within_a_value_is_the_same_before_and_after_rules_are_stored() -> None:
    rules = RuleSet((Rule(exit_event=Event("e", {"z": {"b": 1, "a": [{"d": 1, "c": 2}]}, "y": 1})),))
    stored = RuleSet.from_json(rules.to_json())
    assert plan(PROJECT, [FIRST], rules, NOW_MS) == plan(PROJECT, [FIRST], stored, NOW_MS)


def key(record: bytes) -> tuple[Any, ...]:
    event: Mapping[str, Any] = json.loads(record)
    inner = event["properties"]
    return event["event"], inner["time"], inner["distinct_id"], inner["$insert_id"]
