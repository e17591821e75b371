"""How far the log may be trimmed for the sake of those who read it beside Mixpanel's destinations.

Consumer groups on the stream (`app.cohorts.groups`) and subscriptions are *consumers*: the log is kept for
them, too, but only up to a number of entries, of bytes and an age. Whoever falls behind further loses
everything that is kept for nobody else, is told so by an entry of kind `gap`, and holds the log again once it
reads on. So a consumer that is away costs a bounded amount of memory, never delays Mixpanel, and always knows
what it missed.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Protocol, cast

from redis import Redis
from redis.exceptions import ResponseError

from app.cohorts.gaps import (
    Gaps,
    Missing,
    Note,
    Why,
    is_no_more,
    left_behind,
    reads_on,
    still_away,
)
from app.store import keys

PRESSED: Final = 0.85
"""Share of Redis's `maxmemory` above which nothing is kept for consumers any more."""

ConsumerKind = Literal["group", "subscription"]


class Place(NamedTuple):
    """Where a consumer stands: it has confirmed everything up to `position`."""

    kind: ConsumerKind
    name: str
    position: int

    @property
    def id(self) -> str:
        """What it is noted under."""
        return f"{self.kind}:{self.name}"


class Holder(Protocol):
    """Knows the consumers of one kind."""

    @property
    def kind(self) -> ConsumerKind:
        """Which kind."""
        ...

    def behind(self, project_id: str, first: int, sequence: int) -> Iterable[Place]:
        """Give those that have not confirmed everything up to `sequence`; the log begins at `first`."""
        ...

    def has(self, project_id: str, name: str) -> bool:
        """Say whether there is such a consumer."""
        ...


class Trimming(Protocol):
    """Says how far the log may be trimmed."""

    def allow(self, project_id: str, first: int, wanted: int) -> int:
        """Return the last sequence that may go; everything up to `wanted` if nobody holds it."""
        ...

    def held(self, project_id: str, first: int, wanted: int) -> int:
        """Return the same, for somebody who trims nothing: nobody is told."""
        ...


