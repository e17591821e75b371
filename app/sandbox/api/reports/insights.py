"""`/insights`: a saved report, counted now: some events by day.

Source: https://developer.mixpanel.com/reference/insights-query and the published OpenAPI description.
"""

from datetime import UTC, date, datetime, time, timedelta

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.buckets import Buckets
from app.sandbox.api.reports.counting import Seen, table
from app.sandbox.api.reports.reading import EventReader
from app.sandbox.api.reports.saved import Saved


class Insights:
    """Answers queries about saved reports."""

    def __init__(self, reader: EventReader, saved: Saved) -> None:
        self._reader = reader
        self._saved = saved

    def query(self, asked: Asked) -> Answer:
        """Count a report's events over its days, the last of which is today."""
        report = self._saved.report(asked.needed("bookmark_id"))
        first, last = asked.today - timedelta(days=report["days"] - 1), asked.today
        buckets = Buckets("day", first, last)
        seen = [
            Seen(one.event, buckets.label(one.time_ms), one.distinct_id)
            for one in self._reader.between(report["events"], first, last)
        ]
        counted = table(seen, buckets.labels, report["type"])
        series = {
            event: {_moment(label): counted.get(event, {}).get(label, 0) for label in buckets.labels}
            for event in report["events"]
        }
        body = {
            "computed_at": datetime.fromtimestamp(asked.now_s, UTC).isoformat(),
            "date_range": {"from_date": _start(first), "to_date": _end(last)},
            "headers": ["$event"],
            "series": series,
        }
        return said(body)


def _moment(label: str) -> str:
    return f"{label}T00:00:00+00:00"


def _start(day: date) -> str:
    return datetime.combine(day, time.min, UTC).isoformat()


def _end(day: date) -> str:
    return datetime.combine(day, time(23, 59, 59, 999000), UTC).isoformat()
