"""Whether Mixpanel's profiles, the relay's membership and Mixpanel's cohorts are the same, to the person."""

import json
from collections.abc import Iterator
from typing import Any

from tests.e2e.sandbox_client import SandboxClient, Sync
from tests.e2e.stack import Stack
from tests.waiting import wait_until

SETTLE_TIMEOUT_S = 60.0
SYNC_TRIES = 5


def settle(stack: Stack, sandbox: SandboxClient, *, timeout_s: float = SETTLE_TIMEOUT_S) -> None:
    """Let a last sync of every cohort succeed, wait until it is delivered, and then compare, once.

    The last syncs carry what changed since the ones before, often nothing: they say by themselves only that
    all before them was delivered, since the log has one order. So what this compares is the end state, not
    one that happens to be right on the way.

    Raises:
        AssertionError: something differs, or the relay did not get that far within `timeout_s`.
    """
    compare(stack, sandbox, deliver(stack, sandbox, timeout_s=timeout_s))


def sync_all(sandbox: SandboxClient) -> list[Sync]:
    """Sync every cohort until each was synced with success, and return these syncs."""
    done: list[Sync] = []
    left = sandbox.sync()
    for _ in range(SYNC_TRIES):
        done += [sync for sync in left if sync.state == "done"]
        left = [again for sync in left if sync.state != "done" for again in sandbox.sync(sync.cohort_id)]
        if not left:
            return done
    raise AssertionError(f"these do not sync: {left}")


def compare(stack: Stack, sandbox: SandboxClient, syncs: list[Sync]) -> None:
    """Compare every cohort, person by person, and the relay's own count of members after these syncs."""
    differences = [*_differences(sandbox), *_miscounts(stack, syncs)]
    assert not differences, "; ".join(differences)


def deliver(stack: Stack, sandbox: SandboxClient, *, timeout_s: float = SETTLE_TIMEOUT_S) -> list[Sync]:
    """Let every cohort sync, and wait until Mixpanel was brought up to date with that."""
    syncs = sync_all(sandbox)
    wanted = {sync.session_id for sync in syncs}
    wait_until(lambda: wanted <= delivered(stack).keys(), timeout_s, "the syncs are delivered", every_s=0.2)
    return syncs


def delivered(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return what the relay says about the syncs that the profiles are up to date with, by session."""
    return {record["session_id"]: record for record in records(stack.mixpanel.output(), "sync_delivered")}


def records(log: str, event: str) -> Iterator[dict[str, Any]]:
    """Read one kind of records out of a process's log."""
    for line in log.splitlines():
        if f'"{event}"' in line and line.endswith("}"):  # else it is being written
            yield json.loads(line)


def wrong(sandbox: SandboxClient) -> dict[str, set[str]]:
    """Return whose profiles lack a cohort's name or carry it without being a member, by name."""
    told: dict[str, set[str]] = {}
    for cohort_id, name in sandbox.cohorts().items():
        told.setdefault(name, set()).update(sandbox.told(cohort_id))  # cohorts of one name share it
    found = {name: members ^ sandbox.carrying(name) for name, members in told.items()}
    return {name: people for name, people in found.items() if people}


def _differences(sandbox: SandboxClient) -> Iterator[str]:
    for name, people in wrong(sandbox).items():
        too_many = len(people & sandbox.carrying(name))
        yield f"{name}: {len(people) - too_many} profiles lack it, {too_many} carry it for nothing"
    names = set(sandbox.cohorts().values())
    for name, times in sandbox.carried().items():
        if name not in names:
            yield f"{name}: no cohort has this name, it stands {times} times in profiles"
        elif times != len(sandbox.carrying(name)):
            yield f"{name}: stands {times} times in {len(sandbox.carrying(name))} profiles"


def _miscounts(stack: Stack, syncs: list[Sync]) -> Iterator[str]:
    told = delivered(stack)
    for sync in syncs:
        counted = told[sync.session_id]["members"]
        if counted != sync.members:
            yield f"{sync.cohort_name}: the relay counts {counted} members, Mixpanel {sync.members}"
