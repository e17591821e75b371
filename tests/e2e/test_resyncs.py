"""Resyncs by real processes: a wiped Mixpanel is filled again, and a copy that drifted is made right."""

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest
import requests

from tests.e2e.conftest import HABITS, LIMITS, QUICK, SANDBOX, SENDER, StartStack
from tests.e2e.convergence import settle
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import PROJECT_ID, WEBHOOK_AUTH, Stack
from tests.guard import ROOT
from tests.waiting import wait_until

ACCOUNT = {
    "MIXPANEL_SERVICE_ACCOUNT_USERNAME": "sandbox-account",
    "MIXPANEL_SERVICE_ACCOUNT_SECRET": "sandbox-secret",
}
TIMEOUT_S = 60


@pytest.fixture
def stack(start_stack: StartStack) -> Stack:
    """A stack of its own, with a service account, whose cohorts are synced."""
    started = start_stack(environ={**QUICK, **ACCOUNT}, sandbox=SANDBOX)
    client = SandboxClient(started.sandbox_url)
    client.set(habits=HABITS, limits=LIMITS, sender=SENDER)
    settle(started, client)
    return started


@pytest.fixture
def sandbox(stack: Stack) -> SandboxClient:
    return SandboxClient(stack.sandbox_url)


def flask(stack: Stack, *args: str) -> dict[str, Any]:
    """Run a command to its end, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", *args, "--json"],
        cwd=ROOT,
        env=stack.environ,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def is_right(sandbox: SandboxClient) -> bool:
    cohorts = sandbox.cohorts().items()
    return all(sandbox.carrying(name) == sandbox.current(cohort_id) for cohort_id, name in cohorts)


def lie(stack: Stack, cohort_id: int, name: str, added: Iterable[str], removed: Iterable[str]) -> None:
    """Tell the relay of a sync that Mixpanel knows nothing of."""
    for action, people in (("add_members", added), ("remove_members", removed)):
        parameters = {
            "mixpanel_project_id": PROJECT_ID,
            "mixpanel_cohort_id": str(cohort_id),
            "mixpanel_cohort_name": name,
            "mixpanel_session_id": "a-lie",
            "page_info": {"total_pages": 1, "page_count": 1},
            "members": [{"mixpanel_distinct_id": person} for person in people],
        }
        body = {"action": action, "parameters": parameters}
        assert requests.post(stack.webhook_url, json=body, auth=WEBHOOK_AUTH, timeout=10).ok


def test_a_replay_fills_a_mixpanel_that_was_wiped(stack: Stack, sandbox: SandboxClient) -> None:
    assert is_right(sandbox)
    requests.post(f"{stack.sandbox_url}/sandbox/reset", timeout=TIMEOUT_S).raise_for_status()
    assert sandbox.carried() == {}
    told = flask(stack, "cohorts", "resync", "--all", "--mode", "replay", "--yes")
    assert {each["state"] for each in told["resyncs"]} == {"completed"}
    wait_until(lambda: is_right(sandbox), TIMEOUT_S, "all profiles carry their cohorts again")


def test_a_reconcile_makes_exactly_the_planted_differences_good(stack: Stack, sandbox: SandboxClient) -> None:
    (cohort_id, name), (other, _), *_ = sandbox.cohorts().items()
    members = sorted(sandbox.current(cohort_id))
    added = sorted(sandbox.current(other) - set(members))[:4]
    assert added
    lie(stack, cohort_id, name, added=added, removed=members[:5])
    wait_until(lambda: not is_right(sandbox), TIMEOUT_S, "the lie has reached the profiles")
    command = ("cohorts", "resync", str(cohort_id), "--mode", "reconcile")
    expected = {"read": len(members), "entered": 5, "exited": len(added)}
    (looked,) = flask(stack, *command, "--dry-run")["resyncs"]
    assert looked["counts"] == expected
    assert not is_right(sandbox)
    (done,) = flask(stack, *command, "--yes")["resyncs"]
    assert (done["state"], done["counts"]) == ("completed", expected)
    wait_until(lambda: is_right(sandbox), TIMEOUT_S, "the profiles are right again")
    sandbox.churn(0.2)
    settle(stack, sandbox)


def test_a_reconcile_survives_its_workers(stack: Stack, sandbox: SandboxClient) -> None:
    (cohort_id, name), *_ = sandbox.cohorts().items()
    members = sorted(sandbox.current(cohort_id))
    lie(stack, cohort_id, name, added=(), removed=members[:5])
    wait_until(lambda: not is_right(sandbox), TIMEOUT_S, "the lie has reached the profiles")
    asked = flask(stack, "cohorts", "resync", str(cohort_id), "--mode", "reconcile", "--yes", "--no-wait")
    (resync_id,) = (each["id"] for each in asked["resyncs"])
    for process in stack.workers:
        process.restart(kill=True)

    def state() -> dict[str, Any]:
        told: dict[str, Any] = flask(stack, "resyncs", "show", resync_id)["resync"]
        return told

    wait_until(lambda: state()["state"] == "completed", TIMEOUT_S, "the resync is through", every_s=0.5)
    assert state()["counts"] == {"read": len(members), "entered": 5}
    wait_until(lambda: is_right(sandbox), TIMEOUT_S, "the profiles are right again")
    settle(stack, sandbox)
