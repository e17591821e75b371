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
