"""What one run of a lane came to."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Outcome:
    """How a run ended, which decides when the lane runs next.

    Attributes:
        kind: `drained` (nothing left), `more` (its time was up), `later` (wait `delay_s` first).
        delay_s: seconds to wait, for `later`.
        reason: why it waits, in words for an operator.
    """

    kind: Literal["drained", "more", "later"]
    delay_s: float = 0.0
    reason: str = ""

    @classmethod
    def drained(cls) -> "Outcome":
        """Say that nothing was left to do."""
        return cls("drained")

    @classmethod
    def more(cls) -> "Outcome":
        """Say that the slice of time was up before the work was."""
        return cls("more")

    @classmethod
    def later(cls, delay_s: float, reason: str) -> "Outcome":
        """Say that the same work is to be tried again after `delay_s` seconds."""
        return cls("later", delay_s, reason)

    @classmethod
    def stopped(cls, reason: str) -> "Outcome":
        """Say that only a person can help; a look once a minute notices when one did."""
        return cls("later", STOPPED_LOOK_S, reason)


STOPPED_LOOK_S = 60.0
