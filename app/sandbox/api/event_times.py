"""Read an event's time. Pure.

Source: https://docs.mixpanel.com/reference/import-events ("in seconds or milliseconds since epoch [...]
reject events with time values that are before 1971-01-01 or more than 1 hour in the future"), the published
OpenAPI description ("If the time value is set in the future, it will be overwritten with the current present
time at ingestion") and https://docs.mixpanel.com/reference/track-event ("Last 5 days only").
"""

from typing import Any

from app.sandbox.api.records import RefusedRecordError
from app.sandbox.config import Limits

FIELD = "properties.time"
YEAR_1971_S = 365 * 24 * 3600
# As seconds this is the year 2970, as milliseconds the first of 1971: from here on, milliseconds are meant.
FIRST_MS = YEAR_1971_S * 1000
DAY_MS = 24 * 3600 * 1000


def imported_time_ms(value: Any, now_ms: int, limits: Limits) -> int:
    """Return the time of an event of `/import`, in milliseconds.

    Raises:
        RefusedRecordError: It is missing, of the wrong type, or out of range.
    """
    if value is None:
        raise RefusedRecordError(FIELD, "must not be missing")
    time_ms = _time_ms(value)
    if time_ms > now_ms + limits.max_ahead_s * 1000:
        raise RefusedRecordError(FIELD, "must not be more than 1 hour in the future")
    return min(time_ms, now_ms)


def tracked_time_ms(value: Any, now_ms: int) -> int:
    """Return the time of an event of `/track`, in milliseconds; without any, it is now.

    Raises:
        RefusedRecordError: It is of the wrong type, or before 1971.
    """
    return now_ms if value is None else min(_time_ms(value), now_ms)


def _time_ms(value: Any) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise RefusedRecordError(FIELD, "must be specified as seconds since epoch")
    if value < YEAR_1971_S:
        raise RefusedRecordError(FIELD, "must not be before 1971-01-01")
    return int(value) if value >= FIRST_MS else int(value) * 1000
