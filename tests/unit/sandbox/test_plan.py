from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from app.sandbox.config import Habits
from app.sandbox.sender.plan import plan_diff, plan_full


def sessions() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"s{next(numbers)}"


def diff(snapshot: str, members: str, **habits: Any) -> list[tuple[str, str, int, int, str]]:
    plan = plan_diff(set(snapshot), set(members), Habits(**{"page_size": 2} | habits), sessions())
    return [
        (page.action, page.session_id, page.number, page.total, "".join(page.distinct_ids))
        for call in plan.calls
        for page in call
    ]


DIFFS: list[tuple[str, str, dict[str, Any], list[tuple[str, str, int, int, str]]]] = [
    ("abc", "bcd", {}, [("add_members", "s1", 1, 1, "d"), ("remove_members", "s1", 1, 1, "a")]),
    (
        "",
        "abcde",
        {},
        [
            ("add_members", "s1", 1, 3, "ab"),
            ("add_members", "s1", 2, 3, "cd"),
            ("add_members", "s1", 3, 3, "e"),
            ("remove_members", "s1", 1, 1, ""),
        ],
    ),
    ("ab", "ab", {}, [("add_members", "s1", 1, 1, ""), ("remove_members", "s1", 1, 1, "")]),
    ("ab", "ab", {"empty_total": 0}, [("add_members", "s1", 1, 0, ""), ("remove_members", "s1", 1, 0, "")]),
    ("ab", "ab", {"empty_calls": False}, []),
    ("ab", "a", {"empty_calls": False}, [("remove_members", "s1", 1, 1, "b")]),
    (
        "a",
        "bcd",
        {"totals": "across"},
        [
            ("add_members", "s1", 1, 3, "bc"),
            ("add_members", "s1", 2, 3, "d"),
            ("remove_members", "s1", 3, 3, "a"),
        ],
    ),
    ("a", "b", {"sessions": "call"}, [("add_members", "s1", 1, 1, "b"), ("remove_members", "s2", 1, 1, "a")]),
    (
        "a",
        "b",
        {"order": "remove_first"},
        [("remove_members", "s1", 1, 1, "a"), ("add_members", "s1", 1, 1, "b")],
    ),
]


@pytest.mark.parametrize(("snapshot", "members", "habits", "pages"), DIFFS)
def test_a_diff_is_cut_into_pages(
    snapshot: str, members: str, habits: dict[str, Any], pages: list[Any]
) -> None:
    assert diff(snapshot, members, **habits) == pages


def test_a_full_export_is_one_call_of_numbered_pages() -> None:
    plan = plan_full(set("abc"), "members", Habits(page_size=2), sessions())

    assert [(page.action, page.number, page.total, page.distinct_ids) for page in plan.calls[0]] == [
        ("members", 1, 2, ("a", "b")),
        ("members", 2, 2, ("c",)),
    ]


def test_an_empty_cohort_is_still_exported_by_one_empty_page() -> None:
    assert [page.distinct_ids for page in plan_full(set(), "members", Habits(), sessions()).calls[0]] == [()]
