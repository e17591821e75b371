import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.sandbox.conftest import Running, command, environment, free_port, wait_for
from tests.integration.sandbox.receiver import Receiver

Run = Callable[..., Running]
SMALL = ("--profiles", "1500", "--cohorts", "3")


def engage(sandbox: Running, records: Any, timeout_s: float = 30, **query: int) -> requests.Response:
    return requests.post(f"{sandbox.url}/engage", json=records, params=query, timeout=timeout_s)


def union(distinct_id: str, name: str = "VIP") -> dict[str, Any]:
    return {"$token": "sandbox-token", "$distinct_id": distinct_id, "$union": {"Cohorts": [name]}}


def told(receiver: Receiver, sandbox: Running) -> bool:
    """Tell whether the receiver holds exactly what the sandbox exported last."""
    return all(
        receiver.cohorts.get(str(cohort["cohort_id"]))
        == set(sandbox.get(f"/cohorts/{cohort['cohort_id']}/members")["snapshot"] or [])
        for cohort in sandbox.get("/cohorts")["cohorts"]
    )


def test_a_receiver_gets_first_syncs_and_then_follows_churn(run: Run, receiver: Receiver) -> None:
    arguments = ("--webhook-url", receiver.url, "--username", "mixpanel", "--password", "secret")
    sandbox = run(*SMALL, *arguments, "--interval", "0.3", "--churn", "0.1")

    wait_for(lambda: len({page["parameters"]["mixpanel_cohort_id"] for page in receiver.pages}) == 3)
    wait_for(lambda: any(page["action"] == "remove_members" for page in receiver.pages))
    sandbox.post("/settings", sender={"automatic": False})
    sandbox.post("/sync")

    assert told(receiver, sandbox)
    assert receiver.authorizations == {"Basic bWl4cGFuZWw6c2VjcmV0"}
    assert all(len(page["parameters"]["members"]) <= 1000 for page in receiver.pages)


def test_a_webhook_that_starts_late_is_waited_for_without_a_failed_sync(run: Run) -> None:
    port = free_port()
    sandbox = run(*SMALL, "--webhook-url", f"http://127.0.0.1:{port}/x")
    time.sleep(0.5)
    assert {cohort["last_sync"] for cohort in sandbox.get("/cohorts")["cohorts"]} == {None}

    with Receiver(port) as receiver:
        wait_for(lambda: len(receiver.cohorts) == 3)
    counters = sandbox.get("/counters")["counters"]
    assert counters["webhook_success"] == counters["webhook_requests"]


def test_a_permanent_answer_pauses_until_resumed(run: Run, receiver: Receiver) -> None:
    receiver.status = 404
    sandbox = run(*SMALL, "--webhook-url", receiver.url, "--no-sender")

    assert {sync["state"] for sync in sandbox.post("/sync")["syncs"]} == {"paused"}
    assert sandbox.get("/cohorts/1001")["paused"] == "answering 404"
    receiver.status = 200
    sandbox.post("/cohorts/1001/resume")
    assert [sync["state"] for sync in sandbox.post("/sync")["syncs"]] == ["done", "skipped", "skipped"]


def test_a_transient_answer_is_retried_on_the_sandbox_clock(run: Run, receiver: Receiver) -> None:
    receiver.status = 503
    sandbox = run(*SMALL, "--webhook-url", receiver.url, "--no-sender")
    sandbox.post("/clock", scale=100)

    started = time.monotonic()
    assert sandbox.post("/sync", cohort_id=1001)["syncs"][0]["state"] == "failed"
    assert 0.5 < time.monotonic() - started < 10
    assert len(receiver.pages) == 6


