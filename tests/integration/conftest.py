from collections.abc import Generator

import pytest

from tests.integration.conformance import entries_conform


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test that logs what the events' schemas do not describe."""
    problems: list[str] = []
    with entries_conform(problems):
        answer = yield
    assert not problems, "the log's entries make events that their schemas (docs/events/) do not describe"
    return answer
