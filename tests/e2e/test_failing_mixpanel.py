"""Mixpanel's API fails in every way: what is transient is tried again, the rest is told of."""

from tests.e2e.convergence import deliver, records, settle, sync_all, wrong
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import Stack

TRANSIENT = (
    {"kind": "status", "status": 429, "retry_after_s": 1},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 502, "when": "after"},
    {"kind": "timeout"},
    {"kind": "timeout", "when": "after"},
    {"kind": "cut"},
    {"kind": "cut", "when": "after"},
)


def pile_up(stack: Stack, sandbox: SandboxClient, share: float) -> None:
    """Let changes wait for delivery, so that they leave in many requests at once when the worker starts."""
    stack.mixpanel.kill()
    for _ in range(2):
        sandbox.churn(share)
        sync_all(sandbox)


def dead_letters(stack: Stack) -> int:
    """Count the refused records that the relay has told of."""
    told = records(stack.mixpanel.output(), "records_dead_lettered")
    return sum(record.get("refused", 0) for record in told)


def test_errors_time_outs_and_cut_connections_lose_nothing(stack: Stack, sandbox: SandboxClient) -> None:
    settle(stack, sandbox)
    pile_up(stack, sandbox, 0.4)
    for fault in TRANSIENT:
        sandbox.fault(**fault)
    stack.mixpanel.start()
    settle(stack, sandbox)
    assert sandbox.faults_left("api") == 0
    assert dead_letters(stack) == 0


def test_refused_records_become_dead_letters_and_the_others_arrive(
    stack: Stack, sandbox: SandboxClient
) -> None:
    settle(stack, sandbox)
    before = dead_letters(stack)
    pile_up(stack, sandbox, 0.4)
    sandbox.fault("partial", records=3)
    sandbox.fault("partial", records=2)
    stack.mixpanel.start()
    deliver(stack, sandbox)
    assert sandbox.faults_left("api") == 0
    people = set[str]().union(*wrong(sandbox).values())
    assert 1 <= len(people) <= dead_letters(stack) - before == 5
    heal(stack, sandbox)


def test_a_person_whom_mixpanel_refuses_keeps_nobody_else_waiting(
    stack: Stack, sandbox: SandboxClient
) -> None:
    settle(stack, sandbox)
    before = dead_letters(stack)
    cohort_id = next(iter(sandbox.cohorts()))
    pile_up(stack, sandbox, 0.4)
    sandbox.move(cohort_id, enter=["poison-1", "poison-2"])
    sandbox.fault("poison", distinct_ids=["poison-1", "poison-2"], count=None)
    stack.mixpanel.start()
    deliver(stack, sandbox)
    assert set[str]().union(*wrong(sandbox).values()) == {"poison-1", "poison-2"}
    assert dead_letters(stack) - before == 2
    sandbox.clear_faults()
    heal(stack, sandbox)


def heal(stack: Stack, sandbox: SandboxClient) -> None:
    """Let those whose records were refused leave every cohort, so that their profiles are right again."""
    people = sorted(set[str]().union(*wrong(sandbox).values()))
    for turn in ("enter", "leave"):  # who has left already is named by neither list, unless they enter first
        for cohort_id in sandbox.cohorts():
            sandbox.move(cohort_id, **{turn: people})
        deliver(stack, sandbox)
    settle(stack, sandbox)
