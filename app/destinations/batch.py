"""The batches of a round: what may be sent again, and what may not, never in one request."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from app.destinations.dead_letters import Code, DeadLetter
from app.destinations.plan import Round
from app.mixpanel.results import RecordFailure

Split = Callable[[Sequence[bytes]], Sequence[range]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one request.

    Attributes:
        records: encoded records.
        marks: for records that must not be sent twice, the mark of each; else empty.
    """

    records: Sequence[bytes]
    marks: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Name the batch by its bytes: one that a later try plans alike has the same name."""
        return "b" + blake2b(b",".join(self.records), digest_size=16).hexdigest()

    @property
    def intents(self) -> list[str]:
        """The marks of what is about to be sent."""
        return ["i" + mark for mark in self.marks]

    def letter(self, failure: RecordFailure) -> DeadLetter:
        """Make a dead letter of a record that was not accepted."""
        code: Code = "outcome_unknown" if failure.outcome_unknown else "refused"
        return DeadLetter(code, failure.reason, failure.response, self.records[failure.index])


def repeatable(round_: Round, split: Split) -> Iterator[Batch]:
    """Cut the records that may be sent again."""
    for part in split(round_.records):
        yield Batch(round_.records[part.start : part.stop])


def once(updates: Sequence[tuple[str, bytes]], split: Split) -> Iterator[Batch]:
    """Cut records that must be sent at most once."""
    records = [record for _, record in updates]
    for part in split(records):
        some = slice(part.start, part.stop)
        yield Batch(records[some], tuple(mark for mark, _ in updates[some]))
