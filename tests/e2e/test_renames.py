"""Cohorts are renamed while people come and go: every profile ends with the names of today."""

import time
from random import Random

from tests.e2e.convergence import deliver, settle, wrong
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import Stack
from tests.waiting import wait_until


def settle_renamed(stack: Stack, sandbox: SandboxClient) -> None:
    """A rename goes on after the sync that brought the new name; wait for its end before the comparison."""
    deliver(stack, sandbox)
    wait_until(lambda: not wrong(sandbox) and names_are_right(sandbox), 30, "every profile has the new names")
    settle(stack, sandbox)


def names_are_right(sandbox: SandboxClient) -> bool:
    return set(sandbox.carried()) <= set(sandbox.cohorts().values())


def largest(sandbox: SandboxClient) -> int:
    return max(sandbox.cohorts(), key=lambda cohort_id: len(sandbox.current(cohort_id)))


def test_a_new_name_replaces_the_old_one_while_people_come_and_go(
    stack: Stack, sandbox: SandboxClient
) -> None:
    settle(stack, sandbox)
    for cohort_id, name in sandbox.cohorts().items():
        sandbox.rename(cohort_id, f"{name} (renamed)")
    sandbox.churn(0.2)
    sandbox.sync()
    sandbox.churn(0.2)
    settle_renamed(stack, sandbox)


def test_workers_are_killed_while_a_rename_goes_on(stack: Stack, sandbox: SandboxClient) -> None:
    settle(stack, sandbox)
    moments = Random("rename")
    cohort_id = largest(sandbox)
    for turn in range(4):
        sandbox.rename(cohort_id, f"Renamed {turn}")
        sandbox.churn(0.1)
        sandbox.sync(cohort_id)
        time.sleep(moments.uniform(0.0, 0.1))
        stack.apply.restart(kill=True)
    stack.mixpanel.restart(kill=True)
    settle_renamed(stack, sandbox)


def test_two_cohorts_exchange_their_names(stack: Stack, sandbox: SandboxClient) -> None:
    settle(stack, sandbox)
    (one, its_name), (other, others_name), *_ = sandbox.cohorts().items()
    sandbox.move(other, enter=sorted(sandbox.current(one))[:20])
    settle(stack, sandbox)
    sandbox.rename(one, others_name)
    sandbox.sync(one)
    sandbox.rename(other, its_name)
    sandbox.churn(0.1)
    settle_renamed(stack, sandbox)
