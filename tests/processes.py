"""Which processes there are."""

import subprocess
from pathlib import Path

_PROC = Path("/proc")


def runs(pid: int) -> bool:
    """Say whether a process runs: is there, and is not merely waiting to be collected by its parent."""
    state = _state(pid)
    return bool(state) and state != "Z"


def _state(pid: int) -> str:
    if (_PROC / "self").exists():
        try:
            # The state follows the program's name, which stands in parentheses and may hold anything.
            return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1]
