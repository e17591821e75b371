"""Which changes cause which links, and whom they concern."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.cohorts.changelog import Entry
from app.destinations.identity.caused import caused, linking_ids
from app.destinations.identity.links import Link
from app.destinations.identity.records import EVENTS, record
from config.links import LinkRule
from config.projects import HOSTS, Project
from config.rules import Rule, RuleSet
from config.secret import Secret
from tests.unit.destinations.identity_links import ANON, link

RULES = RuleSet(
    (
        Rule(cohort_ids=frozenset({"9"}), links=(LinkRule("alias", "{distinct_id}", "{member[a]}"),)),
        Rule(
            links=(
                LinkRule("device", "{member[user]}", "{distinct_id}"),
                LinkRule("merge", "{distinct_id}", "{project_id}-{member[nr]}", allow_merge=True),
            )
        ),
    )
)
PROJECT = Project("7", "Shop", "eu", Secret("token-1"), HOSTS["eu"], ())


def entry(**changes: Any) -> Entry:
    plain = Entry(12, "g", "changes", "sync", "1", "VIP", "s", 1_767_225_600_000)
    return replace(plain, **changes)


MEMBERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("$device:d1", {"user": "u1"}),
    ("u2", {"nr": 5}),
    ("u3", {}),
)


@pytest.mark.parametrize("cause", ["sync", "taken_back"])
@pytest.mark.parametrize("way", ["entered", "updated"])
def test_entering_and_changing_cause_links_with_their_reason(cause: str, way: str) -> None:
    found = list(caused("7", entry(cause=cause, **{way: MEMBERS}), RULES))
    why = {"cohort_id": "1", "session_id": "s", "sequence": 12}
    assert found == [
        (
            "$device:d1",
            Link("device", "u1", "d1", False, 1_767_225_600_000, {"rule": "rules[1].links[0]", **why}),
        ),
        ("u2", Link("merge", "u2", "7-5", True, 1_767_225_600_000, {"rule": "rules[1].links[1]", **why})),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"entered": MEMBERS, "cause": "reasserted"},
        {"entered": MEMBERS, "cause": "rename"},
        {"entered": MEMBERS, "cause": "replay"},
        {"entered": MEMBERS, "kind": "sync.completed", "cause": ""},
        {"exited": ("$device:d1", "u2")},
    ],
)
def test_nothing_else_causes_any(changes: dict[str, Any]) -> None:
    assert list(caused("7", entry(**changes), RULES)) == []
    assert linking_ids("7", [entry(**changes)], RULES) == set()


def test_whoever_is_linked_and_both_ids_of_the_link_are_named() -> None:
    entries = [entry(entered=MEMBERS), entry(updated=(("u4", {"nr": "x"}),))]
    assert linking_ids("7", entries, RULES) == {"$device:d1", "u1", "u2", "7-5", "u4", "7-x"}


@pytest.mark.parametrize("verb", EVENTS)
def test_a_record_names_both_ids_the_time_and_the_token(verb: Any) -> None:
    one = link(verb, "first", ANON[0], time_ms=1_767_225_600_123)
    sent = json.loads(record(one, PROJECT))
    assert sent["event"] == EVENTS[verb]
    assert sent["properties"]["token"] == "token-1"
    assert sent["properties"]["time"] == 1_767_225_600_123
    assert sent["properties"]["$insert_id"] == one.insert_id
    assert sent["properties"]["distinct_id"] == "first"
    assert "$source" not in sent["properties"]
    assert ANON[0] in json.dumps(sent)
    named = json.loads(record(one, replace(PROJECT, integration_id="relay")))
    assert named["properties"] == {**sent["properties"], "$source": "relay"}
