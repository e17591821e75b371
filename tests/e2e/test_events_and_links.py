"""Events and identity links, by rules and by services, all the way to what shows in Mixpanel.

Everything ends once only, in Mixpanel's deduplicated view, although requests fail and processes are killed.
"""

import json
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
import requests
import yaml

from tests.e2e.conftest import QUICK, StartStack
from tests.e2e.convergence import deliver
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import PROJECT_ID, TOKEN, WEBHOOK_AUTH, Stack
from tests.guard import ROOT
from tests.waiting import wait_until

SETTLE_S = 60.0
RULES: dict[str, Any] = {
    "enter": {
        "$union": {"Cohorts": ["{cohort_name}"]},
        "event": {"name": "Entered {cohort_name}", "properties": {"Plan": "{member[plan]}"}},
    },
    "exit": {"$remove": {"Cohorts": "{cohort_name}"}, "event": {"name": "Left {cohort_name}"}},
}
IDENTIFY = {"identified_id": "{member[login]}", "anon_id": "{distinct_id}"}
SANDBOX = {"no-sender": "", "profiles": "300", "cohorts": "3", "timeout": "10"}


def start(
    start_stack: StartStack,
    tmp_path: Any,
    *,
    id_management: str,
    rules: Sequence[dict[str, Any]],
    exported: str = "plan",
) -> tuple[Stack, SandboxClient]:
    """Start a stack whose project has these rules and this identity system, and gets this property."""
    project = {
        "id": PROJECT_ID,
        "name": "Shop",
        "token": "${SHOP_TOKEN}",
        "id_management": id_management,
        "webhook_credentials": [{"username": WEBHOOK_AUTH[0], "password": "${SHOP_PASSWORD}"}],
        "rules": list(rules),
    }
    file = tmp_path / "projects.yaml"
    file.write_text(yaml.safe_dump({"projects": [project]}))
    environ = {
        **QUICK,
        "PROJECTS_FILE": str(file),
        "SHOP_TOKEN": TOKEN,
        "SHOP_PASSWORD": WEBHOOK_AUTH[1],
        "LINK_WAIT_S": "20",
    }
    sandbox = {**SANDBOX, "id-management": id_management, "export": exported}
    stack = start_stack(environ=environ, sandbox=sandbox)
    client = SandboxClient(stack.sandbox_url)
    client.set(habits={"page_size": 50, "parallel_pages": 1}, sender={"retry_span_s": 3.0})
    return stack, client


