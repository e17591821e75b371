"""Fold repeated messages, so that a fault that repeats every second does not scroll everything else away."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

WINDOW_S = 60.0
_MAX_KEYS = 500


@dataclass
class _Repeated:
    until_s: float
    count: int = 0


class Folder:
    """Let a message through once in `window_s`, and count the others."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._seen: dict[Hashable, _Repeated] = {}

    def admit(self, key: Hashable, now_s: float) -> bool:
        """Say whether to show a message now; if not, it is counted."""
        seen = self._seen.get(key)
        if seen is not None and now_s < seen.until_s:
            seen.count += 1
            return False
        if len(self._seen) < _MAX_KEYS:  # beyond that many different ones, show rather than remember
            self._seen[key] = _Repeated(now_s + self._window_s)
        return True

    def due(self, now_s: float) -> Iterator[tuple[Hashable, int]]:
        """Yield each message whose window is over with the number of those not shown, if any."""
        for key, seen in list(self._seen.items()):
            if now_s >= seen.until_s:
                del self._seen[key]
                if seen.count:
                    yield key, seen.count
