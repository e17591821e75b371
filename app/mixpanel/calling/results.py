"""What a call gives back."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from app.mixpanel.calling.cache import Kept
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.problems import PROBLEMS


@dataclass(frozen=True, slots=True)
class Result:
    """An answer.

    Attributes:
        status: HTTP status.
        content_type: Of the body.
        body: Unpacked.
        computed_at: When Mixpanel computed it, in its own words where it says so (ISO 8601), else when it was
            asked.
        age_s: How long ago it was asked for; what HTTP calls `Age`.
        from_cache: Whether somebody had asked for it before.
        warnings: What the caller has to be told.
        where: The endpoint, as `family name`.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    computed_at: str
    age_s: float = 0.0
    from_cache: bool = False
    warnings: tuple[str, ...] = ()
    where: str = ""

    def json(self) -> Any:
        """Read the body as JSON.

        Raises:
            CallFailed: It is none.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise CallFailed(PROBLEMS["unreadable"], self.where, status=self.status) from None


def result_of(kept: Kept, where: str, warning: str, *, from_cache: bool) -> Result:
    """Make the result of an answer."""
    return Result(
        kept.status,
        kept.content_type,
        kept.body,
        _computed_at(kept),
        kept.age_s,
        from_cache,
        (warning,) if warning else (),
        where,
    )


def _computed_at(kept: Kept) -> str:
    begin, found = kept.body.lstrip()[:1], None
    if begin == b"{" and b'"computed_at"' in kept.body:
        with suppress(orjson.JSONDecodeError):  # lines of objects are no object
            found = orjson.loads(kept.body).get("computed_at")
    if isinstance(found, str) and found:
        return found
    return datetime.fromtimestamp(kept.asked_us / 1_000_000, UTC).isoformat(timespec="milliseconds")
