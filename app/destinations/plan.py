"""What a window comes to: rounds of encoded records, and what is given up without being sent."""

from dataclasses import dataclass, field

from app.destinations.dead_letters import DeadLetter


@dataclass(slots=True)
class Round:
    """Records that may be sent in any order.

    Attributes:
        records: encoded records that may be sent again.
        once: (mark, encoded record) of what must be sent at most once.
    """

    records: list[bytes] = field(default_factory=list)
    once: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a window comes to.

    Attributes:
        rounds: each is finished before the next begins.
        given_up: what cannot be sent.
    """

    rounds: tuple[Round, ...] = ()
    given_up: tuple[DeadLetter, ...] = ()