class Unheld:
    """Nobody holds the log."""

    def allow(self, project_id: str, first: int, wanted: int) -> int:
        """Let everything go."""
        del project_id, first
        return wanted

    def held(self, project_id: str, first: int, wanted: int) -> int:
        """Say that everything may go."""
        del project_id, first
        return wanted


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the log is kept for consumers at the most, a project."""

    entries: int
    bytes: int
    age_s: float


class Written(NamedTuple):
    """When an entry was written (ms), and how many bytes of entries had been written before it."""

    ms: int
    before: int


class Holding:
    """Hold the log for consumers, within limits.

    Args:
        redis: where.
        holders: know the consumers.
        limits: how much is kept for them.

    Attributes:
        limits: the same.
    """

    def __init__(self, redis: Redis, holders: Sequence[Holder], limits: Limits) -> None:
        self.limits = limits
        self._redis = redis
        self._holders = {holder.kind: holder for holder in holders}
        self._gaps = Gaps(redis)

    def allow(self, project_id: str, first: int, wanted: int) -> int:
        """Return the last sequence that may go, once those whom it leaves behind are told.

        Args:
            project_id: whose log.
            first: the first sequence that is there.
            wanted: the last one that nothing else holds.
        """
        upto, notes = self._look(project_id, first, wanted)
        self._gaps.write(project_id, notes)
        return upto

    def held(self, project_id: str, first: int, wanted: int) -> int:
        """Return what `allow` would, and tell nobody."""
        return self._look(project_id, first, wanted)[0]

    def _look(self, project_id: str, first: int, wanted: int) -> tuple[int, list[Note]]:
        """Return the last sequence that may go, and what is to be noted if it does."""
        places = {
            place.id: place
            for holder in self._holders.values()
            for place in holder.behind(project_id, first, wanted)
        }
        missing = self._gaps.read(project_id)
        notes = list(self._over(project_id, places, missing))
        if not places or first > wanted:
            return wanted, notes
        floor, why = self._floor(project_id, first, wanted)
        reached = {name: max(place.position, first - 1) for name, place in places.items()}
        held = [at for name, at in reached.items() if at >= floor and name not in missing]
        upto = min((wanted, *held))
        for name, at in reached.items():
            if name not in missing and at < upto:
                notes.append(left_behind(name, at + 1, upto, why))
            elif name in missing and missing[name].last < upto:
                notes.append(still_away(name, missing[name], upto))
        return upto, notes

    def _over(
        self, project_id: str, places: Mapping[str, Place], missing: dict[str, Missing]
    ) -> Iterator[Note]:
        """Take out of what is missing what consumers have passed, or were forgotten with."""
        for name in [*missing]:
            place = places.get(name)
            if place is None or place.position >= missing[name].last:
                over = reads_on if self._has(project_id, name) else is_no_more
                yield over(name, missing.pop(name))

    def missing(self, project_id: str) -> dict[str, Missing]:
        """Say what consumers are missing, by their ids; only those that have not read on since."""
        return self._gaps.read(project_id)

    def written(self, project_id: str, sequence: int) -> Written | None:
        """Look at the entry of this sequence, or the first behind it; None at the log's end."""
        found = cast(
            "list[tuple[bytes, Mapping[bytes, bytes]]]",
            self._redis.xrange(keys.log(project_id), f"{sequence}-0", "+", 1),
        )
        for _, entry in found:
            return Written(int(entry.get(b"written_ms", 0)), int(entry.get(b"before", 0)))
        return None

    def share(self, entries: int, size_bytes: int, age_s: float) -> float:
        """Say how much of what a consumer may be behind is used up; above 1 it loses its hold."""
        limits = self.limits
        return max(entries / limits.entries, size_bytes / limits.bytes, age_s / limits.age_s)

    def _has(self, project_id: str, name: str) -> bool:
        kind, _, own_name = name.partition(":")
        holder = self._holders.get(cast("ConsumerKind", kind))
        return holder is not None and holder.has(project_id, own_name)

    def _floor(self, project_id: str, first: int, wanted: int) -> tuple[int, Why]:
        """Return the sequence up to which the limits let nobody hold the log, and which limit it is."""
        end, size = self._end_and_bytes(project_id)
        oldest_ms = self._now_ms() - self.limits.age_s * 1000
        most = self.limits.bytes
        by_bytes = self._before(project_id, first, wanted, lambda entry: size - entry.before <= most)
        by_age = self._before(project_id, first, wanted, lambda entry: entry.ms >= oldest_ms)
        floors: list[tuple[int, Why]] = [
            (end - self.limits.entries, "entries"),
            (by_bytes, "bytes"),
            (by_age, "age"),
            (wanted if self._pressed() else 0, "memory"),
        ]
        floor, why = max(floors, key=lambda each: each[0])
        return min(floor, wanted), why

    def _before(self, project_id: str, first: int, last: int, fits: Callable[[Written], bool]) -> int:
        """Return the sequence before the first entry that fits, of those from `first` to `last`.

        Cost: one look where the first one does; else some 20, of one entry each.
        """

        def kept(sequence: int) -> bool:
            entry = self.written(project_id, sequence)
            return entry is None or fits(entry)

        if kept(first):
            return first - 1
        return first + bisect_left(range(first, last + 1), x=True, key=kept) - 1

    def _pressed(self) -> bool:
        """Say whether Redis is so full that pages may soon be refused."""
        try:
            info: Mapping[str, Any] = self._redis.info("memory")
        except ResponseError:  # a managed one may forbid it: then the limits alone count
            return False
        limit = int(info.get("maxmemory", 0))
        return limit > 0 and int(info.get("used_memory", 0)) > PRESSED * limit

    def _end_and_bytes(self, project_id: str) -> tuple[int, int]:
        """Return the log's last sequence, and how many bytes of entries were ever written."""
        stored = self._redis.hmget(keys.log_meta(project_id), ["sequence", "bytes"])
        end, size = (int(value or 0) for value in cast("list[bytes | None]", stored))
        return end, size

    def _now_ms(self) -> int:
        seconds, microseconds = self._redis.time()
        return seconds * 1000 + microseconds // 1000
