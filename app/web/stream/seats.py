"""How many connections may stay open at once in a process."""

from threading import Lock


class Seats:
    """Counts them. Each has a thread of its own besides those for other requests: nobody is starved.

    Args:
        most: how many there are.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._lock = Lock()

    def take(self) -> bool:
        """Take a seat, if there is one."""
        with self._lock:
            if self._free <= 0:
                return False
            self._free -= 1
            return True

    def give_back(self) -> None:
        """Leave it."""
        with self._lock:
            self._free += 1
