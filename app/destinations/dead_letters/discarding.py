"""Throw dead letters away by a filter, in steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from structlog.stdlib import get_logger

from app.destinations.dead_letters.filter import Filter
from app.destinations.dead_letters.letter import StoredLetter
from app.destinations.dead_letters.stepping import Place, Walk
from app.destinations.dead_letters.store import DeadLetters

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DiscardStep:
    """What became of some letters.

    Attributes:
        looked: letters that were looked at.
        discarded: thrown away; in a dry run, those that would be.
        next: where the next step begins; None if this was the last.
    """

    looked: int
    discarded: int
    next: Place | None


def discard_step(
    letters: DeadLetters,
    project_id: str,
    wanted: Filter,
    *,
    place: Place | None = None,
    dry_run: bool = False,
) -> DiscardStep:
    """Throw some of the letters away that are meant, oldest first.

    Args:
        letters: the dead letters.
        project_id: whose.
        wanted: which.
        place: where the step before ended; None for the first.
        dry_run: only count.
    """
    discarded = 0

    def work(some: Sequence[StoredLetter]) -> bool:
        nonlocal discarded
        discarded += len(some) if dry_run else letters.discard(project_id, [each.id for each in some])
        return True

    walked = Walk(letters, project_id, wanted).step(place, work)
    if discarded and not dry_run:
        log.info("dead_letters_discarded", project_id=project_id, discarded=discarded)
    return DiscardStep(walked.looked, discarded, walked.next)
