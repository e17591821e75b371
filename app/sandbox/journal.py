"""What came in and what went out, for people who look: counts and codes, never anybody's data."""

import threading
from collections import Counter, deque
from typing import Any

KEPT = 1000


class Journal:
    """The last requests and the totals; thread-safe, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._counters: Counter[str] = Counter()

    def add(self, entry: dict[str, Any], **counts: int) -> None:
        """Note a request and add to the totals."""
        with self._lock:
            self._entries.append(entry)
            self._counters.update(counts)

    def entries(self, limit: int, direction: str | None = None) -> list[dict[str, Any]]:
        """Return the last requests, oldest first; `direction` "in" is to the API, "out" to the webhook."""
        with self._lock:
            chosen = [entry for entry in self._entries if direction in {None, entry["direction"]}]
        return chosen[-limit:]

    def counters(self) -> dict[str, int]:
        """Return the totals since the start or the last `clear`."""
        with self._lock:
            return dict(sorted(self._counters.items()))

    def clear(self) -> None:
        """Forget requests and totals."""
        with self._lock:
            self._entries.clear()
            self._counters.clear()
