"""Fixtures of the end-to-end tests; when one fails, its report shows the end of every process's log."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import Stack

StartStack = Callable[..., Stack]
_STACKS = pytest.StashKey[list[Stack]]()
_FAILED = pytest.StashKey[bool]()

# What is waited for must be over soon: leases, requests under way, the sender's tries of a page.
QUICK = {
    "LEASE_S": "1.5",
    "SLICE_S": "0.7",
    "MIXPANEL_TIMEOUT_S": "1",
    "CLOCK_TICK_S": "0.1",
    "SUBSCRIBER_TIMEOUT_S": "1",
    "SUBSCRIBER_HTTP": "true",
    "SUBSCRIBER_NETWORKS": "127.0.0.0/8",
}
SANDBOX = {"no-sender": "", "profiles": "1500", "cohorts": "5", "timeout": "10"}
# Many pages and requests for few people, so that there is a middle to be interrupted in.
LIMITS = {"max_request_bytes": 10_000}
HABITS = {"page_size": 100, "parallel_pages": 1, "reuse_session": False}
SENDER = {"retry_span_s": 3.0}


@pytest.fixture
def start_stack(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StartStack]:
    """Start a stack of the test's own: `start_stack(environ=..., sandbox=..., redis_options=...)`."""
    stacks: list[Stack] = []
    request.node.stash[_STACKS] = stacks

    def start(**options: Any) -> Stack:
        stack = Stack(tmp_path / f"stack-{len(stacks)}", **options)
        stacks.append(stack)
        return stack.start()

    yield start
    for stack in stacks:
        stack.kill()


@pytest.fixture(scope="session")
def running_stack() -> Iterator[list[Stack]]:
    """The stack that the tests of this process share, once one of them needed it."""
    stacks: list[Stack] = []
    yield stacks
    for stack in stacks:
        stack.kill()


@pytest.fixture
def stack(
    running_stack: list[Stack], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    """The stack that tests share, as the last of them left it; after a failure, a new one.

    Nothing is sent but what a test asks for (`SandboxClient.sync`).
    """
    if not running_stack:
        running_stack.append(Stack(tmp_path_factory.mktemp("stack"), environ=QUICK, sandbox=SANDBOX))
        request.node.stash[_STACKS] = list(running_stack)
        running_stack[0].start()
    request.node.stash[_STACKS] = list(running_stack)
    yield running_stack[0]
    if request.node.stash.get(_FAILED, False):
        running_stack.pop().kill()


@pytest.fixture
def sandbox(stack: Stack) -> SandboxClient:
    """The sandbox of `stack`, with small pages and requests and without faults."""
    client = SandboxClient(stack.sandbox_url)
    client.clear_faults()
    client.set(habits=HABITS, limits=LIMITS, sender=SENDER)
    return client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
        for stack in item.stash.get(_STACKS, []):
            report.sections.append(("logs of the processes", stack.tails()))
    return report
