"""Processes are watched, ended in order, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.local.errors import StopRequestedError
from app.local.reaper import alive
from app.local.supervisor import ChildEndedError, Supervisor
from tests.guard import ROOT
from tests.integration.local.conftest import Shell
from tests.processes import runs
from tests.waiting import wait_until

FOREVER = "while :; do sleep 0.05; done"
STUBBORN = f"trap '' TERM; echo ready; {FOREVER}"
# A run of two processes, one of which ignores SIGTERM, to be killed itself.
RUN = f"""
import os, pathlib, sys
from app.local.child import Command
from app.local.supervisor import Supervisor
here = pathlib.Path(sys.argv[1])
with Supervisor(here, here, lambda name, line: None) as supervisor:
    for name in ("one", "two"):
        child = supervisor.start(Command(name, ("/bin/sh", "-c", {FOREVER!r}), dict(os.environ), 1))
        print(child.pid, flush=True)
    while True:
        supervisor.watch()
"""


def wrote(lines: list[tuple[str, bytes]], name: str, line: bytes) -> bool:
    return (name, line) in lines


def test_every_line_is_kept_in_the_process_own_log_and_handed_on(
    supervisor: Supervisor, shell: Shell, lines: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    supervisor.start(shell("talker", f"trap 'printf half; exit' TERM; echo one; echo two >&2; {FOREVER}"))
    assert supervisor.wait_until(lambda: len(lines) == 2, 5)
    supervisor.stop_all()
    assert lines == [("talker", b"one"), ("talker", b"two"), ("talker", b"half")]
    assert (tmp_path / "talker.log").read_text().splitlines()[1:] == ["one", "two", "half"]


def test_a_process_that_ends_is_told_with_how_it_ended_and_its_last_lines(
    supervisor: Supervisor, shell: Shell
) -> None:
    supervisor.start(shell("steady", FOREVER))
    supervisor.start(shell("broken", "seq 100000; echo the reason; exit 3"))  # more than is read at once
    with pytest.raises(ChildEndedError, match="broken ended: exit code 3") as ended:
        supervisor.wait_until(lambda: False, 5)
    assert ended.value.child.log.tail(1) == ["the reason"]


def test_the_last_lines_are_never_those_of_an_earlier_run(
    supervisor: Supervisor, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "broken.log").write_text("another reason\n" * 5)
    supervisor.start(shell("broken", "echo the reason"))
    with pytest.raises(ChildEndedError) as ended:
        supervisor.wait_until(lambda: False, 5)
    started, reason = ended.value.child.log.tail(15)
    assert started.startswith("--- started")
    assert reason == "the reason"


def test_a_killed_process_is_told_by_its_signal(supervisor: Supervisor, shell: Shell) -> None:
    child = supervisor.start(shell("victim", FOREVER))
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ChildEndedError, match="victim ended: killed by SIGKILL"):
        supervisor.wait_until(lambda: False, 5)


def test_processes_end_phase_by_phase(
    supervisor: Supervisor, shell: Shell, lines: list[tuple[str, bytes]]
) -> None:
    for name, phase in (("redis", 9), ("worker", 4), ("web", 2)):
        line = f"trap 'sleep 0.1; echo ended; exit' TERM; echo ready; {FOREVER}"
        supervisor.start(shell(name, line, stop_phase=phase))
    assert supervisor.wait_until(lambda: len(lines) == 3, 5)
    supervisor.stop_all()
    assert [name for name, line in lines if line == b"ended"] == ["web", "worker", "redis"]


def test_what_a_process_forked_ends_with_it(
    supervisor: Supervisor, shell: Shell, lines: list[tuple[str, bytes]]
) -> None:
    supervisor.start(shell("parent", f'sh -c "{STUBBORN}" & echo $!; {FOREVER}'))
    assert supervisor.wait_until(lambda: wrote(lines, "parent", b"ready") and len(lines) == 2, 5)
    (forked,) = (int(line) for _, line in lines if line.isdigit())
    supervisor.stop_all()
    wait_until(lambda: not runs(forked), 5, "the forked process has ended")


def test_a_process_that_does_not_end_in_its_time_is_killed(
    supervisor: Supervisor, shell: Shell, lines: list[tuple[str, bytes]]
) -> None:
    child = supervisor.start(shell("stubborn", STUBBORN, grace_s=0.2))
    assert supervisor.wait_until(lambda: wrote(lines, "stubborn", b"ready"), 5)
    supervisor.stop_all()
    assert child.ended


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_a_request_to_stop_and_ends_the_wait_at_once(
    supervisor: Supervisor, number: signal.Signals
) -> None:
    os.kill(os.getpid(), number)
    started = time.monotonic()
    with pytest.raises(StopRequestedError):
        supervisor.watch(10)
    assert time.monotonic() - started < 5
    assert not supervisor.impatient


def test_a_second_request_kills_at_once(
    supervisor: Supervisor, shell: Shell, lines: list[tuple[str, bytes]]
) -> None:
    supervisor.start(shell("stubborn", STUBBORN, grace_s=60))
    assert supervisor.wait_until(lambda: wrote(lines, "stubborn", b"ready"), 5)
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)
    started = time.monotonic()
    supervisor.stop_all()
    assert time.monotonic() - started < 5


def test_what_a_killed_run_started_ends_all_the_same(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True
    )
    with run:
        assert run.stdout is not None
        pids = [int(run.stdout.readline()) for _ in range(2)]
        assert all(alive(pid) for pid in pids)
        run.kill()
    wait_until(lambda: not any(runs(pid) for pid in pids), 10, "both processes have ended")
