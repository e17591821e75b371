"""The stretches of time that reports count by, UTC. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

UNITS = ("minute", "hour", "day", "week", "month")
MOST = 50_000
STEPS: Mapping[str, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}


class TooManyBucketsError(ValueError):
    """So many stretches would be nothing to look at."""


def beginning(unit: str, moment: datetime) -> datetime:
    """Return when the stretch begins that a moment is in; weeks begin on Monday."""
    if unit == "minute":
        return moment.replace(second=0, microsecond=0)
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if unit == "hour":
        return hour
    day = hour.replace(hour=0)
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def following(unit: str, begin: datetime) -> datetime:
    """Return when the next stretch begins."""
    if unit == "month":
        return beginning("month", begin + timedelta(days=32))
    return begin + STEPS[unit]


class Buckets:
    """Stretches that follow each other, from one day to another.

    Each is named by its beginning: `yyyy-mm-dd`, or `yyyy-mm-dd hh:mm:ss` if shorter than a day.
    """

    def __init__(self, unit: str, first: date, last: date, every_days: int = 1) -> None:
        """Make stretches of one unit, or (of days) of several days counted from the first.

        Raises:
            TooManyBucketsError: That would be too many.
        """
        self.first, self.last, self.unit = first, last, unit
        self._short = unit in {"minute", "hour"}
        self._every_s = every_days * 86400 if unit == "day" and every_days > 1 else None
        self._first = _midnight(first)
        self.labels = self._labelled(_midnight(last) + timedelta(days=1))

    def label(self, time_ms: int) -> str:
        """Return the name of the stretch that a time is in."""
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
        return self._name(self._beginning(moment))

    def _beginning(self, moment: datetime) -> datetime:
        if self._every_s is None:
            return beginning(self.unit, moment)
        passed_s = (moment - self._first).total_seconds()
        return self._first + timedelta(seconds=passed_s // self._every_s * self._every_s)

    def _labelled(self, until: datetime) -> tuple[str, ...]:
        found, begin = list[str](), self._beginning(self._first)
        step = self._step()
        while begin < until:
            found.append(self._name(begin))
            begin = step(begin)
            if len(found) > MOST:
                raise TooManyBucketsError
        return tuple(found)

    def _step(self) -> Callable[[datetime], datetime]:
        if self._every_s is None:
            return lambda begin: following(self.unit, begin)
        every = timedelta(seconds=self._every_s)
        return lambda begin: begin + every

    def _name(self, begin: datetime) -> str:
        return begin.strftime("%Y-%m-%d %H:%M:%S" if self._short else "%Y-%m-%d")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
