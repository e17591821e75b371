"""When an attempt completes: what it proves, and what goes back."""

from app.cohorts.epochs.attempt import DONE, FAILED, Attempt
from app.cohorts.epochs.machine import Machine
from app.cohorts.epochs.shrinking import is_beyond, measure
from app.cohorts.epochs.trust import Trust
from app.cohorts.epochs.words import ADD, REMOVE, Task

SNAPSHOT_MS = (3 * 24 - 1) * 3_600_000
"""Mixpanel keeps a snapshot three days; an hour less, for the time a sync takes."""

GUARD_AT_LEAST, GUARD_TIMES = 8, 3


def complete(machine: Machine, trust: Trust, attempt: Attempt, at: int) -> None:
    """Complete an attempt: learn, decide which earlier ones fell, and leave the tasks that follow.

    Args:
        machine: the cohort; changed.
        trust: of its project; changed.
        attempt: the one that is complete, or taken for complete (a half).
        at: when, in ms.
    """
    _learn(trust, attempt)
    full = not attempt.blind and _is_full(machine, attempt)
    for older in machine.open_attempts():
        if older.number < attempt.number:
            older.state = FAILED
            machine.closed.append(older.number)
    tasks: list[Task] = []
    if full:
        machine.partial = ""
        kind = _sweep_or_hold(machine, attempt, at)
        tasks.append(Task(kind, attempt.number, attempt.epochs, attempt.round.epoch, everywhere=True))
    elif not attempt.blind:
        tasks += _judge_all(machine, trust, attempt)
    attempt.state = DONE
    attempt.finished = machine.next_step()
    attempt.fell = attempt.stood = 0
    machine.completed_ms = at
    tasks.append(Task("reassert", attempt.number, attempt.epochs, attempt.round.epoch, attempt.is_long()))
    tasks.append(Task("complete", attempt.number, attempt.epochs, attempt.round.epoch, attempt.is_long()))
    machine.tasks += tasks


def _sweep_or_hold(machine: Machine, attempt: Attempt, at: int) -> str:
    """Say whether those whom a full list did not name go, or are held; it ends what was held before."""
    shrink = measure(machine.attempts, machine.count, attempt, at)
    machine.superseded, machine.held = machine.held, None
    if not is_beyond(shrink, machine.limit):
        return "sweep"
    machine.shrunk = shrink
    if not (machine.limit and machine.limit.hold):
        return "sweep"
    machine.held = shrink
    return "hold"


def _learn(trust: Trust, attempt: Attempt) -> None:
    """Take from a complete diff what its sender's habits are."""
    if attempt.full or not attempt.complete(trust):
        return
    if attempt.counted_across(trust):
        trust.across = True
    if any(call.total > 1 for call in attempt.calls.values()):
        trust.learn("torn")
    if len(attempt.calls) == 1:
        return
    adds, removes = attempt.calls[ADD].people, attempt.calls[REMOVE].people
    if adds and not removes:
        trust.learn("add")
    if removes and not adds:
        trust.learn("remove")


def _is_full(machine: Machine, attempt: Attempt) -> bool:
    """Say whether the attempt listed the whole cohort, by its word or by what it named."""
    if attempt.full:
        return True
    again = attempt.total("again")
    names_removal = REMOVE in attempt.calls and attempt.calls[REMOVE].people > 0
    if names_removal or not again:
        return False
    if machine.completed_ms and attempt.began_ms - machine.completed_ms >= SNAPSHOT_MS:
        return True
    unnamed = machine.count - attempt.total("present")
    return attempt.total("contradictions") > 0 and again > unnamed


def _judge_all(machine: Machine, trust: Trust, attempt: Attempt) -> list[Task]:
    """Judge the earlier attempts that still have entries; the later first, since it can hand entries on."""
    tasks = []
    for earlier in reversed(machine.attempts):
        judged = machine.prev < earlier.epochs[-1] and earlier.number < attempt.number
        if not judged or not earlier.total("left"):
            continue
        if _falls(machine, trust, earlier, attempt):
            earlier.state = FAILED
            tasks.append(
                Task("revert", earlier.number, earlier.epochs, attempt.round.epoch, earlier.is_long())
            )
        elif earlier.state != DONE:
            earlier.state = DONE
            earlier.finished = machine.next_step()
    return tasks


def _falls(machine: Machine, trust: Trust, earlier: Attempt, attempt: Attempt) -> bool:
    kinds = earlier.kinds(trust)
    if earlier.fell > earlier.stood:
        for kind in kinds:
            trust.confirm(kind)
    elif earlier.stood > earlier.fell:
        for kind in kinds:
            trust.revoke(kind)
        return False
    elif earlier.finished <= attempt.began and all(trust.of(kind) <= 0 for kind in kinds):
        return False
    back = earlier.total("left")
    many = back > max(GUARD_AT_LEAST, GUARD_TIMES * earlier.fell)
    if many and 2 * attempt.total("removed") < machine.count:
        machine.spared.append(earlier.number)
        return False
    return True
