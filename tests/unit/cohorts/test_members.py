"""Which members can be applied, and that finding out costs next to nothing."""

import time
import uuid
from typing import Any

import pytest

from app.cohorts.members import Quarantined, usable_members
from app.mixpanel.refused_ids import REFUSED_IDS


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("u1", "member_not_an_object"),
        (None, "member_not_an_object"),
        (["u1"], "member_not_an_object"),
        ({}, "distinct_id_missing"),
        ({"distinct_id": "u1"}, "distinct_id_missing"),
        ({"mixpanel_distinct_id": None}, "distinct_id_missing"),
        ({"mixpanel_distinct_id": ""}, "distinct_id_empty"),
        ({"mixpanel_distinct_id": True}, "distinct_id_not_a_string_or_whole_number"),
        ({"mixpanel_distinct_id": 1.0}, "distinct_id_not_a_string_or_whole_number"),
        ({"mixpanel_distinct_id": ["u1"]}, "distinct_id_not_a_string_or_whole_number"),
        ({"mixpanel_distinct_id": "\ud83d"}, "distinct_id_has_broken_characters"),
        ({"mixpanel_distinct_id": "x" * 256}, "distinct_id_too_long"),
        ({"mixpanel_distinct_id": "ü" * 128}, "distinct_id_too_long"),
    ],
)
def test_a_member_without_a_usable_id_is_quarantined_and_its_neighbours_stay(
    member: Any, reason: str
) -> None:
    good = {"mixpanel_distinct_id": "good"}
    usable, quarantined = usable_members([good, member, good])
    assert usable == [("good", good), ("good", good)]
    assert [(found.index, found.reason) for found in quarantined] == [(1, reason)]


@pytest.mark.parametrize(
    ("sent", "distinct_id"),
    [
        ("u1", "u1"),
        (" u1 ", " u1 "),
        (7, "7"),
        (0, "0"),
        (-1, "-1"),
        ("x" * 255, "x" * 255),
        ("ü" * 127, "ü" * 127),
        ("😀", "😀"),
        ("anonymous", "anonymous"),
    ],
)
def test_an_id_is_kept_exactly_as_it_was_sent(sent: Any, distinct_id: str) -> None:
    usable, quarantined = usable_members([{"mixpanel_distinct_id": sent}])
    assert [found for found, _ in usable] == [distinct_id]
    assert quarantined == []


@pytest.mark.parametrize("sent", ["anonymous", "0", 0, -1, "[]"])
def test_an_id_that_mixpanel_refuses_is_quarantined(sent: Any) -> None:
    members = [{"mixpanel_distinct_id": each} for each in ("Anonymous", sent, 10)]
    usable, quarantined = usable_members(members, REFUSED_IDS)
    assert [found for found, _ in usable] == ["Anonymous", "10"]
    assert quarantined == [Quarantined(1, "distinct_id_refused_by_mixpanel")]


def test_a_thousand_members_take_well_under_a_millisecond() -> None:
    members = [{"mixpanel_distinct_id": str(uuid.uuid4()), "email": "a@example.com"} for _ in range(1000)]
    best_s = 1.0
    for _ in range(50):
        begun_s = time.perf_counter()
        usable_members(members, REFUSED_IDS)
        best_s = min(best_s, time.perf_counter() - begun_s)
    assert best_s < 0.001
