"""`make run`: everything starts, reports, ends, and goes on where it stopped."""

import os
import re
import signal
import socket
from pathlib import Path

import pytest
import requests

from tests.e2e.local_run import local_run
from tests.processes import command_of
from tests.waiting import wait_until

RUNS = "Ctrl-C ends everything"


def syncs(shown: str) -> list[tuple[int, int]]:
    """Return of each finished sync how many entered, and how many are members now."""
    rows = re.findall(r" \+?([\d,]+) +-?[\d,]+ +~?[\d,]+ +([\d,]+) +\d+\.\d s$", shown, re.MULTILINE)
    return [(int(entered.replace(",", "")), int(members.replace(",", ""))) for entered, members in rows]


@pytest.mark.slow
def test_a_demo_delivers_syncs_until_ctrl_c_and_goes_on_in_the_next_run(tmp_path: Path) -> None:
    with local_run(tmp_path) as run:
        run.wait_for(RUNS)
        assert f"http://localhost:{run.port}/webhooks/mixpanel/cohorts" in run.shown
        assert f"http://localhost:{run.sandbox_port}/" in run.shown
        assert re.search(r"user mixpanel, password \S+ \(made up", run.shown)
        assert requests.get(f"http://127.0.0.1:{run.port}/healthz", timeout=5).status_code == 200
        assert f"SANDBOX_URL='http://127.0.0.1:{run.sandbox_port}'" in (run.var / "run.env").read_text()
        run.wait_for("up to date after")
        wait_until(lambda: len(syncs(run.shown)) >= 5, 60, "every cohort's first sync is shown")
        assert all(entered == members for entered, members in syncs(run.shown)[:5])
        run.interrupt()
        assert run.wait_for_end() == 0
        assert "Stopped." in run.shown
        assert run.left() == []
        assert " error " not in run.shown
        first = run.shown
        run.start()
        wait_until(lambda: run.shown.count(RUNS) == 2, 60, "it runs again")
        wait_until(lambda: syncs(run.shown.rpartition(RUNS)[2]), 60, "a sync of the second run is shown")
        # A relay or a sandbox that had forgotten would begin with everybody's entering.
        assert all(entered < members for entered, members in syncs(run.shown.rpartition(RUNS)[2]))
        passwords = re.findall(r"password (\S+) \(made up", run.shown)
        assert len(passwords) == 2
        assert passwords[0] == passwords[1]
        assert run.shown.startswith(first)
        run.interrupt()
        assert run.wait_for_end() == 0


@pytest.mark.slow
def test_a_process_that_dies_is_told_and_ends_everything(tmp_path: Path) -> None:
    with local_run(tmp_path) as run:
        run.wait_for(RUNS)
        worker = next(pid for pid in run.started if "workers.worker apply" in command_of(pid))
        os.kill(worker, signal.SIGKILL)
        assert run.wait_for_end() == 1
        assert "apply ended unexpectedly (killed by SIGKILL)" in run.shown
        assert run.left() == []


@pytest.mark.slow
def test_nothing_is_left_of_a_run_that_was_killed(tmp_path: Path) -> None:
    with local_run(tmp_path) as run:
        run.wait_for(RUNS)
        assert run.started
        run.process.kill(group=False)
        wait_until(lambda: not run.left(), 60, "every process has ended")


@pytest.mark.slow
def test_a_second_run_over_the_same_data_is_refused(tmp_path: Path) -> None:
    with local_run(tmp_path / "one") as first:
        first.wait_for(RUNS)
        with local_run(tmp_path / "two", var=first.var) as second:
            assert second.wait_for_end() == 1
            assert f"Another run (process {first.process.pid}) uses" in second.shown


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with local_run(tmp_path, {"PORT": str(port)}) as run:
            assert run.wait_for_end() == 1
            assert f"Port {port} (for the web server) is in use" in run.shown
            assert not list((run.var / "log").iterdir())


def test_settings_that_cannot_be_used_are_told_all_at_once(tmp_path: Path) -> None:
    with local_run(tmp_path, {"LOG_LEVEL": "loud", "MAX_BODY_BYTES": "much"}) as run:
        assert run.wait_for_end() == 1
        assert "LOG_LEVEL" in run.shown
        assert "MAX_BODY_BYTES" in run.shown
