"""Full lists that remove many: measured, held where that is wanted, confirmed or overtaken later."""

from random import Random

import pytest

from app.cohorts.epochs import Machine
from app.cohorts.epochs.shrinking import Shrink, ShrinkLimit
from tests.depth import examples
from tests.model.chance import random_story
from tests.model.classes import CLASSES
from tests.model.engine import EngineReceiver
from tests.model.wire import SentPage

STORIES = examples(150)
QUIET_S = 1500.0
HOLD = ShrinkLimit(share=0.5, at_least=3, hold=True)
EVERYTHING = ShrinkLimit(share=0.0, at_least=1, hold=True)
BY_NAME = {each.name: each.worlds[0] for each in CLASSES}
TEN = tuple(f"p{number}" for number in range(10))


def engine_with(limit: ShrinkLimit | None) -> EngineReceiver:
    engine = EngineReceiver(None)
    engine.machine.limit = limit
    return engine


def told(engine: EngineReceiver) -> Shrink | None:
    return engine.machine.shrunk


def full(engine: EngineReceiver, session: str, members: tuple[str, ...], at: float) -> None:
    engine.receive(SentPage(session, "members", 1, 1, members, at))


def diff(
    engine: EngineReceiver, session: str, added: tuple[str, ...], removed: tuple[str, ...], at: float
) -> None:
    engine.receive(SentPage(session, "add_members", 1, 1, added, at))
    engine.receive(SentPage(session, "remove_members", 1, 1, removed, at + 1))


def test_a_list_beyond_the_limit_is_told_of_and_removes_all_the_same_unless_held() -> None:
    engine = engine_with(ShrinkLimit(share=0.5, at_least=3, hold=False))
    full(engine, "0", TEN, 0.0)
    assert told(engine) is None
    full(engine, "1", (*TEN[:4], "new"), 1800.0)
    assert told(engine) == Shrink(2, goes=6, of=10, at_ms=1_800_000, session="1")
    assert engine.members() == {*TEN[:4], "new"}
    assert engine.machine.held is None


@pytest.mark.parametrize(("stay", "beyond"), [(10, False), (5, False), (4, True), (0, True)])
def test_the_limit_is_a_share_of_the_members_before(stay: int, beyond: bool) -> None:
    engine = engine_with(HOLD)
    full(engine, "0", TEN, 0.0)
    full(engine, "1", (*TEN[:stay], *(f"new{number}" for number in range(30))), 1800.0)
    assert (engine.machine.shrunk is not None) is beyond


def test_a_few_may_always_go() -> None:
    engine = engine_with(HOLD)
    full(engine, "0", ("a", "b"), 0.0)
    full(engine, "1", (), 1800.0)
    assert engine.members() == set()


def test_a_held_list_removes_nobody_until_it_is_confirmed_and_then_exactly_those() -> None:
    engine = engine_with(HOLD)
    full(engine, "0", TEN, 0.0)
    full(engine, "1", (*TEN[:2], "new"), 1800.0)
    assert engine.members() == {*TEN, "new"}
    diff(engine, "2", ("p5", "other"), ("p1",), 3600.0)  # p5 came back in Mixpanel, p1 left
    assert engine.members() == {*TEN, "new", "other"} - {"p1"}
    assert engine.machine.contradicted == 0, "what is held explains the add of a member"
    engine.confirm()
    assert engine.members() == {"p0", "p5", "new", "other"}


def test_what_is_held_survives_any_number_of_syncs_and_the_state_as_json() -> None:
    engine = engine_with(HOLD)
    full(engine, "0", TEN, 0.0)
    full(engine, "1", TEN[:2], 1800.0)
    for number in range(2, 12):  # those in doubt are settled, and forgotten, meanwhile
        diff(engine, str(number), (f"n{number}",), (), 1800.0 * number)
        engine.machine = Machine.from_json(engine.machine.to_json())
        engine.machine.limit = HOLD
    assert len(engine.members()) == 20
    engine.confirm()
    assert engine.members() == {*TEN[:2], *(f"n{number}" for number in range(2, 12))}


