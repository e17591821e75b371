"""The rolling minute: how many records and bytes a project may send."""

import threading
from collections import deque
from dataclasses import dataclass

WINDOW_S = 60.0


@dataclass(frozen=True)
class Spent:
    """What one request used up."""

    at_s: float
    records: int
    size_bytes: int


class RollingMinute:
    """Counts what was accepted in the last 60 s; thread-safe. Refused requests use up nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: deque[Spent] = deque()
        self._records = 0
        self._bytes = 0

    def take(self, now_s: float, records: int, size_bytes: int, max_records: int, max_bytes: int) -> bool:
        """Use up part of the minute, or return False if it does not fit."""
        with self._lock:
            self._forget(now_s - WINDOW_S)
            if self._records + records > max_records or self._bytes + size_bytes > max_bytes:
                return False
            self._spent.append(Spent(now_s, records, size_bytes))
            self._records += records
            self._bytes += size_bytes
            return True

    def _forget(self, before_s: float) -> None:
        while self._spent and self._spent[0].at_s <= before_s:
            gone = self._spent.popleft()
            self._records -= gone.records
            self._bytes -= gone.size_bytes
