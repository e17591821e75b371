"""`python -m app.local` as a person starts it, in a directory and on ports of the test's own."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.process import Process
from tests.ports import free_port
from tests.processes import descendants, runs
from tests.waiting import wait_until

_INHERITED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "PATH")


class LocalRun:
    """One `make run`, without make.

    Args:
        directory: for its data and its terminal.
        environ: settings on top of those set here.
        var: data directory, when it is not to be one of its own.
    """

    def __init__(
        self, directory: Path, environ: Mapping[str, str] | None = None, var: Path | None = None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.var = var or directory / "var"
        self.port, self.sandbox_port = free_port(), free_port()
        self.process = Process(
            "local",
            (sys.executable, "-m", "app.local", f"--var={self.var}", f"--env-file={directory / 'none'}"),
            {
                **{name: os.environ[name] for name in _INHERITED if name in os.environ},
                "PORT": str(self.port),
                "SANDBOX_PORT": str(self.sandbox_port),
                "SANDBOX_INTERVAL_S": "2",
                **(environ or {}),
            },
            directory / "terminal.log",
        )
        self.started: list[int] = []

    @property
    def shown(self) -> str:
        """What stands on the terminal."""
        return self.process.output()

    def start(self) -> None:
        self.process.start()

    def wait_for(self, text: str, timeout_s: float = 60.0) -> None:
        """Wait until the terminal shows a text; remember the processes that were started up to then."""
        wait_until(lambda: text in self.shown or not self.process.running, timeout_s, f"{text!r} is shown")
        assert text in self.shown, f"ended without showing {text!r}:\n{self.shown}\n{self.tails()}"
        self.started = descendants(self.process.pid)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.kill(self.process.pid, signal.SIGINT)

    def wait_for_end(self, timeout_s: float = 60.0) -> int:
        """Wait for the end and return the exit code."""
        wait_until(lambda: not self.process.running, timeout_s, "the run has ended")
        return self.process.stop()

    def left(self) -> list[int]:
        """Return the processes that outlived the run."""
        return [pid for pid in self.started if runs(pid)]

    def tails(self) -> str:
        """Return the end of every process's log."""
        logs = sorted((self.var / "log").glob("*.log"))
        return "\n".join(f"--- {log.name}\n" + "\n".join(log.read_text().splitlines()[-15:]) for log in logs)


@contextmanager
def local_run(
    directory: Path, environ: Mapping[str, str] | None = None, var: Path | None = None
) -> Iterator[LocalRun]:
    """Start a run, and leave nothing of it, whatever happens."""
    run = LocalRun(directory, environ, var)
    run.start()
    try:
        yield run
    except BaseException:
        print(run.shown, run.tails(), sep="\n")
        raise
    finally:
        run.process.kill()
        for pid in run.left():
            os.kill(pid, signal.SIGKILL)
