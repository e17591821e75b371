"""One thing looked at, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        name: stable name.
        verdict: `ok`; `warn`, it works but a person should know; `fail`, a person must act.
        found: what was found.
        advice: what to do; empty when there is nothing to do.
        project_id: whose it is; empty for the relay as a whole.
    """

    name: str
    verdict: Verdict
    found: str
    advice: str = ""
    project_id: str = ""

    @property
    def ok(self) -> bool:
        """Whether it may stay as it is."""
        return self.verdict != "fail"

    @property
    def reason(self) -> str:
        """What was found and what to do, in one line."""
        return f"{self.found}; {self.advice}" if self.advice else self.found
