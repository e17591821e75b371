"""What a sender that never gets through, or uses one session id for ever, may cost."""

from app.cohorts.epochs.machine import FAILED_AT_MOST
from tests.model.engine import EngineReceiver
from tests.model.wire import SentPage


def test_a_session_id_used_for_ever_does_not_let_the_rounds_grow() -> None:
    receiver = EngineReceiver()
    for sync in range(200):
        for action in ("add_members", "remove_members"):
            receiver.receive(SentPage("s", action, 1, 1, (), at=1800.0 * sync))
    assert sum(len(attempt.rounds) for attempt in receiver.machine.attempts) <= 3


def test_folded_rounds_are_still_known_as_the_attempts_own() -> None:
    receiver = EngineReceiver()
    receiver.receive(SentPage("s", "add_members", 1, 2, ("a",), at=0.0))
    for repeat in range(5):
        receiver.receive(SentPage("s", "add_members", 1, 2, ("a",), at=float(repeat)))
    receiver.receive(SentPage("s", "add_members", 2, 2, ("b",), at=6.0))
    receiver.receive(SentPage("s", "remove_members", 1, 1, (), at=7.0))
    (attempt,) = receiver.machine.attempts
    assert attempt.state == "done"
    assert receiver.members() == {"a", "b"}


def test_attempts_do_not_pile_up_where_no_sync_ever_completes() -> None:
    receiver = EngineReceiver()
    receiver.receive(SentPage("0", "members", 1, 1, ("a",), at=0.0))
    for sync in range(1, 400):
        page = SentPage(f"s{sync}", "add_members", 1, 2, (f"p{sync}", f"q{sync % 7}"), at=1800.0 * sync)
        receiver.receive(page)
    assert len(receiver.machine.attempts) <= FAILED_AT_MOST + 8
    assert {"a", "p1", "p399"} <= receiver.members()


def test_a_diff_after_very_many_failed_ones_still_ends_as_mixpanel_says() -> None:
    receiver = EngineReceiver(trust={"torn": 1, "add": 1, "remove": 1, "restart": 1, "one_id": True})
    receiver.receive(SentPage("0", "members", 1, 1, ("a",), at=0.0))
    for sync in range(1, 40):
        receiver.receive(SentPage(f"s{sync}", "add_members", 1, 2, ("b", "c"), at=1800.0 * sync))
    receiver.receive(SentPage("last", "add_members", 1, 1, ("b",), at=80_000.0))
    receiver.receive(SentPage("last", "remove_members", 1, 1, (), at=80_001.0))
    assert receiver.members() == {"a", "b"}
