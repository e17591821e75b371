"""What a run prints: a banner, a line for each finished sync, warnings, errors, and what it does itself."""

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from app.local.fold import WINDOW_S, Folder
from app.local.lines import HEADER, Line, LineReader

_COLOURS = {"dim": "2", "bold": "1", "sync": "32", "warning": "33", "error": "31"}
_WIDTH_WHEN_PIPED = 400
_HEADER_EVERY = 40  # finished syncs


class Console:
    """The terminal, shared by everything that a run has to say.

    Args:
        stream: where to print.
        colour: whether to use colours.
        clock: seconds since the epoch.
    """

    def __init__(self, stream: TextIO, *, colour: bool, clock: Callable[[], float] = time.time) -> None:
        self._stream = stream
        self._colour = colour
        self._clock = clock
        self._reader = LineReader()
        self._folder = Folder()
        self._syncs = 0

    def log(self, process: str, line: bytes) -> None:
        """Show a line that a process wrote, if it is one of those worth showing and not a repetition."""
        found = self._reader.read(process, line)
        if found is None:
            return
        if found.kind == "sync":
            self._sync(found)
        elif self._folder.admit((found.kind, found.text.partition(" (")[0], found.key), self._clock()):
            self._line(found.kind, self._cut(f"{found.kind}  {found.text}"))

    def tick(self) -> None:
        """Say how often folded messages were repeated, once that is known; to be called now and then."""
        for key, count in self._folder.due(self._clock()):
            assert isinstance(key, tuple)
            kind, text, _ = key
            times = "once more" if count == 1 else f"{count:,} times more"
            self._line(kind, f"{kind}  {text} ({times} within {WINDOW_S:.0f} s)")

    def say(self, sentence: str) -> None:
        """Say what the run does."""
        self._line("dim", sentence)

    def complain(self, sentence: str) -> None:
        """Say what keeps the run from starting or going on."""
        self._line("error", sentence)

    def block(self, text: str) -> None:
        """Print several lines as they are."""
        self._write(text)

    def bold(self, text: str) -> str:
        """Return the text in bold where there are colours."""
        return self._paint("bold", text)

    def _sync(self, line: Line) -> None:
        if self._syncs % _HEADER_EVERY == 0:
            self._write(self._paint("dim", HEADER))
        self._syncs += 1
        self._line("sync", line.text)

    def _line(self, colour: str, text: str) -> None:
        stamp = time.strftime("%H:%M:%S", time.localtime(self._clock()))
        self._write(f"{self._paint('dim', stamp)}  {self._paint(colour, text)}")

    def _cut(self, text: str) -> str:
        """Keep a process's message on one line of the terminal: the whole of it is in the log."""
        columns = shutil.get_terminal_size().columns if self._stream.isatty() else _WIDTH_WHEN_PIPED
        room = max(columns - len("00:00:00  "), 20)
        return text if len(text) <= room else text[: room - 1] + "…"

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colour else text

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone: everything must end in order all the same
            self._stream.write(text + "\n")
            self._stream.flush()


def colour_wanted(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Say whether to use colours: at a terminal, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
