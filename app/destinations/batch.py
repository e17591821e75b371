"""The batches of a round: what may be sent again, and what may not, never in one request."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson

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
        named: its name, where some of its records were taken out; else empty.
    """

    records: Sequence[bytes]
    marks: tuple[str, ...] = ()
    named: str = ""

    @property
    def digest(self) -> str:
        """Name the batch by its bytes: one that a later try plans alike has the same name."""
        return self.named or "b" + blake2b(b",".join(self.records), digest_size=16).hexdigest()

    @property
    def intents(self) -> list[str]:
        """The marks of what is about to be sent."""
        return ["i" + mark for mark in self.marks]

    def letter(self, failure: RecordFailure) -> DeadLetter:
        """Make a dead letter of a record that was not accepted."""
        code: Code = "outcome_unknown" if failure.outcome_unknown else "refused"
        return DeadLetter(code, failure.reason, failure.response, self.records[failure.index])

    def without(self, refused: Sequence[bool]) -> "Batch":
        """Give the batch, under its name, without the records that were refused before."""
        rest = [record for record, out in zip(self.records, refused, strict=True) if not out]
        return self if len(rest) == len(self.records) else Batch(rest, named=self.digest)


def refusal_mark(record: bytes) -> str:
    """Name the record of a batch that was refused, in whichever batch a later try puts it."""
    return "f" + blake2b(record, digest_size=16).hexdigest()


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


def turns(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """Say which batches may be under way together: the first go, then those that wait for one of them, ...

    Within a batch Mixpanel applies in order. So a batch that goes on with `$append`s to a list waits for the
    one before it.
    """
    found: list[list[Batch]] = []
    turn = 0
    for number, batch in enumerate(batches):
        turn = turn + 1 if number and _goes_on(batches[number - 1], batch) else 0
        if turn == len(found):
            found.append([])
        found[turn].append(batch)
    yield from found


def _goes_on(before: Batch, batch: Batch) -> bool:
    """Tell whether a batch begins with an `$append` to the list that the one before it ends with."""
    if not (before.marks and batch.marks):
        return False
    last, first = orjson.loads(before.records[-1]), orjson.loads(batch.records[0])
    if "$append" not in last or "$append" not in first:
        return False
    same_profile = last["$distinct_id"] == first["$distinct_id"]
    return same_profile and not last["$append"].keys().isdisjoint(first["$append"])
