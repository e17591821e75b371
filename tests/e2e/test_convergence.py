"""The main job with nothing in its way: Mixpanel's cohorts end up in its profiles, exactly."""

from tests.e2e.convergence import settle, sync_all
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import Stack

SNAPSHOT_LIFETIME_S = 3 * 24 * 3600.0


def test_a_first_sync_and_then_churn_reach_every_profile(stack: Stack, sandbox: SandboxClient) -> None:
    for cohort_id in sandbox.cohorts():
        sandbox.forget(cohort_id)  # tests share the stack and run in any order
    first = sync_all(sandbox)
    assert {sync.kind for sync in first} == {"full"}
    assert max(sync.pages for sync in first) > 5
    settle(stack, sandbox)
    for _ in range(3):
        sandbox.churn(0.2)
        assert {sync.kind for sync in sync_all(sandbox)} == {"diff"}
    settle(stack, sandbox)


def test_a_refresh_removes_those_who_left_without_being_named(stack: Stack, sandbox: SandboxClient) -> None:
    sync_all(sandbox)
    sandbox.let_pass(SNAPSHOT_LIFETIME_S + 60)
    sandbox.churn(0.3)
    refreshed = sync_all(sandbox)
    assert {sync.kind for sync in refreshed} == {"full"}
    settle(stack, sandbox)


def test_a_refresh_that_changes_nothing_sends_nothing_to_mixpanel(
    stack: Stack, sandbox: SandboxClient
) -> None:
    settle(stack, sandbox)
    before = sandbox.counters()
    assert {sync.kind for sync in sandbox.sync(full=True)} == {"full"}
    settle(stack, sandbox)
    after = sandbox.counters()
    assert after["webhook_requests"] > before["webhook_requests"]
    assert after.get("engage_requests", 0) == before.get("engage_requests", 0)


def test_a_cohort_that_everybody_leaves_is_on_no_profile(stack: Stack, sandbox: SandboxClient) -> None:
    settle(stack, sandbox)
    cohort_id, name = next(iter(sandbox.cohorts().items()))
    everybody = sorted(sandbox.current(cohort_id))
    assert sandbox.carrying(name) == set(everybody)
    sandbox.move(cohort_id, leave=everybody)
    settle(stack, sandbox)
    assert sandbox.carrying(name) == set()
    sandbox.move(cohort_id, enter=everybody[:50])
    settle(stack, sandbox)
    assert len(sandbox.carrying(name)) == 50
