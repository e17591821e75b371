"""Order and copies: whatever the network does to a sync's pages, the same people are in the cohort."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.engine import EngineReceiver
from tests.model.notation import parse
from tests.model.rates import end_of
from tests.model.sender import Sent, send
from tests.model.story import Habits, Step, Story
from tests.model.wire import SentPage

PEOPLE = "abcdef"
SYNC_AT = 1800.0

cohorts = st.frozensets(st.sampled_from(PEOPLE))


def end(pages: tuple[SentPage, ...], *, trusting: bool = False) -> frozenset[str]:
    trust = dict.fromkeys(("torn", "add", "remove", "restart"), 1) if trusting else None
    return end_of(EngineReceiver(trust), Sent(pages, frozenset(), last_succeeded=True))


def one_after_another(pages: tuple[SentPage, ...], begin: float, pace_s: float = 1.0) -> tuple[SentPage, ...]:
    return tuple(replace(page, at=begin + index * pace_s) for index, page in enumerate(pages))


@pytest.mark.parametrize("trusting", [False, True])
@pytest.mark.parametrize(
    ("before", "sync", "ends_as"),
    [
        ("", "M1[1/6]{a} M1[2/6]{b} M1[3/6]{c} M1[4/6]{d} M1[5/6]{e} M1[6/6]{f}", "abcdef"),
        ("M0{a,b,x,y}", "M1[1/4]{a} M1[2/4]{b} M1[3/4]{c} M1[4/4]{d}", "abcd"),
        ("M0{a,b,x,y,z}", "+1[1/3]{c} +1[2/3]{d} +1[3/3]{e} -1[1/3]{x} -1[2/3]{y} -1[3/3]{z}", "abcde"),
        ("M0{a,b,x,y,z}", "+1[1/2]{c} +1[2/2]{d} -1{}", "abcdxyz"),
        ("M0{a,b,x}", "+1{} -1[1/2]{x} -1[2/2]{b}", "a"),
        ("M0{a,x}", "+1[1/5]{b} +1[2/5]{c} +1[3/5]{d} -1[4/5]{x} -1[5/5]{a}", "bcd"),
    ],
)
def test_every_order_of_the_pages_of_a_sync_ends_the_same(
    before: str, sync: str, ends_as: str, trusting: bool
) -> None:
    first = parse(before)
    for order in permutations(parse(sync)):
        assert end(first + one_after_another(order, SYNC_AT), trusting=trusting) == frozenset(ends_as)


@given(
    lists=st.lists(cohorts, min_size=2, max_size=5),
    page_size=st.integers(1, 3),
    trusting=st.booleans(),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_copies_change_nothing(
    lists: list[frozenset[str]], page_size: int, trusting: bool, data: st.DataObject
) -> None:
    pages = send(Story(tuple(Step(cohort) for cohort in lists), page_size=page_size)).pages
    copied = data.draw(st.lists(st.tuples(st.sampled_from(pages), st.floats(0.1, 100.0)), max_size=6))
    copies = [replace(page, at=page.at + delay) for page, delay in copied]
    both = tuple(sorted([*pages, *copies], key=lambda page: page.at))
    assert end(both, trusting=trusting) == end(pages, trusting=trusting) == lists[-1]


@given(
    lists=st.lists(cohorts, min_size=1, max_size=7),
    page_size=st.integers(1, 4),
    parallel=st.booleans(),
    remove_first=st.booleans(),
    trusting=st.booleans(),
    orders=st.lists(st.integers(0, 2**32), min_size=7, max_size=7),
    copies=st.lists(st.lists(st.integers(0, 6), max_size=2), min_size=7, max_size=7),
)
@settings(max_examples=300, deadline=None)
def test_nobody_is_ever_wrong_where_nothing_failed_and_the_sender_is_as_documented(
    *,
    lists: list[frozenset[str]],
    page_size: int,
    parallel: bool,
    remove_first: bool,
    trusting: bool,
    orders: list[int],
    copies: list[list[int]],
) -> None:
    steps = tuple(
        Step(cohort, order=order, copies=tuple(again))
        for cohort, order, again in zip(lists, orders, copies, strict=False)
    )
    habits = Habits(parallel=parallel, remove_first=remove_first)
    for syncs in range(1, len(steps) + 1):
        sent = send(Story(steps[:syncs], habits, page_size))
        receiver = EngineReceiver(
            dict.fromkeys(("torn", "add", "remove", "restart"), 1) if trusting else None
        )
        assert end_of(receiver, sent) == sent.snapshot
