"""What a dead letter is."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Code = Literal["refused", "outcome_unknown", "unusable_id", "invalid", "link_refused"]
CODES: Final[tuple[Code, ...]] = get_args(Code)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was given up.

    Attributes:
        code: `refused` (Mixpanel refused it), `outcome_unknown` (it may have been applied, and must not be
            twice), `unusable_id` (Mixpanel takes nothing for this distinct_id, so it was never sent),
            `invalid` (it breaks a limit of Mixpanel's, so it was never sent) or `link_refused` (an identity
            link that must not be made, so it was never sent).
        reason: one line.
        response: what Mixpanel answered, shortened; may be empty.
        record: the encoded record; empty where it was not asked for.
    """

    code: Code
    reason: str
    response: str
    record: bytes


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter as it is kept.

    Attributes:
        id: in the project's stream; it begins with the time (ms), so ids are in order.
        destination: whose it was.
        time_ms: when it was given up.
        size_bytes: of its record.
        letter: the letter.
    """

    id: str
    destination: str
    time_ms: int
    size_bytes: int
    letter: DeadLetter
