"""Which dead letters are meant."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from app.destinations.dead_letters.letter import Code

_AGE: Final = re.compile(r"([1-9]\d{0,5})([smhdw])")
_UNITS_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_ID: Final = re.compile(r"\d{1,20}-\d{1,20}")
AGE_WANTED: Final = "an age such as 30m, 12h, 7d or 2w, or a time such as 2030-01-31 or 2030-01-31T12:00Z"


@dataclass(frozen=True, slots=True)
class Filter:
    """What letters must have; what is empty does not matter.

    Attributes:
        destination: by its name, such as `profiles` or `events-outbox`.
        code: why they were given up.
        reason: a text within the reason, whatever its case (of a to z).
        before_ms: given up before this time.
        since_ms: given up at this time, or later.
    """

    destination: str = ""
    code: Code | None = None
    reason: str = ""
    before_ms: int | None = None
    since_ms: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it means all of them."""
        return self == Filter()


def is_letter_id(text: str) -> bool:
    """Say whether this can be the id of a letter."""
    return _ID.fullmatch(text) is not None


def read_age(text: str, now_ms: int) -> int:
    """Return the time (ms) that an age or a time stands for; a time is UTC unless it says otherwise.

    Raises:
        ValueError: it is neither; the message says what is wanted.
    """
    if found := _AGE.fullmatch(text):
        return max(0, now_ms - int(found[1]) * _UNITS_MS[found[2]])
    try:
        at = datetime.fromisoformat(text)
        return max(0, round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000))
    except (ValueError, OverflowError) as err:
        raise ValueError(f"must be {AGE_WANTED}") from err
