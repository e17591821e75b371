"""Which processes there are: from /proc where there is one, else from ps (which small images lack)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def runs(pid: int) -> bool:
    """Say whether a process runs: is there, and is not merely waiting to be collected by its parent."""
    return any(found == pid and state != "Z" for found, _, state in _processes())


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes that a process started, directly or not."""
    parents = {child: parent for child, parent, _ in _processes()}
    found = [pid]
    for each in found:  # grows while it is read
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def command_of(pid: int) -> str:
    """Return a process's program and arguments, separated by spaces."""
    if (_PROC / "self").exists():
        return (_PROC / str(pid) / "cmdline").read_text().replace("\0", " ").strip()
    return _ps("-o", "args=", "-p", str(pid)).strip()


def _processes() -> Iterator[tuple[int, int, str]]:
    """Yield each process's id, its parent's, and its state's letter."""
    if (_PROC / "self").exists():
        yield from _processes_of_proc()
        return
    for line in _ps("-eo", "pid=,ppid=,stat=").splitlines():
        pid, parent, state = line.split()
        yield int(pid), int(parent), state[0]


def _processes_of_proc() -> Iterator[tuple[int, int, str]]:
    for directory in _PROC.glob("[0-9]*"):
        try:
            # State and parent follow the program's name, which stands in parentheses and may hold anything.
            state, parent = (directory / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # has ended meanwhile
        yield int(directory.name), int(parent), state


def _ps(*options: str) -> str:
    return subprocess.run(["ps", *options], capture_output=True, text=True, check=False).stdout
