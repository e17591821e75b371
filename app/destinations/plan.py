"""What a window comes to: rounds of encoded records, what is given up without being sent, and what waits."""

from dataclasses import dataclass, field

from app.destinations.dead_letters import DeadLetter


@dataclass(slots=True)
class Round:
    """Records that may be sent in any order, but for `$append`s to one list.

    Attributes:
        records: encoded records that may be sent again.
        once: (mark, encoded record) of what must be sent at most once. `$append`s to one profile's property
            stand together, in their order, which is kept.
    """

    records: list[bytes] = field(default_factory=list)
    once: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Updates of some profiles that wait, instead of being sent with their window.

    Attributes:
        ids: the profiles' distinct_ids.
        updates: what `app.destinations.waiting.hold` wrote of them; may be empty.
    """

    ids: tuple[str, ...]
    updates: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """What a window comes to.

    Attributes:
        rounds: each is finished before the next begins.
        given_up: what cannot be sent.
        held: what waits, and is kept elsewhere before anything is sent.
    """

    rounds: tuple[Round, ...] = ()
    given_up: tuple[DeadLetter, ...] = ()
    held: tuple[HeldBack, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.rounds or self.given_up or self.held)