class Service:
    """A downstream service with a token of its own."""

    def __init__(self, stack: Stack) -> None:
        self._url = f"{stack.url}/api/v1/projects/{PROJECT_ID}"
        command = [sys.executable, "-m", "flask", "tokens", "create", "--name", "a test"]
        made = subprocess.run(
            [*command, "--scope", "ingest", "--scope", "read", "--json"],
            cwd=ROOT,
            env=stack.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        self._headers = {"Authorization": f"Bearer {json.loads(made.stdout)['token']}"}

    def post(self, path: str, body: Any, key: str | None = None) -> requests.Response:
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        return requests.post(f"{self._url}/{path}", json=body, headers=headers, timeout=10)

    def get(self, path: str) -> dict[str, Any]:
        answer = requests.get(f"{self._url}/{path}", headers=self._headers, timeout=10)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def insist(self, path: str, body: Any, key: str) -> None:
        """Send a call until it is taken, as a service does that may not lose anything."""

        def taken() -> bool:
            try:
                answer = self.post(path, body, key)
            except requests.RequestException:
                return False
            assert answer.status_code in {202, 429, 500, 503}, answer.text
            return answer.status_code == 202

        wait_until(taken, SETTLE_S, f"{path} is taken", every_s=0.1)


def messages(call: int, number: int) -> list[dict[str, Any]]:
    """Events that a service sends in one call, without time and `$insert_id`."""
    return [
        {"event": "Message sent", "properties": {"distinct_id": f"user-{at}", "call": call, "at": at}}
        for at in range(number)
    ]


def places(events: Sequence[Any]) -> Counter[tuple[int, int]]:
    return Counter((each.properties["call"], each.properties["at"]) for each in events)


def calmly(check: Callable[[], bool], what: str) -> None:
    wait_until(check, SETTLE_S, what, every_s=0.2)


def test_rules_import_an_event_for_everybody_who_enters_and_leaves(
    start_stack: StartStack, tmp_path: Any
) -> None:
    stack, sandbox = start(start_stack, tmp_path, id_management="simplified", rules=[RULES])
    deliver(stack, sandbox)
    told = {name: sandbox.told(cohort_id) for cohort_id, name in sandbox.cohorts().items()}
    entered = {f"Entered {name}": len(members) for name, members in told.items() if members}
    calmly(lambda: sandbox.event_counts() == entered, "the events of the first syncs are imported")
    # From here on answers are lost behind events that arrived, and the worker is killed.
    moments = Random("events")
    for _ in range(2):
        sandbox.fault("cut", when="after", path="/import")
        sandbox.churn(0.2)
        sandbox.sync()
        wait_until(lambda: not sandbox.faults_left("api"), SETTLE_S, "a request was made", every_s=0.05)
        time.sleep(moments.uniform(0.0, 0.2))
        stack.mixpanel.restart(kill=True)
    deliver(stack, sandbox)

    def right() -> bool:
        return all(stands(sandbox, name, sandbox.told(cohort)) for cohort, name in sandbox.cohorts().items())

    calmly(right, "everybody's events tell who is in which cohort")
    some = sandbox.events(next(iter(entered)))
    assert {each.properties.get("Plan") for each in some} <= {"free", "trial", "pro", "business"}
    assert any(each.arrivals > 1 for each in sandbox.events()), (
        "nothing was sent twice: the test shows nothing"
    )


def stands(sandbox: SandboxClient, name: str, members: set[str]) -> bool:
    """Say whether somebody has entered once more than left exactly if a member."""
    entered = Counter(each.distinct_id for each in sandbox.events(f"Entered {name}"))
    left = Counter(each.distinct_id for each in sandbox.events(f"Left {name}"))
    people = members | entered.keys() | left.keys()
    return all(entered[one] - left[one] == (one in members) for one in people)


def test_every_submitted_event_arrives_once_although_all_processes_are_killed(
    start_stack: StartStack, tmp_path: Any
) -> None:
    stack, sandbox = start(start_stack, tmp_path, id_management="simplified", rules=[RULES])
    service = Service(stack)
    moments = Random("submitted")
    victims = [stack.mixpanel, stack.web, stack.mixpanel, stack.clock, stack.mixpanel]
    sandbox.fault("delay", delay_s=0.2, count=None, path="/import")
    for call, victim in enumerate(victims):
        for _ in range(3):  # a service that does not trust the answer it got
            service.insist("events", messages(call, 400), key=f"call-{call}")
        time.sleep(moments.uniform(0.0, 0.3))
        victim.restart(kill=True)
        stack.wait_for_web()
    stack.redis.restart(kill=True)
    stack.wait_for_web()
    service.insist("events", messages(len(victims), 400), key=f"call-{len(victims)}")
    sandbox.clear_faults()
    wanted = {(call, at) for call in range(len(victims) + 1) for at in range(400)}
    calmly(lambda: places(sandbox.events("Message sent")).keys() >= wanted, "every event is in Mixpanel")
    assert set(places(sandbox.events("Message sent")).values()) == {1}


def test_members_are_identified_before_their_profiles_are_written(
    start_stack: StartStack, tmp_path: Any
) -> None:
    rule = {**RULES, "links": [IDENTIFY]}
    stack, sandbox = start(start_stack, tmp_path, id_management="original", rules=[rule], exported="login")
    cohort_id, name = next(iter(sandbox.cohorts().items()))
    anonymous = {str(uuid.UUID(int=number, version=4)): f"login-{number}" for number in range(120)}
    updates = [
        {"$token": TOKEN, "$distinct_id": one, "$set": {"login": login}} for one, login in anonymous.items()
    ]
    assert requests.post(f"{stack.sandbox_url}/engage", json=updates, timeout=10).ok
    sandbox.fault("status", status=503, count=3, path="/import")
    sandbox.move(cohort_id, enter=list(anonymous))
    sandbox.sync(cohort_id)
    calmly(lambda: len(linked(sandbox, anonymous)) == len(anonymous), "everybody is identified")
    calmly(
        lambda: all(
            name in (sandbox.profile(login) or {}).get("Cohorts", []) for login in anonymous.values()
        ),
        "everybody's profile carries the cohort",
    )
    refused = [each for each in sandbox.links() if each.outcome == "refused"]
    assert refused == []
    service = Service(stack)
    one, login = next(iter(anonymous.items()))
    told = service.get(f"identity-links/{login}")
    assert {one, login} <= set(json.dumps(told).replace('"', " ").split()) or one in json.dumps(told)


def linked(sandbox: SandboxClient, anonymous: dict[str, str]) -> list[str]:
    clusters = sandbox.clusters().values()
    return [one for one, login in anonymous.items() if any({one, login} <= cluster for cluster in clusters)]


@pytest.mark.parametrize("id_management", ["simplified", "legacy"])
def test_services_link_ids_once_and_forbidden_links_are_never_sent(
    start_stack: StartStack, tmp_path: Any, id_management: str
) -> None:
    stack, sandbox = start(start_stack, tmp_path, id_management=id_management, rules=[RULES])
    service = Service(stack)

    def link(first: str, second: str) -> dict[str, str]:
        if id_management == "simplified":
            return {"user_id": first, "device_id": second}
        return {"distinct_id": first, "alias": second}

    good = [
        link(f"u{number}", f"d{number}-{uuid.uuid5(uuid.NAMESPACE_DNS, str(number))}") for number in range(50)
    ]
    second = good[0].get("device_id") or good[0]["alias"]
    bad = link("somebody-else", second)
    sandbox.fault("cut", when="after", path="/import")
    service.insist("identity-links", {"links": [*good, bad]}, key="links")
    service.insist("identity-links", {"links": good}, key="links again")
    stack.mixpanel.restart(kill=True)
    calmly(lambda: len(sandbox.clusters()) == len(good), "everybody is linked")
    calmly(lambda: service.get("identity-links/u49") != {}, "the ledger answers")
    assert [each for each in sandbox.links() if each.outcome == "refused"] == []
    assert not any("somebody-else" in ids for ids in sandbox.clusters().values())
    wrong = {"merge": ["a", "b"], "allow_merge": True}
    answer = service.post("identity-links", {"links": [wrong]})
    assert answer.status_code in {202, 422}, answer.text
    assert "merge" in answer.text
