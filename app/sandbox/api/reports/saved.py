"""Saved funnels and reports: what queries by id are about.

In Mixpanel people make them in its pages; here they are made at `/sandbox/funnels` and `/sandbox/reports`,
and a new state has one of each.
"""

from typing import Any

from app.sandbox.api.desk.asked import MistakeError
from app.sandbox.api.reports.counting import KINDS
from app.sandbox.store.documents import Document, Documents

FUNNEL, REPORT = "funnel", "report"
FIRST_FUNNEL, FIRST_REPORT = 7001, 8001
UNITS_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
LONGEST_S = 90 * 86400
MOST_DAYS = 366


class Saved:
    """The project's saved funnels and reports."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add_funnel(
        self, name: str, events: list[str], length: int = 14, length_unit: str = "day"
    ) -> Document:
        """Keep a funnel: its steps in order, and how long people have for them."""
        if not 1 <= length * UNITS_S.get(length_unit, 0) <= LONGEST_S:
            raise MistakeError("length, length_unit: at most 90 days, in days, hours, minutes or seconds")
        if not _texts(events) or not events[1:]:
            raise MistakeError("events: at least two names")
        number = self._documents.number(FUNNEL, FIRST_FUNNEL)
        funnel = {
            "funnel_id": number,
            "name": name,
            "events": events,
            "length": length,
            "length_unit": length_unit,
        }
        return self._documents.put(FUNNEL, number, funnel)

    def add_report(self, name: str, events: list[str], days: int = 30, kind: str = "general") -> Document:
        """Keep an Insights report: some events by day, over the last days."""
        if not _texts(events) or not events:
            raise MistakeError("events: at least one name")
        if kind not in KINDS or not 1 <= days <= MOST_DAYS:
            raise MistakeError(f"type: one of {', '.join(KINDS)}; days: from 1 to {MOST_DAYS}")
        number = self._documents.number(REPORT, FIRST_REPORT)
        report = {"bookmark_id": number, "name": name, "events": events, "days": days, "type": kind}
        return self._documents.put(REPORT, number, report)

    def funnels(self) -> list[Document]:
        """Return all funnels."""
        return list(self._documents.all(FUNNEL).values())

    def reports(self) -> list[Document]:
        """Return all reports."""
        return list(self._documents.all(REPORT).values())

    def funnel(self, said: str) -> Document:
        """Return the funnel of an id."""
        return self._found(FUNNEL, "funnel_id", said)

    def funnel_named(self, name: str) -> Document:
        """Return the funnel of a name."""
        found = next((one for one in self.funnels() if one["name"] == name), None)
        if found is None:
            raise MistakeError("funnel: there is no such funnel")
        return found

    def report(self, said: str) -> Document:
        """Return the report of an id."""
        return self._found(REPORT, "bookmark_id", said)

    def fill(self) -> None:
        """Make what a new state has."""
        self.add_funnel("Signup funnel", ["Signed up", "Logged in"])
        self.add_report("Signups and logins", ["Signed up", "Logged in"])

    def _found(self, kind: str, field: str, said: str) -> Document:
        found = self._documents.get(kind, said)
        if found is None:
            raise MistakeError(f"{field}: there is none of this id")
        return found


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) and one for one in values)
