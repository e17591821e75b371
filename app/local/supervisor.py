"""Keep a run's processes: start them, read what they write, notice an end, end them in order.

In place of honcho's manager, which ends all processes at once (Redis before what still writes to it), after
5 s by force and without what they forked, and starts a Python process more for each.
"""

import contextlib
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from app.local import reaper
from app.local.child import Child, Command
from app.local.errors import StopRequestedError
from app.local.log_file import LogFile

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TICK_S = 0.2


class ChildEndedError(Exception):
    """A process ended although nobody asked it to."""

    def __init__(self, child: Child) -> None:
        super().__init__(f"{child.name} ended: {child.how_it_ended()}")
        self.child = child


class Supervisor:
    """The processes of one run. A context: whatever happens inside, at its end none of them is left.

    Args:
        root: working directory of every process.
        log_directory: gets a `<name>.log` for each.
        on_line: called with a process's name and each line it writes.
        held: file descriptors that the reaper keeps open as well, so that a lock outlives a killed run.
    """

    def __init__(
        self,
        root: Path,
        log_directory: Path,
        on_line: Callable[[str, bytes], None],
        held: tuple[int, ...] = (),
    ) -> None:
        self._root = root
        self._logs = log_directory
        self._on_line = on_line
        self._held = held
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._stop_requests = 0

    def __enter__(self) -> Self:
        self._catch_signals()
        self._reaper = subprocess.Popen(  # noqa: S603 - this package's own file
            [sys.executable, "-I", reaper.__file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=self._held,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop_all()
        finally:
            for child in self._children:  # none, unless stopping them failed
                child.kill()
            assert self._reaper.stdin is not None
            self._reaper.stdin.close()
            self._reaper.wait()
            self._release_signals()

    @property
    def impatient(self) -> bool:
        """Whether somebody asked a second time to stop."""
        return self._stop_requests > 1

    def start(self, command: Command) -> Child:
        """Start a process.

        Raises:
            OSError: its program cannot be run.
        """
        log = LogFile(self._logs / f"{command.name}.log")
        log.write(f"--- started {time.strftime('%Y-%m-%d %H:%M:%S %z')} ---\n".encode())
        child = Child(command, self._root, log, self._on_line)
        self._children.append(child)
        self._tell_reaper(f"+{command.stop_phase} {child.pid}")
        self._selector.register(child, selectors.EVENT_READ, child)
        return child

    def watch(self, timeout_s: float = _TICK_S) -> None:
        """Read what the processes write, for up to `timeout_s` or until something happens.

        Raises:
            ChildEndedError: one of them has ended.
            StopRequestedError: the run is asked to stop.
        """
        self._read(timeout_s)
        if self._stop_requests:
            raise StopRequestedError
        for child in self._children:
            if child.ended:
                self._drain(child)
                raise ChildEndedError(child)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Watch until the condition holds; False when it does not within the time."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.watch(0.05)
        return True

    def stop_all(self) -> None:
        """End every process, phase by phase; by force after their time or a second request."""
        for phase in sorted({child.command.stop_phase for child in self._children}):
            self._stop([child for child in self._children if child.command.stop_phase == phase])

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            child.terminate()
        deadline = time.monotonic() + max(child.command.grace_s for child in children)
        while not all(child.ended for child in children):
            if self.impatient or time.monotonic() > deadline:
                break
            self._read(0.05)
        for child in children:
            child.kill()
            self._drain(child)
            self._forget(child)

    def _forget(self, child: Child) -> None:
        self._tell_reaper(f"-{child.pid}")
        self._unregister(child)
        child.close()
        self._children.remove(child)

    def _read(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            if isinstance(key.data, Child) and not key.data.read():
                self._unregister(key.data)
            elif key.data is None:
                self._wakeup.recv(64)

    def _drain(self, child: Child) -> None:
        """Read the rest of an ended process's output, without waiting for whoever else holds it open."""
        for _ in range(64):
            if not child.read():
                break

    def _unregister(self, child: Child) -> None:
        if child in {key.data for key in self._selector.get_map().values()}:
            self._selector.unregister(child)

    def _tell_reaper(self, line: str) -> None:
        assert self._reaper.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # somebody killed it: the run goes on without
            self._reaper.stdin.write(f"{line}\n".encode())
            self._reaper.stdin.flush()

    def _catch_signals(self) -> None:
        # A signal arriving between two checks must still end the selector's wait: hence the wake-up socket.
        self._wakeup, self._sender = socket.socketpair()
        for end in (self._wakeup, self._sender):
            end.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._wakeup, selectors.EVENT_READ, None)
        self._handlers = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}

    def _release_signals(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self._selector.close()
        self._wakeup.close()
        self._sender.close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stop_requests += 1
