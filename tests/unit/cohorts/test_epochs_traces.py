"""The regression traces of the specification of epochs."""

from __future__ import annotations

import pytest

from tests.model.engine import EngineReceiver
from tests.model.notation import parse, show
from tests.model.rates import QUIET_AFTER_S
from tests.model.receiver import AdditionsOnly, EndsByPageNumber
from tests.model.traces import REGRESSIONS, Regression


@pytest.mark.parametrize("case", REGRESSIONS, ids=lambda case: f"{case.number}-{case.why.replace(' ', '-')}")
def test_a_regression_trace_ends_as_stated(case: Regression) -> None:
    receiver = EngineReceiver({**case.trust, "one_id": case.one_id})
    pages = parse(case.trace)
    for page in pages:
        receiver.receive(page)
    receiver.quiet_until(pages[-1].at + QUIET_AFTER_S)
    assert receiver.members() == case.ends_as


def test_the_notation_is_read_and_written_alike() -> None:
    for case in REGRESSIONS:
        assert show(parse(case.trace)) == case.trace


def test_what_is_not_in_the_notation_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the notation"):
        parse("M0{a} | *1{b}")


def test_a_receiver_that_takes_members_for_additions_never_notices_who_left() -> None:
    trace = parse("M0{a,b} | M1{a} | M2{a}")
    naive, engine = AdditionsOnly(), EngineReceiver(None)
    for page in trace:
        naive.receive(page)
        engine.receive(page)
    assert naive.members() == {"a", "b"}
    assert engine.members() == {"a"}


def test_a_receiver_that_ends_a_round_by_page_number_loses_members_while_a_page_is_retried() -> None:
    trace = parse("M0[1/2]{a,b} M0[2/2]{c} | M1[1/3]{a} M1[3/3]{c} M1[2/3]{b}")
    naive, engine = EndsByPageNumber(), EngineReceiver(None)
    lost_by_naive, lost_by_engine = False, False
    for page in trace:
        naive.receive(page)
        engine.receive(page)
        if page.session == "1":
            lost_by_naive |= "b" not in naive.members()
            lost_by_engine |= "b" not in engine.members()
    assert lost_by_naive
    assert not lost_by_engine
    assert engine.members() == {"a", "b", "c"}


def after(trace: str, **knowledge: int) -> EngineReceiver:
    receiver = EngineReceiver(knowledge)
    for page in parse(trace):
        receiver.receive(page)
    return receiver


def test_what_later_syncs_build_upon_is_kept_though_it_looked_failed_and_that_look_is_trusted_no_more() -> (
    None
):
    receiver = after("M0{} | +1{a,b} | -2{a} +2{c} | +3{d} | +4{} -4{c}", add=1, one_id=True)
    assert receiver.members() == {"b", "d"}


def test_evidence_can_come_three_syncs_late_and_still_takes_back_what_an_earlier_one_left() -> None:
    lost = "M0{} | +1{a,u,v,w,x,y,z} -1{} | +2{b} -2{} | +3{c} -3{} | +4{d} -4{}"
    assert after(lost, one_id=True).members() == set("abcduvwxyz")
    assert after(f"{lost} | +5{{a,b,c,d}} -5{{}}", one_id=True).members() == set("abcd")


def test_a_half_that_nobody_has_proven_a_failure_is_complete_after_two_quiet_minutes() -> None:
    trace = "M0{} | +1[1/2]{a} | +2{b}"
    receiver = after(trace, torn=1)
    last = parse(trace)[-1].at
    receiver.quiet_until(last + 119)
    assert receiver.members() == {"a", "b"}
    receiver.quiet_until(last + 121)
    assert receiver.members() == {"b"}
