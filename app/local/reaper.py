"""End what a run started, should the run itself be killed: a process apart that outlives it by seconds.

A process that is killed with SIGKILL cannot tidy up. This one waits for that on its standard input: the run
writes a line for each process that starts (`+<stop phase> <pid>`) or has ended (`-<pid>`), and when the input
ends the groups of all processes still listed are ended, phase by phase. Works for processes that forked, and
wherever there are process groups, which a parent-death signal (Linux, direct children only) would not.

Runs alone, with the standard library only: `python -I app/local/reaper.py`.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

GRACE_S = 8.0  # for each phase, before SIGKILL


def main() -> None:
    """Keep the list until the input ends, then end what is on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # ends with its run, never before it
    phases: dict[int, int] = {}
    for line in sys.stdin:
        if line.startswith("+"):
            phase, pid = map(int, line[1:].split())
            phases[pid] = phase
        elif line.startswith("-"):
            phases.pop(int(line[1:]), None)
    for phase in sorted(set(phases.values())):
        end([pid for pid in phases if phases[pid] == phase])


def end(leaders: Iterable[int]) -> None:
    """Ask the leaders of these process groups to end, then kill what is left of the groups."""
    leaders = list(leaders)
    for pid in leaders:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while any(alive(pid) for pid in leaders) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in leaders:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Say whether a process of that id runs.

    One that has ended but was not collected yet does not: in a container, whoever adopts it may take seconds
    to collect it, or never do.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's process
    try:
        # The state follows the program's name, which stands in parentheses and may hold anything.
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # no /proc on this system, or ended just now
        return True
    return state not in "ZX"


if __name__ == "__main__":
    main()
