"""Submitted profile and group operations end in Mixpanel as if each had been sent alone, in order."""

import json
from typing import Any, cast

import orjson
from hypothesis import given
from hypothesis import strategies as st

from app.destinations.outbox import Outboxes, Submission
from app.destinations.plan import Plan
from app.destinations.profiles.submitted import GroupsOutboxSource, ProfilesOutboxSource
from app.destinations.source import Delivery, OutboxSource
from app.destinations.waiting.gate import Gate
from config.projects import HOSTS, Project
from config.rules import RuleSet
from config.secret import Secret
from tests.unit.destinations import profile_model
from tests.unit.destinations.profile_model import Profiles, seen

PROJECT = Project("p1", "Shop", "eu", Secret("token-1"), HOSTS["eu"], webhook_credentials=())
NOBODY = cast("Outboxes", None)
UNASKED = cast("Gate", None)

NAMES = st.sampled_from(["a", "b"])
SCALARS = st.sampled_from(["x", "y", "z"])


def operations() -> st.SearchStrategy[dict[str, Any]]:
    def of(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.dictionaries(NAMES, values, min_size=1).map(lambda body: {kind: body})

    return st.one_of(
        of("$set", SCALARS | st.lists(SCALARS)),
        of("$set_once", SCALARS),
        of("$union", st.lists(SCALARS, min_size=1)),
        of("$remove", SCALARS),
        of("$append", SCALARS),
        st.lists(NAMES, min_size=1, unique=True).map(lambda names: {"$unset": names}),
        st.just({"$delete": ""}),
    )


def planned(source: OutboxSource, *submissions: list[dict[str, Any]]) -> Plan:
    entries = [
        Submission(sequence, 0, 0, tuple(orjson.dumps(record) for record in records))
        for sequence, records in enumerate(submissions, start=1)
    ]
    return source.plan(PROJECT, Delivery(0, entries, RuleSet(), known=b"{}"))[0]  # known: nobody waits


def sent(plan: Plan) -> list[bytes]:
    """What may go in any order, backwards; what counts keeps its order."""
    return [
        record
        for one in plan.rounds
        for record in (*reversed(one.records), *(record for _, record in one.once))
    ]


@given(st.lists(st.lists(st.tuples(st.sampled_from(["ann", "bob"]), operations()), max_size=4), max_size=4))
def test_profiles_end_as_if_every_operation_had_been_sent_alone(
    submissions: list[list[tuple[str, dict[str, Any]]]],
) -> None:
    records = [
        [{"$distinct_id": distinct_id, **operation} for distinct_id, operation in each]
        for each in submissions
    ]
    expected: Profiles = {}
    for each in records:
        for record in each:
            profile_model.send(expected, orjson.dumps(record))
    got: Profiles = {}
    plan = planned(ProfilesOutboxSource(NOBODY, UNASKED), *records)
    for encoded in sent(plan):
        profile_model.send(got, encoded)
    for distinct_id in ("ann", "bob"):
        assert seen(got.get(distinct_id, {})) == seen(expected.get(distinct_id, {}))


def test_a_group_is_updated_by_its_key_and_id_with_the_projects_token() -> None:
    plan = planned(
        GroupsOutboxSource(NOBODY, "groups"),
        [
            {"$group_key": "company", "$group_id": "acme", "$set": {"plan": "pro"}},
            {"$group_key": "company", "$group_id": "acme", "$set": {"plan": "free"}},
            {"$group_key": "team", "$group_id": "acme", "$union": {"tags": ["a"]}},
        ],
    )
    assert [json.loads(record) for one in plan.rounds for record in one.records] == [
        {"$token": "token-1", "$group_key": "company", "$group_id": "acme", "$set": {"plan": "free"}},
        {"$token": "token-1", "$group_key": "team", "$group_id": "acme", "$union": {"tags": ["a"]}},
    ]


def test_what_counts_keeps_a_mark_of_its_own_that_does_not_change_from_try_to_try() -> None:
    records = [
        {"$distinct_id": "ann", "$add": {"visits": 1, "coins": 2}},
        {"$distinct_id": "ann", "$add": {"visits": 1}},
    ]
    plans = [planned(ProfilesOutboxSource(NOBODY, UNASKED), records, records) for _ in range(2)]
    marks = [[mark for one in plan.rounds for mark, _ in one.once] for plan in plans]
    assert marks[0] == marks[1]
    assert len(set(marks[0])) == 6


def test_a_distinct_id_that_mixpanel_refuses_is_a_dead_letter() -> None:
    plan = planned(
        ProfilesOutboxSource(NOBODY, UNASKED),
        [{"$distinct_id": "null", "$set": {"a": 1}}, {"$distinct_id": "ann", "$set": {"a": 1}}],
    )
    assert [letter.code for letter in plan.given_up] == ["unusable_id"]
    assert len(sent(plan)) == 1
