"""An answer of any length as lines, in the memory of one of them."""

from collections.abc import Iterator
from time import monotonic
from typing import Final

from app.mixpanel.calling.budgets import RENEW_S, Hold
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.problems import PROBLEMS
from app.mixpanel.transport import Streamed

MOST_LINE_BYTES: Final = 16 * 1024 * 1024
"""An event has at most 1 MB; escaped, some times that."""


class Stream:
    """The lines of an answer; they can be taken once.

    Args:
        streamed: The answer.
        hold: Its slot, which is renewed as long as lines are taken.
        where: The endpoint, for errors.
    """

    def __init__(self, streamed: Streamed, hold: Hold, where: str) -> None:
        self.status = streamed.status
        self.content_type = streamed.content_type
        self._pieces = streamed.pieces
        self._hold = hold
        self._where = where

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives, cut anywhere."""
        renewed_s = monotonic()
        for piece in self._pieces:
            if monotonic() - renewed_s > RENEW_S:
                self._hold.renew()
                renewed_s = monotonic()
            yield piece

    def blocks(self) -> Iterator[bytes]:
        """Yield whole lines of JSON objects, some at a time, each with its end.

        Raises:
            CallFailed: A line is none: Mixpanel ended the answer early, or said an error in it.
        """
        rest = b""
        for piece in self.pieces():
            joined = rest + piece
            end = joined.rfind(b"\n") + 1
            block, rest = joined[:end], joined[end:]
            if len(rest) > MOST_LINE_BYTES:
                raise CallFailed(PROBLEMS["unreadable"], self._where, status=self.status)
            if block:
                self._check(block)
                yield block
        if rest.strip():
            self._check(rest)
            yield rest + b"\n"

    def lines(self) -> Iterator[bytes]:
        """Yield each line without its end; as `blocks`."""
        for block in self.blocks():
            yield from block.splitlines()

    def _check(self, block: bytes) -> None:
        """Look at the beginning and end of each line: cheap, and what breaks off has no end."""
        for line in block.split(b"\n"):
            line = line.strip()  # noqa: PLW2901 - the same line
            if line and not (line.startswith(b"{") and line.endswith(b"}")):
                early = b"terminated early" in line[:200]
                code = "terminated_early" if early else "unreadable"
                raise CallFailed(PROBLEMS[code], self._where, status=self.status)
            if line.startswith(b'{"error"'):
                raise CallFailed(PROBLEMS["refused"], self._where, status=self.status)
