"""The endpoints for events as a client meets them: a process, a socket, headers."""

import gzip
import json
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.sandbox.conftest import Running, command, environment
from tests.unit.sandbox.calls import alias, event

Run = Callable[..., Running]
QUIET = ("--profiles", "0", "--cohorts", "0", "--no-sender")
ACCOUNT = ("sandbox-account", "sandbox-secret")
PROJECT = "2195193"
LATELY_S = 1_753_920_000


def take(sandbox: Running, events: list[dict[str, Any]], timeout_s: float = 30) -> requests.Response:
    lines = "\n".join(json.dumps(one) for one in events)
    return requests.post(
        f"{sandbox.url}/import",
        data=gzip.compress(lines.encode()),
        params={"strict": "1", "project_id": PROJECT},
        auth=ACCOUNT,
        headers={"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"},
        timeout=timeout_s,
    )


def numbered(number: int) -> dict[str, Any]:
    return event(time=LATELY_S + number, **{"$insert_id": f"i-{number}"})


def exported(sandbox: Running) -> requests.Response:
    return requests.get(
        f"{sandbox.url}/api/2.0/export",
        params={"from_date": "2025-07-31", "to_date": "2025-08-01", "project_id": PROJECT},
        auth=ACCOUNT,
        timeout=30,
    )


def test_events_go_in_packed_and_come_out_packed(run: Run) -> None:
    sandbox = run(*QUIET)
    assert take(sandbox, [numbered(number) for number in range(50)]).json()["num_records_imported"] == 50

    answer = exported(sandbox)
    assert answer.headers["Content-Encoding"] == "gzip"
    times = [json.loads(line)["properties"]["time"] for line in answer.text.splitlines()]
    assert times == [LATELY_S + number for number in range(50)]


def test_a_killed_sandbox_has_every_event_that_it_acknowledged(run: Run, tmp_path: Path) -> None:
    arguments = (*QUIET, "--data-dir", str(tmp_path), "--id-management", "original")
    first = run(*arguments)
    assert take(first, [numbered(1), alias("u1", "a1")]).status_code == 200
    first.end(signal.SIGKILL)

    second = run(*arguments)
    assert take(second, [numbered(1)]).status_code == 200
    assert second.get("/event-counts")["arrivals"] == {"Signed up": 2}
    assert second.get("/event-counts")["events"] == {"Signed up": 1}
    assert set(second.get("/clusters/a1")["ids"]) == {"u1", "a1"}


def test_another_identity_system_on_the_same_state_is_refused_in_a_sentence(run: Run, tmp_path: Path) -> None:
    first = run(*QUIET, "--data-dir", str(tmp_path), "--id-management", "original")
    take(first, [numbered(1)])
    first.end()

    started = subprocess.run(
        command(
            "run", "--port", first.url.rpartition(":")[2], "--data-dir", str(tmp_path), "--log-format", "json"
        ),
        capture_output=True,
        text=True,
        env=environment(),
        timeout=20,
        check=False,
    )
    assert started.returncode == 1
    assert "holds data of the identity system original, not simplified" in started.stderr


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_import_can_be_cut_and_the_next_one_is_whole(run: Run, when: str) -> None:
    sandbox = run(*QUIET)
    sandbox.post("/faults", kind="cut", when=when, path="/import")
    with pytest.raises(requests.ConnectionError):
        take(sandbox, [numbered(1)])

    assert take(sandbox, [numbered(1)]).status_code == 200
    counts = sandbox.get("/event-counts")
    assert (counts["total"], counts["total_arrivals"]) == (1, 1 if when == "before" else 2)


def test_an_import_can_be_left_without_an_answer(run: Run) -> None:
    sandbox = run(*QUIET)
    sandbox.post("/faults", kind="timeout", when="after", path="/import")
    with pytest.raises(requests.ReadTimeout):
        take(sandbox, [numbered(1)], timeout_s=0.3)

    assert sandbox.get("/event-counts")["total"] == 1


def test_ten_clients_at_once_lose_and_double_nothing(run: Run) -> None:
    sandbox = run(*QUIET)

    def send(client: int) -> list[int]:
        batch = [numbered(number) for number in range(client * 50, client * 50 + 100)]
        return [take(sandbox, batch).status_code for _ in range(2)]

    with ThreadPoolExecutor(10) as pool:
        assert {status for statuses in pool.map(send, range(10)) for status in statuses} == {200}
    counts = sandbox.get("/event-counts")
    assert (counts["total"], counts["total_arrivals"]) == (550, 2000)


def test_credentials_come_by_basic_auth_only(run: Run) -> None:
    sandbox = run(*QUIET)
    for headers in ({}, {"Authorization": "Bearer sandbox-token"}, {"Authorization": "Basic ?"}):
        assert (
            requests.post(f"{sandbox.url}/import", json=[numbered(1)], headers=headers, timeout=5).status_code
            == 401
        )
    assert requests.post(
        f"{sandbox.url}/import", json=[numbered(1)], auth=("sandbox-token", ""), timeout=5
    ).ok
