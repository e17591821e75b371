"""A project's dead letters in Redis. They are written by settle.lua, with the batch they belong to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from redis import Redis

from app.destinations.dead_letters.filter import Filter
from app.destinations.dead_letters.letter import DeadLetter, StoredLetter
from app.store import keys, scripts

EVERYTHING: Final = Filter()
LOOK_AT_ONCE: Final = 500
"""Letters that one command looks at."""
BYTES_AT_ONCE: Final = 1024 * 1024
SCANS_A_PAGE: Final = 10
EXPIRED_AT_MOST: Final = 10 * LOOK_AT_ONCE

Order = Literal["oldest", "newest"]


@dataclass(frozen=True, slots=True)
class Page:
    """Some letters of many.

    Attributes:
        letters: those that were meant; there may be none although there are more behind.
        next: where to go on; None at the end.
        looked: how many were looked at for it.
    """

    letters: tuple[StoredLetter, ...]
    next: str | None
    looked: int


class DeadLetters:
    """Find dead letters, and take them out.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scan = scripts.load(redis, "destinations/dead_letters/scripts/scan.lua")
        self._remove = scripts.load(redis, "destinations/dead_letters/scripts/remove.lua")

    def count(self, project_id: str) -> int:
        """Count those that are kept."""
        return self._redis.xlen(keys.dead_letters(project_id))

    def counters(self, project_id: str) -> dict[str, int]:
        """Count all there ever were.

        Returns:
            Those given up as `<destination>:<code>`; of these `dropped` for the cap and `expired` for their
            age, and `redriven` and `discarded` by somebody.
        """
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.dead_letter_counts(project_id)))
        return {name.decode(): int(number) for name, number in found.items()}

    def read(self, project_id: str, after: str = "", limit: int = 100) -> list[StoredLetter]:
        """Give up to `limit` letters whole, oldest first, from the one behind the id `after` on."""
        first = f"({after}" if after else "-"
        found = self._redis.xrange(keys.dead_letters(project_id), min=first, count=limit)
        return [_stored(id_, fields) for id_, fields in cast("list[tuple[bytes, dict[bytes, bytes]]]", found)]

    def get(self, project_id: str, letter_id: str) -> StoredLetter | None:
        """Give one letter whole; None if it is not there (any more)."""
        found = self._redis.xrange(keys.dead_letters(project_id), min=letter_id, max=letter_id)
        stored = [_stored(id_, fields) for id_, fields in cast("list[tuple[bytes, Any]]", found)]
        return stored[0] if stored else None

    def last_id(self, project_id: str) -> str | None:
        """Return the id of the newest letter; None without any."""
        found = cast("list[tuple[bytes, Any]]", self._redis.xrevrange(keys.dead_letters(project_id), count=1))
        return found[0][0].decode() if found else None

    def scan(
        self,
        project_id: str,
        wanted: Filter = EVERYTHING,
        *,
        after: str | None = None,
        until: str | None = None,
        limit: int = 100,
        most: int = LOOK_AT_ONCE,
        records: bool = False,
        order: Order = "oldest",
    ) -> Page:
        """Look at some letters, with one command whose cost does not grow with the number that there is.

        Args:
            project_id: whose.
            wanted: which of them to give.
            after: id of the letter behind which to begin: what `next` of the page before says.
            until: id of the last letter to look at; oldest first only.
            limit: most to give.
            most: most to look at.
            records: whether to give their records, too.
            order: which come first.
        """
        low, high = _low(wanted), _high(wanted, until)
        if order == "oldest":
            span = ("XRANGE", _behind(after, low) if after else low, high)
        else:
            span = ("XREVRANGE", _before(after, high) if after else high, low)
        text = wanted.reason.encode(errors="replace").lower()
        args: list[str | bytes | int] = [
            *(*span, most, limit, BYTES_AT_ONCE, int(records)),
            *(wanted.destination, wanted.code or "", text),
        ]
        next_, looked, found = self._scan(keys=[keys.dead_letters(project_id)], args=args)
        return Page(tuple(_found(each) for each in found), next_.decode() or None, looked)

    def page(
        self,
        project_id: str,
        wanted: Filter = EVERYTHING,
        *,
        after: str | None = None,
        limit: int = 100,
        records: bool = False,
        order: Order = "oldest",
    ) -> Page:
        """Give a page that is full unless too few are meant among the next 5,000; see `scan`."""
        letters: list[StoredLetter] = []
        looked = size = 0
        for _ in range(SCANS_A_PAGE):
            some = self.scan(
                project_id, wanted, after=after, limit=limit - len(letters), records=records, order=order
            )
            letters += some.letters
            looked += some.looked
            size += sum(len(stored.letter.record) for stored in some.letters)
            after = some.next
            if after is None or len(letters) == limit or size >= BYTES_AT_ONCE:
                break
        return Page(tuple(letters), after, looked)

    def all(self, project_id: str, wanted: Filter = EVERYTHING) -> Iterator[StoredLetter]:
        """Give all that there are at this moment whole, oldest first, a few in memory at a time."""
        return self._up_to(project_id, wanted, self.last_id(project_id))

    def _up_to(self, project_id: str, wanted: Filter, until: str | None) -> Iterator[StoredLetter]:
        after: str | None = None
        while until is not None:
            page = self.scan(project_id, wanted, after=after, until=until, records=True)
            yield from page.letters
            if page.next is None or page.next == until:
                return
            after = page.next

    def discard(self, project_id: str, letter_ids: Sequence[str]) -> int:
        """Throw some letters away, 500 at most; return how many there were of them."""
        return self._take_out(project_id, "discarded", letter_ids)

    def erase(self, project_id: str, letter_ids: Sequence[str]) -> int:
        """Take out letters about somebody who is erased, 500 at most; return how many there were of them."""
        return self._take_out(project_id, "erased", letter_ids)

    def expire(self, project_id: str, before_ms: int) -> int:
        """Throw away what was given up before a time, 5,000 at most, in small steps; return how many."""
        expired = 0
        while expired < EXPIRED_AT_MOST:
            page = self.scan(project_id, Filter(before_ms=before_ms), limit=LOOK_AT_ONCE)
            expired += self._take_out(project_id, "expired", [stored.id for stored in page.letters])
            if page.next is None:
                break
        return expired

    def _take_out(self, project_id: str, counter: str, letter_ids: Sequence[str]) -> int:
        if not letter_ids:
            return 0
        names = [keys.dead_letters(project_id), keys.dead_letter_counts(project_id)]
        return cast("int", self._remove(keys=names, args=[counter, *letter_ids]))


