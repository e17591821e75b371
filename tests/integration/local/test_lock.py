"""One run at a time over one data directory."""

import os
import subprocess
from pathlib import Path

import pytest

from app.local.errors import LocalError
from app.local.lock import RunLock
from tests.waiting import wait_until


def test_a_second_run_over_the_same_data_is_refused_with_the_first_ones_process_id(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path / "lock"), RunLock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(LocalError, match=rf"process {os.getpid()}.*Ctrl-C"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_after_a_killed_run_the_next_waits_for_what_it_left_behind(tmp_path: Path) -> None:
    killed = RunLock(tmp_path / "lock")
    killed.acquire()
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / "lock").write_text(str(ended.pid))  # the run is no more, what holds the lock with it still is
    left = subprocess.Popen(["sleep", "0.5"], pass_fds=(killed.descriptor,))
    killed.release()
    following = RunLock(tmp_path / "lock")
    following.acquire()
    assert wait_until(lambda: left.poll() is not None, 2)
    following.release()