def test_those_who_were_refused_stay_until_another_full_list_comes() -> None:
    engine = engine_with(HOLD)
    full(engine, "0", TEN, 0.0)
    full(engine, "1", TEN[:2], 1800.0)
    engine.machine.refuse()
    diff(engine, "2", ("p5",), (), 3600.0)
    assert engine.members() == set(TEN)
    assert engine.machine.contradicted == 0
    full(engine, "3", TEN[:8], 5400.0)
    assert engine.members() == set(TEN[:8])
    assert engine.machine.held is None


def test_a_later_full_list_takes_the_place_of_the_held_one() -> None:
    engine = engine_with(HOLD)
    full(engine, "0", TEN, 0.0)
    full(engine, "1", TEN[:2], 1800.0)
    full(engine, "2", TEN[:3], 3600.0)
    assert engine.members() == set(TEN)
    assert engine.machine.held
    assert engine.machine.held.session == "2"
    full(engine, "3", TEN[:9], 5400.0)
    assert engine.members() == set(TEN[:9])
    assert engine.machine.held is None


def test_a_failed_sync_before_the_held_list_brings_nobody_back_later() -> None:
    """The failed sync removed p9; the list did not name p9 either, so no evidence may undo that."""
    engine = EngineReceiver(dict.fromkeys(("torn", "add", "remove", "restart"), 1))
    engine.machine.limit = HOLD
    full(engine, "0", TEN, 0.0)
    engine.receive(SentPage("1", "remove_members", 1, 2, ("p9",), 1800.0))
    full(engine, "2", TEN[:2], 3600.0)
    diff(engine, "3", ("x",), (), 5400.0)
    assert engine.members() == {*TEN[:9], "x"}
    engine.confirm()
    assert engine.members() == {*TEN[:2], "x"}


def test_whom_a_failed_sync_brought_in_stays_until_somebody_confirms() -> None:
    """Evidence against that sync comes while the list is held; before, it would have let z go."""
    engine = EngineReceiver(dict.fromkeys(("torn", "add", "remove", "restart"), 1))
    engine.machine.limit = HOLD
    full(engine, "0", TEN, 0.0)
    engine.receive(SentPage("1", "add_members", 1, 2, ("z",), 1800.0))
    full(engine, "2", TEN[:2], 3600.0)
    diff(engine, "3", ("x",), (), 5400.0)
    assert engine.members() == {*TEN, "z", "x"}
    engine.confirm()
    assert engine.members() == {*TEN[:2], "x"}


def test_who_is_named_by_a_sync_that_began_later_is_not_counted_as_going() -> None:
    engine = engine_with(HOLD)
    full(engine, "0", TEN, 0.0)
    engine.receive(SentPage("1", "members", 1, 2, TEN[:4], 1800.0))
    engine.receive(SentPage("2", "add_members", 1, 1, (*TEN[4:9], "new"), 1810.0))
    engine.receive(SentPage("1", "members", 2, 2, (), 1820.0))
    assert told(engine) is None
    assert engine.members() == {*TEN[:9], "new"}


@pytest.mark.parametrize(
    "name",
    [
        *("documented", "documented-restarts", "no-failures", "two-ids", "parallel", "remove-first", "cold"),
        *("outages", "refreshes", "expired", "constant-id"),
    ],
)
def test_holding_and_confirming_ends_as_if_nothing_had_been_held(name: str) -> None:
    """Whatever fails, and whenever somebody confirms: each full list is held here."""
    differ = [seed for seed in range(STORIES) if not _ends_alike(name, seed)]
    assert differ == []


def _ends_alike(name: str, seed: int) -> bool:
    _, sent = random_story(BY_NAME[name], seed)
    plain, held, random = engine_with(None), engine_with(EVERYTHING), Random(seed)
    for page in sent.pages:
        before = held.machine.held
        plain.receive(page)
        held.receive(page)
        if held.machine.held and before and random.random() < 0.2:
            held.confirm()
        held.check_counts()
    for engine in (plain, held):
        engine.quiet_until(sent.pages[-1].at + QUIET_S)
    held.confirm()
    return plain.members() == held.members()
