"""What a session id that is used again and again may cost."""

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
