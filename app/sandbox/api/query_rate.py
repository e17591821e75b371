"""How often a project may be queried: 60 times an hour, 3 a second, 5 at once.

Source: https://docs.mixpanel.com/reference/query-api-rate-limits. Whether the further pages of a query count
towards the hour is not documented: `api.query_pages`.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from app.sandbox.config import Limits

HOUR_S = 3600.0
SECOND_S = 1.0


class QueryRate:
    """Counts queries; thread-safe. Refused ones use up nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hour: deque[float] = deque()
        self._second: deque[float] = deque()
        self._under_way = 0

    @contextmanager
    def under_way(self, limits: Limits) -> Iterator[bool]:
        """Hold one of the places for queries at once; tell whether there was one."""
        with self._lock:
            room = self._under_way < limits.queries_at_once
            self._under_way += room
        try:
            yield room
        finally:
            with self._lock:
                self._under_way -= room

    def take(self, now_s: float, limits: Limits, *, counts: bool) -> bool:
        """Count one more, or return False if there were too many lately.

        Args:
            now_s: The sandbox's time.
            limits: Those in force.
            counts: Towards the hour.
        """
        with self._lock:
            _forget(self._hour, now_s - HOUR_S)
            _forget(self._second, now_s - SECOND_S)
            if len(self._second) >= limits.queries_a_second:
                return False
            if counts and len(self._hour) >= limits.queries_an_hour:
                return False
            self._second.append(now_s)
            if counts:
                self._hour.append(now_s)
            return True


def _forget(times: deque[float], until_s: float) -> None:
    while times and times[0] <= until_s:
        times.popleft()
