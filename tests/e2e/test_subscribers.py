"""A webhook subscriber of the whole product: syncs come in, signed messages go out, and the copy is exact."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from threading import Lock
from typing import Any

import requests
from standardwebhooks import Webhook

from tests.e2e.convergence import deliver
from tests.e2e.receiver import receiving
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import PROJECT_ID, Stack
from tests.guard import ROOT
from tests.waiting import wait_until


class Api:
    """The relay's API, with a token that may everything."""

    def __init__(self, stack: Stack) -> None:
        self._url = f"{stack.url}/api/v1"
        command = [sys.executable, "-m", "flask", "tokens", "create", "--name", "a test", "--scope", "admin"]
        made = subprocess.run(
            command, cwd=ROOT, env=stack.environ, capture_output=True, text=True, check=True
        )
        self._headers = {"Authorization": f"Bearer {made.stdout.strip()}"}

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = requests.request(method, f"{self._url}{path}", json=body, headers=self._headers, timeout=10)
        assert answer.ok, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def members(self, cohort_id: int) -> set[str]:
        path = f"/projects/{PROJECT_ID}/cohorts/{cohort_id}/members"
        headers = {**self._headers, "Accept": "application/x-ndjson"}
        answer = requests.get(f"{self._url}{path}", headers=headers, timeout=10)
        assert answer.ok, answer.text
        return {each["distinct_id"] for each in map(json.loads, answer.iter_lines())}


class Copy:
    """Keeps a copy of the membership, by what it is told; breaks off now and then."""

    def __init__(self) -> None:
        self.present: dict[str, set[str]] = defaultdict(set)
        self.secret = ""
        self.taken: list[str] = []
        self.breaks: list[int] = []
        self._lock = Lock()

    def answer(self, body: bytes, headers: Mapping[str, str]) -> int | None:
        with self._lock:
            told = Webhook(self.secret).verify(body, dict(headers))
            if len(self.taken) in self.breaks:
                self.breaks.remove(len(self.taken))
                return None  # it took nothing, or so it seems
            if told["id"] not in self.taken:
                assert told.get("previous") == (self.taken[-1] if self.taken else None)
                self.taken.append(told["id"])
            self._take(told)
        return 204

    def _take(self, told: dict[str, Any]) -> None:
        here = self.present[told["subject"].removeprefix("cohorts/")]
        ids = {member["distinct_id"] for member in told["data"]["members"]}
        if told["type"] == "cohort-relay.members.entered":
            here |= ids
        elif told["type"] == "cohort-relay.members.exited":
            here -= ids


def test_a_subscriber_that_breaks_off_while_its_worker_is_killed_has_the_exact_membership(
    stack: Stack, sandbox: SandboxClient
) -> None:
    api, copy = Api(stack), Copy()
    deliver(stack, sandbox)
    with receiving(copy.answer) as url:
        wish = {"url": url, "batch": 7, "types": ["members.*"], "from": "now"}
        made = api.call("POST", "/subscriptions", wish)
        copy.secret = made["secret"]
        try:
            before = {cohort_id: api.members(cohort_id) for cohort_id in sandbox.cohorts()}
            copy.present.update({str(cohort_id): set(ids) for cohort_id, ids in before.items()})
            copy.breaks = [3]
            sandbox.churn(0.2)
            sandbox.sync()
            wait_until(lambda: len(copy.taken) > 5, 30, "messages come")
            stack.webhooks.kill()
            stack.webhooks.start()
            sandbox.churn(0.2)
            deliver(stack, sandbox)

            def is_told() -> bool:
                (standing,) = api.call("GET", f"/subscriptions/{made['id']}")["projects"]
                return standing["behind"] == 0 and not standing["tries"]

            wait_until(is_told, 40, "everything was told")
        finally:
            api.call("DELETE", f"/subscriptions/{made['id']}")
    after = {cohort_id: api.members(cohort_id) for cohort_id in sandbox.cohorts()}
    assert {cohort_id: ids for cohort_id, ids in copy.present.items() if ids} == {
        str(cohort_id): ids for cohort_id, ids in after.items() if ids
    }
    assert after != before
