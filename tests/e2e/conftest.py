"""Fixtures of the end-to-end tests; when one fails, its report shows the end of every process's log."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack

StartStack = Callable[..., Stack]
_STACKS = pytest.StashKey[list[Stack]]()


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for stack in item.stash.get(_STACKS, []):
            report.sections.append(("logs of the processes", stack.tails()))
    return report
