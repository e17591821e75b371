"""Redis, which RQ shares, is full: the relay refuses pages, works off what waits, and recovers."""

import time

import requests

from tests.e2e.conftest import QUICK, StartStack
from tests.e2e.stack import PROJECT_ID, WEBHOOK_AUTH, Stack
from tests.waiting import wait_until

PAGES = 30
PEOPLE_A_PAGE = 200
FILLING = "x" * 300  # properties that no rule needs: they take room in the inbox only


def page(session: str, number: int, total: int) -> dict[str, object]:
    members = [
        {"mixpanel_distinct_id": f"person-{number}-{place}", "notes": FILLING}
        for place in range(PEOPLE_A_PAGE)
    ]
    parameters = {
        "mixpanel_project_id": PROJECT_ID,
        "mixpanel_cohort_id": "7",
        "mixpanel_cohort_name": "VIP",
        "mixpanel_session_id": session,
        "page_info": {"total_pages": total, "page_count": number},
        "members": members,
    }
    return {"action": "members", "parameters": parameters}


def send(stack: Stack, session: str, number: int, total: int) -> int:
    answer = requests.post(
        stack.webhook_url, json=page(session, number, total), auth=WEBHOOK_AUTH, timeout=20
    )
    return answer.status_code


def test_what_waits_is_worked_off_and_makes_room(start_stack: StartStack) -> None:
    stack = start_stack(environ=QUICK, sandbox={"no-sender": ""})
    with stack.redis.client() as client:

        def used() -> int:
            return int(client.info("memory")["used_memory"])

        def jobs() -> int:
            return sum(int(client.llen(f"rq:queue:{name}")) for name in ("apply", "mixpanel"))

        wait_until(stack.ready, 30, "all processes are there")
        stack.apply.freeze()  # so that pages gather, while the other worker and the clock live
        for number in range(1, PAGES + 1):
            assert send(stack, "s1", number, PAGES) == 200
        limit = used() - 500_000
        client.config_set("maxmemory", limit)
        assert send(stack, "s2", 1, 1) == 503
        client.delete("rq:queue:apply")  # as if the job had not found room: nothing tells a worker to look
        stack.apply.thaw()
        wait_until(
            lambda: "sync_delivered" in stack.mixpanel.output(), 60, "the sync is delivered", every_s=0.2
        )
        assert used() < limit, "it has made room"
        wait_until(lambda: send(stack, "s2", 1, 1) == 200, 20, "pages are taken again", every_s=0.5)
        wait_until(
            lambda: stack.mixpanel.output().count('"sync_delivered"') == 2, 60, "by RQ again", every_s=0.2
        )
        time.sleep(0.5)
        assert jobs() == 0
    assert all(process.running for process in stack.processes.values())