def test_an_answer_that_comes_too_late_counts_as_a_time_out(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/x"
        sandbox = run(*SMALL, "--webhook-url", url, "--no-sender", "--timeout", "0.1", "--retry-span", "0.1")
        sync = sandbox.post("/sync", cohort_id=1001)["syncs"][0]

    assert (sync["state"], sync["reason"]) == ("failed", "time-out")


def test_a_killed_sandbox_goes_on_where_it_stopped(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    arguments = (*SMALL, "--data-dir", str(tmp_path), "--webhook-url", receiver.url, "--no-sender")
    first = run(*arguments)
    first.post("/sync")
    engage(first, [union("somebody")])
    first.end(signal.SIGKILL)
    sessions = {page["parameters"]["mixpanel_session_id"] for page in receiver.pages}
    receiver.pages.clear()

    second = run(*arguments)
    assert second.get("/profiles/somebody")["properties"]["Cohorts"] == ["VIP"]
    second.post("/churn", share=0.1)
    second.post("/sync")
    assert {page["action"] for page in receiver.pages} == {"add_members", "remove_members"}
    assert sessions.isdisjoint({page["parameters"]["mixpanel_session_id"] for page in receiver.pages})
    assert told(receiver, second)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_ends_at_once_even_while_requests_are_held(
    run: Run, receiver: Receiver, number: int
) -> None:
    sandbox = run(*SMALL, "--webhook-url", receiver.url)
    sandbox.post("/faults", kind="timeout")
    failed: list[bool] = []

    def hold() -> None:
        try:
            engage(sandbox, [union("a")])
        except requests.ConnectionError:
            failed.append(True)

    held = threading.Thread(target=hold)
    held.start()
    wait_for(lambda: not sandbox.get("/faults")["faults"])

    started = time.monotonic()
    assert sandbox.end(number) == 0
    assert time.monotonic() - started < 2
    held.join(5)
    assert failed == [True]


@pytest.mark.parametrize(("when", "profiles"), [("before", 0), ("after", 1)])
def test_a_cut_connection_gives_no_answer(run: Run, when: str, profiles: int) -> None:
    sandbox = run("--profiles", "0", "--cohorts", "0")
    sandbox.post("/faults", kind="cut", when=when)

    with pytest.raises(requests.ConnectionError):
        engage(sandbox, [union("a")])
    assert sandbox.get("/profile-count")["count"] == profiles
    assert engage(sandbox, [union("a")]).text == "1"


def test_a_request_without_an_answer_ends_with_the_clients_patience(run: Run) -> None:
    sandbox = run("--profiles", "0", "--cohorts", "0")
    sandbox.post("/faults", kind="timeout", when="after")

    with pytest.raises(requests.ReadTimeout):
        engage(sandbox, [union("a")], timeout_s=0.3)
    assert sandbox.get("/profile-count")["count"] == 1


def test_connections_stay_open_between_requests(run: Run) -> None:
    sandbox = run("--profiles", "0", "--cohorts", "0")
    body = b"[]"
    head = b"POST /engage?verbose=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    host, port = "127.0.0.1", int(sandbox.url.rsplit(":", 1)[1])
    with socket.create_connection((host, port), timeout=5) as connection:
        for _ in range(2):
            connection.sendall(head + body)
            assert b'"status":0' in connection.recv(65536).split(b"\r\n\r\n")[1]


def test_a_chunked_body_is_read(run: Run) -> None:
    sandbox = run("--profiles", "0", "--cohorts", "0")
    chunks = iter([b"[", json.dumps(union("a")).encode(), b"]"])

    assert requests.post(f"{sandbox.url}/engage", data=chunks, timeout=5).text == "1"


def test_two_thousand_records_take_well_under_a_tenth_of_a_second(run: Run) -> None:
    sandbox = run("--profiles", "0", "--cohorts", "0")
    records = [union(f"u{number}") for number in range(2000)]
    for _ in range(5):
        assert engage(sandbox, records, ip=0, strict=1).json()["num_records_imported"] == 2000

    took = sorted(entry["took_ms"] for entry in sandbox.get("/requests", direction="in")["requests"])
    assert took[0] < 100  # the best of five: the machine may be busy with other tests


def test_no_personal_data_is_logged(run: Run, receiver: Receiver) -> None:
    sandbox = run(*SMALL, "--webhook-url", receiver.url, "--no-sender")
    sandbox.post("/sync")
    engage(
        sandbox, [{"$token": "sandbox-token", "$distinct_id": "anna@example.org", "$set": {"$name": 7}}, "x"]
    )
    profiles = sandbox.get("/profiles", limit=500)["profiles"]
    sandbox.end()
    output, errors = sandbox.process.communicate()

    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["event"] for line in lines] == ["sandbox sync done"] * 3
    assert errors == ""
    assert "anna" not in output
    assert not any(
        profile["distinct_id"] in output for profile in profiles if len(profile["distinct_id"]) > 10
    )


def test_a_port_in_use_is_a_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed = subprocess.run(
            command("run", "--port", str(port)),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env=environment(),
        )

    assert failed.returncode == 1
    advice = "stop what listens there, or choose another with --port"
    assert failed.stderr == f"Error: port {port} on 127.0.0.1 is in use: {advice}\n"


def test_a_data_directory_in_use_is_a_clear_sentence(run: Run, tmp_path: Path) -> None:
    run(*SMALL, "--data-dir", str(tmp_path))
    arguments = command("run", "--port", str(free_port()), "--data-dir", str(tmp_path))
    failed = subprocess.run(
        arguments, capture_output=True, text=True, timeout=20, check=False, env=environment()
    )

    assert failed.returncode == 1
    assert "is in use by another sandbox" in failed.stderr
    assert "--data-dir" in failed.stderr
