"""Whether a full list would let so many go that a person should look before it does.

A full list that Mixpanel sends after somebody broke the cohort's definition is as right, formally, as any
other. So this does not judge: it measures what a list is about to do, and where it is asked to, has the list
*held*: applied, but for the removals. Those whom it did not name stay members and belong to no attempt any
more, so that no evidence moves them. Whatever names one of them later is newer than the list, and takes that
one out of what is held; the next full list takes the place of the held one whole.
"""

from dataclasses import dataclass
from typing import Final

from app.cohorts.epochs.attempt import Attempt

AT_LEAST: Final = 10
"""Fewer may always go."""


@dataclass(frozen=True, slots=True)
class ShrinkLimit:
    """How much a full list may remove.

    Attributes:
        share: of the members before it.
        at_least: fewer may always go: half of four people is nothing to wake anybody for.
        hold: hold what is beyond it, instead of only telling.
    """

    share: float
    at_least: int
    hold: bool


@dataclass(frozen=True, slots=True)
class Shrink:
    """What a full list removes, or would.

    Attributes:
        attempt: its number.
        goes: members whom it did not name.
        of: members before it.
        at_ms: when it was complete.
        session: the export's id, or nothing.
        refused: a person said that those who are held stay.
    """

    attempt: int
    goes: int
    of: int
    at_ms: int
    session: str = ""
    refused: bool = False


def measure(attempts: list[Attempt], members: int, attempt: Attempt, at: int) -> Shrink:
    """Say what a full list that is complete is about to remove.

    Args:
        attempts: the cohort's.
        members: how many there are, those included who came with the list.
        attempt: the list; what began after it names people, too.
        at: now, in ms.
    """
    named = sum(each.total("present") for each in attempts if each.number >= attempt.number)
    session = attempt.sessions[-1] if attempt.sessions else ""
    goes, stays = members - named, attempt.total("present") - attempt.total("left")
    return Shrink(attempt.number, goes, goes + stays, at, session)


def is_beyond(shrink: Shrink, limit: ShrinkLimit | None) -> bool:
    """Say whether that is more than may go without a word."""
    return limit is not None and shrink.goes >= limit.at_least and shrink.goes > limit.share * shrink.of
