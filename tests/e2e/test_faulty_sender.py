"""Mixpanel's sender loses answers, repeats and shuffles pages, fails half-way and starts over."""

import pytest

from tests.e2e.convergence import settle
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import Stack

RETRIES = 5


def test_answers_that_get_lost_make_pages_come_twice(stack: Stack, sandbox: SandboxClient) -> None:
    settle(stack, sandbox)
    for full in (True, False, False):
        sandbox.churn(0.2)
        sandbox.fault("drop_answer", side="sender", count=None, probability=0.3)
        sandbox.fault("duplicate", side="sender", count=None, probability=0.3)
        sandbox.sync(full=full)
        sandbox.clear_faults()
    settle(stack, sandbox)


@pytest.mark.parametrize("parallel_pages", [1, 4])
def test_pages_that_come_out_of_order_and_late(
    stack: Stack, sandbox: SandboxClient, parallel_pages: int
) -> None:
    sandbox.set(habits={"parallel_pages": parallel_pages})
    for full in (True, False, False):
        sandbox.churn(0.3)
        sandbox.fault("reorder", side="sender", count=None)
        sandbox.fault("late", side="sender", count=None, probability=0.2)
        sandbox.sync(full=full)
        sandbox.clear_faults()
    settle(stack, sandbox)


@pytest.mark.parametrize("reuse_session", [False, True], ids=["a new session", "the same session"])
def test_exports_that_fail_half_way_start_over(
    stack: Stack, sandbox: SandboxClient, reuse_session: bool
) -> None:
    settle(stack, sandbox)
    sandbox.set(habits={"reuse_session": reuse_session})
    for full in (True, False):
        for pages in (0, 1, 2):
            sandbox.churn(0.3)
            sandbox.fault("abort", side="sender", records=pages, count=None)
            assert {sync.state for sync in sandbox.sync(full=full)} == {"failed"}
            sandbox.clear_faults()
        assert {sync.state for sync in sandbox.sync(full=full)} == {"done"}
    settle(stack, sandbox)


def test_a_sync_whose_every_answer_was_lost_did_arrive(stack: Stack, sandbox: SandboxClient) -> None:
    settle(stack, sandbox)
    sandbox.churn(0.3)
    cohort_id = next(iter(sandbox.cohorts()))
    sandbox.set(sender={"retry_span_s": 0.5})
    sandbox.fault("drop_answer", side="sender", count=RETRIES + 1)
    (sync,) = sandbox.sync(cohort_id)
    assert sync.state == "failed"
    sandbox.churn(0.3)
    settle(stack, sandbox)
