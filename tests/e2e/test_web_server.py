"""The webhook behind the real server: what only a real connection, signal or process can show."""

import base64
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.stack import PROJECT_ID, WEBHOOK_AUTH, Stack
from tests.guard import ROOT
from tests.waiting import wait_until

AUTHORIZATION = "Basic " + base64.b64encode(":".join(WEBHOOK_AUTH).encode()).decode()
HEADERS = {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Stack]:
    """Redis and the web server alone."""
    stack = Stack(tmp_path, environ={"WEB_WORKERS": "1"})
    stack.redis.start()
    stack.web.start()
    try:
        stack.wait_for_web()
        yield stack
    finally:
        stack.kill()


def page(session: str = "s1", members: int = 1) -> bytes:
    parameters = {
        "mixpanel_project_id": PROJECT_ID,
        "mixpanel_cohort_id": "7",
        "mixpanel_cohort_name": "VIP",
        "mixpanel_session_id": session,
        "page_info": {"total_pages": 1, "page_count": 1},
        "members": [{"mixpanel_distinct_id": f"u{number}"} for number in range(members)],
    }
    return json.dumps({"action": "members", "parameters": parameters}).encode()


def send(connection: http.client.HTTPConnection, body: bytes) -> tuple[int, http.client.HTTPResponse]:
    connection.request("POST", "/webhooks/mixpanel/cohorts", body, HEADERS)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer


def outcomes(stack: Stack) -> list[str]:
    lines = [json.loads(line) for line in stack.web.log.read_text().splitlines() if line.startswith("{")]
    return [line["outcome"] for line in lines if line["event"] == "page"]


def worker_pids(stack: Stack) -> list[int]:
    """Return the process ids of gunicorn's workers: the children of its master."""
    children = Path(f"/proc/{stack.web.pid}/task/{stack.web.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds gunicorn's worker through /proc")
def test_a_page_on_an_open_connection_is_503_once_the_server_was_asked_to_end(web: Stack) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    assert send(connection, page("s1"))[0] == 200
    (worker,) = worker_pids(web)
    os.kill(worker, signal.SIGTERM)  # as its master does
    time.sleep(0.2)  # within the 2 s that a worker waits for requests on open connections
    status, answer = send(connection, page("s2"))
    assert status == 503
    assert int(answer.headers["Retry-After"]) > 0
    wait_until(lambda: outcomes(web) == ["accepted", "shutting_down"], 10)


def test_a_page_in_chunks_and_gzipped_is_read(web: Stack) -> None:
    packed = gzip.compress(page(members=1000))
    chunks = (packed[start : start + 1000] for start in range(0, len(packed), 1000))
    headers = {**HEADERS, "Content-Encoding": "gzip"}
    answer = requests.post(web.webhook_url, data=chunks, headers=headers, timeout=10)
    assert answer.json() == {"action": "members", "status": "success"}


def test_a_body_over_the_limit_is_told_so_and_not_just_cut_off(web: Stack) -> None:
    for body in (bytes(40 * 1024 * 1024), (bytes(1024 * 1024) for _ in range(40))):
        answer = requests.post(web.webhook_url, data=body, headers=HEADERS, timeout=30)
        assert answer.status_code == 413
        assert answer.json()["status"] == "failure"


@pytest.mark.parametrize(
    "started",
    [
        b"Content-Length: 1000\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    ],
)
def test_a_body_that_breaks_off_is_never_a_fault_of_the_sender(web: Stack, started: bytes) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        request = f"POST /webhooks/mixpanel/cohorts HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n"
        connection.sendall(request.encode() + started)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1000)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 503")  # gunicorn may have nobody left to answer
    wait_until(lambda: outcomes(web), 10, "the page's log line")
    assert outcomes(web) == ["body_incomplete"]


def test_wrong_settings_are_sentences_and_end_the_server() -> None:
    environ = {"PATH": str(Path(sys.executable).parent)}
    for arguments in (
        ("-c", "config/gunicorn.py", "wsgi:app"),
        ("--no-control-socket", "--bind", "127.0.0.1:0", "wsgi:app"),
    ):
        ended = subprocess.run(
            (sys.executable, "-m", "gunicorn", *arguments),
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert ended.returncode != 0
        assert "SECRET_KEY: is not set" in ended.stderr
        assert "Traceback" not in ended.stderr
