"""What goes over the wire in the model: one page of a cohort sync, as it arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["members", "add_members", "remove_members"]

COHORT = "c"


@dataclass(frozen=True, slots=True)
class SentPage:
    """One arrival of one page: a retried page is sent several times, and may arrive several times.

    `number` and `total` are Mixpanel's `page_count` (from 1) and `total_pages`; `at` is the arrival in
    seconds.
    """

    session: str
    action: Action
    number: int
    total: int
    members: tuple[str, ...]
    at: float
    cohort: str = COHORT
