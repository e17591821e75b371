"""What could not be applied: members without a usable id, and whole pages that make the code fail.

Both are written by the step that takes their page out of the inbox. A member is kept as its place and a
reason, without anything of it; a page is kept whole, and holds personal data.

Neither is ever applied later. A member without an id names nobody, and a page is out of date as soon as the
cohort's next one has come: to apply it then would take people in who have left since. What heals is another
sync of the cohort.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

from redis import Redis
from redis.commands.core import Script

from app.store import keys, scripts
from app.store.slices import slices

KEPT_S: Final = 30 * 86_400
"""How long each is kept. There are caps in number, too: see `app.cohorts.applying.pages`."""
_READ: Final = 500

Gone = Mapping[str, int]
"""How many went since it was last asked: `members_expired`, `pages_expired`, `members_dropped`, ..."""


@dataclass(frozen=True, slots=True)
class QuarantinedMember:
    """A member that could not be used.

    Attributes:
        id: of its entry; begins with the time (ms).
        time_ms: when its page was applied.
        cohort_id, session_id, action, page: where it stood.
        index: its position in the page's members, from 0.
        reason: a stable code, one of `app.cohorts.members`.
    """

    id: str
    time_ms: int
    cohort_id: str
    session_id: str
    action: str
    page: int
    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class PageAside:
    """A page that could not be applied after several tries.

    Attributes:
        id: of its entry.
        time_ms: when it was accepted.
        cohort_id, session_id, action: what it says about itself; empty where that cannot be read.
        page: its number; 0 where that cannot be read.
        size_bytes: of the page.
        reason: what failed, such as `KeyError at pages.py:190`; empty where it was set aside before reasons
            were kept.
    """

    id: str
    time_ms: int
    cohort_id: str
    session_id: str
    action: str
    page: int
    size_bytes: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Which:
    """Which are meant; what is empty does not matter.

    Attributes:
        cohort_id: whose.
        reason: exactly this one.
        before_ms: put aside before this time.
        since_ms: put aside at this time, or later.
    """

    cohort_id: str = ""
    reason: str = ""
    before_ms: int | None = None
    since_ms: int | None = None

    def means(self, one: QuarantinedMember | PageAside) -> bool:
        """Say whether this one is meant."""
        return (
            (not self.cohort_id or one.cohort_id == self.cohort_id)
            and (not self.reason or one.reason == self.reason)
            and (self.before_ms is None or one.time_ms < self.before_ms)
            and (self.since_ms is None or one.time_ms >= self.since_ms)
        )


ALL: Final = Which()


class Quarantine:
    """Look through what was put aside, and throw it away.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._aside: Script = scripts.load(redis, "cohorts/scripts/aside.lua")

    def members(
        self, project_id: str, which: Which = ALL, *, after: str = "", limit: int = 100
    ) -> tuple[list[QuarantinedMember], str | None]:
        """Give up to `limit` members, oldest first, and where to go on; None at the end."""
        found = list(islice(self._members(project_id, which, after), limit + 1))
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def member(self, project_id: str, entry_id: str) -> QuarantinedMember | None:
        """Give one member; None where it is not there (any more)."""
        found = self._redis.xrange(keys.quarantine(project_id), min=entry_id, max=entry_id)
        return next((_member(*each) for each in cast("list[Any]", found)), None)

    def all_members(self, project_id: str, which: Which = ALL) -> Iterator[QuarantinedMember]:
        """Yield all members, oldest first, as they are read."""
        return self._members(project_id, which, "")

    def pages(self, project_id: str, which: Which = ALL) -> list[PageAside]:
        """Give the pages, oldest first; there are 100 at most."""
        return list(self._pages(project_id, which))

    def some_pages(
        self, project_id: str, which: Which = ALL, *, after: str = "", limit: int = 100
    ) -> tuple[list[PageAside], str | None]:
        """Give up to `limit` pages, oldest first, and where to go on; None at the end."""
        found = list(islice(self._pages(project_id, which, after), limit + 1))
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def page(self, project_id: str, entry_id: str) -> tuple[PageAside, bytes] | None:
        """Give one page with its body; None where it is not there (any more)."""
        found = self._redis.xrange(keys.set_aside(project_id), min=entry_id, max=entry_id)
        for id_, stored in cast("list[tuple[bytes, dict[bytes, bytes]]]", found):
            body = stored.pop(b"body")
            return _page(id_, len(body), stored), body
        return None

    def whole_pages(self, project_id: str, which: Which = ALL) -> Iterator[tuple[PageAside, bytes]]:
        """Yield the pages with their bodies, oldest first, one at a time: each may be large."""
        for page in self._pages(project_id, which):
            if whole := self.page(project_id, page.id):
                yield whole

    def discard_members(self, project_id: str, which: Which = ALL, *, dry_run: bool = False) -> int:
        """Throw members away; return how many."""
        found = [member.id for member in self._members(project_id, which, "")]
        return len(found) if dry_run else self._discard(project_id, keys.quarantine(project_id), found)

    def discard_pages(self, project_id: str, which: Which = ALL, *, dry_run: bool = False) -> int:
        """Throw pages away; return how many. Their cohorts stay suspect until a full sync."""
        found = [page.id for page in self.pages(project_id, which)]
        return len(found) if dry_run else self._discard(project_id, keys.set_aside(project_id), found)

    def tidy(self, project_id: str, before_ms: int) -> Gone:
        """Throw away what was put aside before a time; return what went, also for the caps."""
        gone: dict[str, int] = {}
        for name, key in _streams(project_id).items():
            expired = self._redis.xtrim(key, minid=max(0, before_ms), approximate=False)
            self._count(project_id, f"{name}_expired", expired)
            gone[f"{name}_expired"] = expired
        for name in _streams(project_id):
            gone[f"{name}_dropped"] = self._newly_dropped(project_id, name)
        return {name: number for name, number in gone.items() if number}

    def _newly_dropped(self, project_id: str, name: str) -> int:
        """Return how many went for the cap since this was last asked."""
        counts = self.counts(project_id)
        dropped = counts.get(f"{name}_dropped", 0)
        known = dropped + sum(counts.get(f"{name}_{way}", 0) for way in ("expired", "discarded"))
        left = self._redis.xlen(_streams(project_id)[name])
        newly = max(0, counts.get(name, 0) - known - left)
        self._count(project_id, f"{name}_dropped", newly)
        return newly

    def counts(self, project_id: str) -> dict[str, int]:
        """Count what was ever put aside (`members`, `pages`), and how it went (`members_expired`, ...)."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.quarantine_counts(project_id)))
        return {name.decode(): int(number) for name, number in found.items()}

    def kept(self, project_id: str) -> dict[str, int]:
        """Count what is there now: `members`, `pages`."""
        return {name: self._redis.xlen(key) for name, key in _streams(project_id).items()}

    def _members(self, project_id: str, which: Which, after: str) -> Iterator[QuarantinedMember]:
        first = f"({after}" if after else "-"
        while True:
            some = self._redis.xrange(keys.quarantine(project_id), min=first, count=_READ)
            read = [_member(*each) for each in cast("list[tuple[bytes, dict[bytes, bytes]]]", some)]
            yield from filter(which.means, read)
            if len(read) < _READ:
                return
            first = f"({read[-1].id}"

    def _pages(self, project_id: str, which: Which, after: str = "") -> Iterator[PageAside]:
        first = f"({after}" if after else "-"
        while True:
            some = cast("list[list[Any]]", self._aside(keys=[keys.set_aside(project_id)], args=[first]))
            if not some:
                return
            for id_, size, *rest in some:
                page = _page(id_, size, dict(zip(rest[::2], rest[1::2], strict=True)))
                if which.means(page):
                    yield page
            first = f"({some[-1][0].decode()}"

    def _discard(self, project_id: str, key: str, ids: Sequence[str]) -> int:
        name = "members" if key == keys.quarantine(project_id) else "pages"
        discarded = 0
        for some in slices(ids, _READ):
            gone = self._redis.xdel(key, *some)
            self._count(project_id, f"{name}_discarded", gone)
            discarded += gone
        return discarded

    def _count(self, project_id: str, name: str, number: int) -> None:
        if number:
            self._redis.hincrby(keys.quarantine_counts(project_id), name, number)


def _streams(project_id: str) -> dict[str, str]:
    return {"members": keys.quarantine(project_id), "pages": keys.set_aside(project_id)}


def _member(id_: bytes, stored: Mapping[bytes, bytes]) -> QuarantinedMember:
    return QuarantinedMember(
        id=id_.decode(),
        time_ms=_time_of(id_.decode()),
        cohort_id=stored[b"cohort_id"].decode(),
        session_id=stored[b"session_id"].decode(),
        action=stored[b"action"].decode(),
        page=int(stored[b"page"]),
        index=int(stored[b"index"]),
        reason=stored[b"reason"].decode(),
    )


def _page(id_: bytes, size_bytes: int, stored: Mapping[bytes, bytes]) -> PageAside:
    fields = {name.decode(): value.decode() for name, value in stored.items()}
    return PageAside(
        id=id_.decode(),
        time_ms=int(fields["at_ms"]),
        cohort_id=fields.get("cohort_id", ""),
        session_id=fields.get("session_id", ""),
        action=fields.get("action", ""),
        page=int(fields.get("page", 0)),
        size_bytes=size_bytes,
        reason=fields.get("reason", ""),
    )


def _time_of(entry_id: str) -> int:
    return int(entry_id.partition("-")[0])