def _low(wanted: Filter) -> str:
    """Return where to begin: an id of a time alone means the first one of that millisecond."""
    return "-" if wanted.since_ms is None else str(wanted.since_ms)


def _high(wanted: Filter, until: str | None) -> str:
    """Return where to end: an id of a time alone means the last one of that millisecond."""
    before = "+" if wanted.before_ms is None else str(max(0, wanted.before_ms - 1))
    return until if until and (before == "+" or _time(until) <= int(before)) else before


def _behind(after: str, low: str) -> str:
    return low if low != "-" and _time(after) < int(low) else f"({after}"


def _before(after: str, high: str) -> str:
    return high if high != "+" and _time(after) > int(high) else f"({after}"


def _time(letter_id: str) -> int:
    return int(letter_id.partition("-")[0])


def _stored(id_: bytes, fields: Mapping[bytes, bytes]) -> StoredLetter:
    record = fields[b"record"]
    letter = DeadLetter(
        code=cast("Any", fields[b"code"].decode()),
        reason=fields[b"reason"].decode(),
        response=fields[b"response"].decode(),
        record=record,
    )
    return StoredLetter(
        id_.decode(), fields[b"destination"].decode(), int(fields[b"time_ms"]), len(record), letter
    )


def _found(each: list[Any]) -> StoredLetter:
    """Read a letter as scan.lua gives it."""
    id_, destination, time_ms, code, reason, response, size, record = each
    letter = DeadLetter(code.decode(), reason.decode(), response.decode(), record)
    return StoredLetter(id_.decode(), destination.decode(), int(time_ms), size, letter)
