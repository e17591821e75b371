"""What /metrics says about all processes together, and a page's way through their logs."""

import re

import requests

from tests.e2e.conftest import HABITS, LIMITS, QUICK, SANDBOX, StartStack
from tests.e2e.convergence import deliver, records
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import PROJECT_ID, Stack
from tests.waiting import wait_until

TOKEN = "the-token-of-prometheus"


def total(stack: Stack, name: str, *labels: str) -> float:
    """Add up the samples of a name that have these labels (such as `status="200"`)."""
    answer = requests.get(f"{stack.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    found = re.findall(rf"^cohort_relay_{name}(?:{{(.*)}})? (\S+)$", answer.text, re.MULTILINE)
    return sum(float(value) for had, value in found if set(labels) <= set(had.split(",")))


def flushed(stack: Stack, name: str, expected: float, *labels: str) -> None:
    wait_until(lambda: total(stack, name, *labels) == expected, 15, f"{name} is {expected}")


def test_the_numbers_are_those_of_all_processes_and_outlive_them(start_stack: StartStack) -> None:
    stack = start_stack(environ={**QUICK, "METRICS_TOKEN": TOKEN, "WEB_WORKERS": "3"}, sandbox=SANDBOX)
    stack.another(stack.mixpanel).start()
    sandbox = SandboxClient(stack.sandbox_url)
    sandbox.set(habits={**HABITS, "parallel_pages": 4}, limits=LIMITS)
    assert requests.get(f"{stack.url}/metrics", timeout=10).status_code == 401
    pages = sum(sync.pages for sync in deliver(stack, sandbox))
    flushed(stack, "webhook_duration_seconds_count", pages, 'status="200"')
    assert total(stack, "pages_accepted_total") == total(stack, "pages_applied_total") == pages
    assert total(stack, "members", f'project="{PROJECT_ID}"') == sum(
        len(sandbox.told(cohort_id)) for cohort_id in sandbox.cohorts()
    )
    asked = sandbox.counters()["engage_requests"]
    flushed(stack, "mixpanel_requests_total", asked, 'endpoint="/engage"')
    flushed(stack, "mixpanel_request_duration_seconds_count", asked, 'endpoint="/engage"')
    assert total(stack, "processes", 'alive="true"') == 5
    for process in (stack.mixpanel, stack.apply, stack.web):
        process.restart()
    stack.wait_for_web()
    assert total(stack, "webhook_duration_seconds_count") == pages
    sandbox.churn(0.2)
    pages += sum(sync.pages for sync in deliver(stack, sandbox))
    flushed(stack, "webhook_duration_seconds_count", pages)
    flushed(stack, "mixpanel_requests_total", sandbox.counters()["engage_requests"], 'endpoint="/engage"')
    _follow(stack)


def _follow(stack: Stack) -> None:
    """Each page that was accepted was applied, and what it came to is in a window that was delivered."""
    accepted = {line["page"]: line["session"] for line in records(stack.web.output(), "page")}
    applied = {line["page"]: line for line in records(stack.apply.output(), "page_applied")}
    assert accepted == {page: line["session"] for page, line in applied.items()}
    windows = [_span(line) for line in records(stack.mixpanel.output(), "window_delivered")]
    for line in applied.values():
        first, last = _span(line)
        assert all(any(a <= number <= b for a, b in windows) for number in (first, last))


def _span(line: dict[str, str]) -> tuple[int, int]:
    first, last = map(int, line["sequence"].split("-"))
    return first, last
