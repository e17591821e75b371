"""How often each family may be called; beyond that it is 429.

Queries: 60 an hour, 3 a second, 5 at once. Export: 60, 3, 100. Lexicon: 5 a minute. GDPR: 1 a second. The
other families have no documented limit, and none here.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.sandbox.api.query_rate import HOUR_S, SECOND_S, QueryRate
from app.sandbox.config import Limits

MINUTE_S = 60.0


class Rate:
    """Counts the requests of one family over several windows; thread-safe. Refused ones use up nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: deque[tuple[float, int]] = deque()
        self._under_way = 0

    @contextmanager
    def under_way(self, most: int) -> Iterator[bool]:
        """Hold one of the places at once; tell whether there was one."""
        with self._lock:
            room = self._under_way < most
            self._under_way += room
        try:
            yield room
        finally:
            with self._lock:
                self._under_way -= room

    def take(self, now_s: float, *windows: tuple[float, int], cost: int = 1) -> bool:
        """Count one more, or return False if one of the windows (its length, its most) has no room."""
        longest_s = max(span_s for span_s, _ in windows)
        with self._lock:
            while self._taken and self._taken[0][0] <= now_s - longest_s:
                self._taken.popleft()
            for span_s, most in windows:
                if cost + sum(one for at_s, one in self._taken if at_s > now_s - span_s) > most:
                    return False
            self._taken.append((now_s, cost))
            return True


class Budgets:
    """The project's budgets by name: `query`, `export`, `lexicon`, `gdpr`."""

    def __init__(self, queries: QueryRate, limits: Callable[[], Limits]) -> None:
        self.queries = queries
        self._limits = limits
        self._rates = {name: Rate() for name in ("export", "lexicon", "lexicon entries", "gdpr")}

    @contextmanager
    def under_way(self, name: str | None) -> Iterator[bool]:
        """Hold one of a budget's places at once, where they are limited; tell whether there was one."""
        limits = self._limits()
        if name == "query":
            with self.queries.under_way(limits) as room:
                yield room
        elif name == "export":
            with self._rates[name].under_way(limits.exports_at_once) as room:
                yield room
        else:
            yield True

    def take(self, name: str | None, now_s: float) -> bool:
        """Count one more request of a budget, or return False."""
        limits = self._limits()
        if name == "query":
            return self.queries.take(now_s, limits, counts=True)
        if name == "export":
            windows = ((HOUR_S, limits.exports_an_hour), (SECOND_S, limits.exports_a_second))
            return self._rates[name].take(now_s, *windows)
        if name == "lexicon":
            return self._rates[name].take(now_s, (MINUTE_S, limits.lexicon_a_minute))
        return name != "gdpr" or self._rates[name].take(now_s, (SECOND_S, limits.gdpr_a_second))

    def take_entries(self, count: int, now_s: float) -> bool:
        """Count events and properties that a lexicon request writes, or return False."""
        most = self._limits().lexicon_entries_a_minute - 1  # "fewer than"
        return self._rates["lexicon entries"].take(now_s, (MINUTE_S, most), cost=count)
