"""Our own count of what a project was sent in the last minute, so that Mixpanel rarely has to say 429.

Mixpanel allows 2 GB of uncompressed JSON and about 30,000 records a second, over a rolling minute, per
project (https://developer.mixpanel.com/reference/import-events#rate-limits). All workers count in one
place, and the time is Redis's own.
"""

from collections.abc import Callable, Mapping

from redis import Redis

from app.mixpanel.errors import OverBudget
from app.store import keys
from app.store.scripts import load

MAX_RECORDS = 1_800_000
MAX_BYTES = 2_000_000_000


def left(stored: Mapping[bytes, bytes], now_s: int) -> tuple[int, int]:
    """Return how many records and bytes fit in now, by a project's count as `budget_take.lua` writes it.

    Args:
        stored: The hash.
        now_s: Redis's time.
    """
    records = size_bytes = 0
    for slot in stored.values():
        second, some, some_bytes = map(int, slot.split(b":"))
        if now_s - 60 <= second <= now_s:
            records += some
            size_bytes += some_bytes
    return max(0, MAX_RECORDS - records), max(0, MAX_BYTES - size_bytes)


class IngestionBudget:
    """Count records and bytes against the rolling 60 s of each project.

    Args:
        redis: Where the count is kept.
        max_records: Most records in any 60 s.
        max_bytes: Most bytes in any 60 s.
        now_us: Clock for tests, in microseconds; None is Redis's own.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        max_records: int = MAX_RECORDS,
        max_bytes: int = MAX_BYTES,
        now_us: Callable[[], int] | None = None,
    ) -> None:
        self._take = load(redis, "mixpanel/scripts/budget_take.lua")
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._now_us = now_us

    def take(self, project_id: str, records: int, size_bytes: int) -> None:
        """Count a request before it is sent.

        Args:
            project_id: Whose budget.
            records: How many records the request has.
            size_bytes: Size of its uncompressed JSON.

        Raises:
            OverBudget: It does not fit now; nothing was counted. If nobody else takes anything, it will fit
                after exactly `retry_after_s`.
            ValueError: It is larger than the whole budget and can never fit.
        """
        if records > self._max_records or size_bytes > self._max_bytes:
            raise ValueError(
                f"a request of {records} records and {size_bytes} bytes exceeds the whole budget"
            )
        now: list[int] = [self._now_us()] if self._now_us else []
        wait_us = self._take(
            keys=[keys.ingestion_budget(project_id)],
            args=[records, size_bytes, self._max_records, self._max_bytes, *now],
        )
        if wait_us:
            raise OverBudget(int(wait_us) / 1_000_000)
