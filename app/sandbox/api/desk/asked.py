"""One request to an endpoint that a desk serves, and reading what it asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from app.sandbox.api.call import Call
from app.sandbox.api.credentials import Identified

TRUE, FALSE = {"true", "1"}, {"false", "0", ""}


class MistakeError(Exception):
    """The request asks for what there is not; the message says what, for people."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        call: As it came.
        who: Who is calling.
        path: What its path names.
        given: The fields of its query string and of its form, each as often as it came.
        now_s: The sandbox's time.
    """

    call: Call
    who: Identified
    path: Mapping[str, str]
    given: Mapping[str, Sequence[str]]
    now_s: float

    @property
    def now_ms(self) -> int:
        """The sandbox's time in milliseconds."""
        return int(self.now_s * 1000)

    @property
    def today(self) -> date:
        """The sandbox's day, UTC."""
        return datetime.fromtimestamp(self.now_s, UTC).date()

    def text(self, name: str) -> str | None:
        """Return a field, or None if it is missing or empty."""
        values = self.given.get(name)
        return values[0] if values and values[0] else None

    def needed(self, name: str) -> str:
        """Return a field that must be there."""
        found = self.text(name)
        if found is None:
            raise MistakeError(f"{name}: required")
        return found

    def whole(self, name: str, default: int, most: int) -> int:
        """Return a whole number from 1."""
        found = self.text(name)
        if found is None:
            return default
        if not (found.isascii() and found.isdigit() and 1 <= int(found) <= most):
            raise MistakeError(f"{name}: a whole number from 1 to {most}")
        return int(found)

    def one_of(self, name: str, known: Sequence[str], default: str | None = None) -> str:
        """Return a field that has one of some values; required without a default."""
        found = self.text(name) or default
        if found is None or found not in known:
            raise MistakeError(f"{name}: {'required, ' if found is None else ''}one of {', '.join(known)}")
        return found

    def flag(self, name: str) -> bool:
        """Return whether a field says true."""
        found = (self.text(name) or "").lower()
        if found not in TRUE | FALSE:
            raise MistakeError(f"{name}: true or false")
        return found in TRUE

    def day(self, name: str) -> date:
        """Return a day that must be there."""
        return _day(name, self.needed(name))

    def days(self, first: str = "from_date", last: str = "to_date") -> tuple[date, date]:
        """Return the first day and the last one, both of which count."""
        begin, end = self.day(first), self.day(last)
        if end < begin:
            raise MistakeError(f"{last}: must not be before {first}")
        return begin, end

    def names(self, name: str) -> list[str]:
        """Return a field that is a JSON array of texts."""
        found = decoded(name, self.needed(name))
        if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
            raise MistakeError(f"{name}: must be a JSON array of texts")
        return found

    def body(self) -> dict[str, Any]:
        """Return a body that must be a JSON object; none counts as an empty one."""
        found = decoded("the body", self.call.body or b"{}")
        if not isinstance(found, dict):
            raise MistakeError("the body must be a JSON object")
        return found


def decoded(name: str, said: str | bytes) -> Any:
    """Return what some JSON says."""
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError as err:
        raise MistakeError(f"{name}: must be JSON") from err


def start_ms(day: date) -> int:
    """Return when a day begins, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def end_ms(day: date) -> int:
    """Return when a day is over, UTC."""
    return start_ms(day + timedelta(days=1))


def _day(name: str, said: str) -> date:
    try:
        return datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as err:
        raise MistakeError(f"{name}: a day in yyyy-mm-dd format") from err
