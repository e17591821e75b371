"""`/funnels` and `/funnels/list`: how many people take a saved funnel's steps, one after another.

Source: https://developer.mixpanel.com/reference/funnels-query and the published OpenAPI description. A person
counts once in each stretch of time in which they took the first step; the steps follow in time, within the
funnel's length from the first. The description says that `avg_time` of the first step is null, and that it is
an integer: here it is 0. Whoever tried several times counts with the first of those that went furthest. `on`
is refused, as what it answers is not described.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.buckets import Buckets
from app.sandbox.api.reports.reading import EventReader, buckets_of
from app.sandbox.api.reports.saved import LONGEST_S, UNITS_S, Saved
from app.sandbox.store.documents import Document
from app.sandbox.store.events import StoredEvent

Path = tuple[int, ...]  # when somebody took each step, ms, as far as they came


@dataclass
class Passage:
    """Who went how far in one stretch of time; `paths` by person."""

    paths: dict[str, Path] = field(default_factory=dict)

    def tried(self, person: str, path: Path) -> None:
        """Note how far somebody came; of several tries, the first that went furthest counts."""
        if len(path) > len(self.paths.get(person, ())):
            self.paths[person] = path

    def shown(self, events: Sequence[str]) -> dict[str, Any]:
        """Return the steps and what they come to."""
        reached = [[path for path in self.paths.values() if len(path) > at] for at in range(len(events))]
        counts = [len(paths) for paths in reached]
        steps = [
            {
                "count": counts[at],
                "avg_time": _average([path[at] - path[at - 1] for path in reached[at]]) if at else 0,
                "avg_time_from_start": _average([path[at] - path[0] for path in reached[at]]),
                "step_conv_ratio": _ratio(counts[at], counts[at - 1]) if at else 1,
                "goal": event,
                "overall_conv_ratio": _ratio(counts[at], counts[0]) if at else 1,
                "event": event,
            }
            for at, event in enumerate(events)
        ]
        lost = [counts[at - 1] - counts[at] for at in range(1, len(counts))]
        analysis = {
            "completion": counts[-1],
            "starting_amount": counts[0],
            "steps": len(events),
            "worst": 1 + lost.index(max(lost)),
        }
        return {"steps": steps, "analysis": analysis}


class Funnels:
    """Answers queries about funnels."""

    def __init__(self, reader: EventReader, saved: Saved) -> None:
        self._reader = reader
        self._saved = saved

    def list(self, _asked: Asked) -> Answer:
        """List the saved funnels."""
        return said([{"funnel_id": one["funnel_id"], "name": one["name"]} for one in self._saved.funnels()])

    def query(self, asked: Asked) -> Answer:
        """Answer for a saved funnel."""
        return self.computed(asked, self._saved.funnel(asked.needed("funnel_id")))

    def computed(self, asked: Asked, funnel: Document) -> Answer:
        """Compute a funnel by stretches of time."""
        if asked.text("on"):
            raise MistakeError("on: this sandbox does not segment funnels")
        every = asked.whole("interval", 1, 366)
        buckets = buckets_of(asked, asked.days(), ("day", "week", "month"), every_days=every)
        passages = self._passages(asked, funnel, buckets)
        data = {label: passages[label].shown(funnel["events"]) for label in buckets.labels}
        return said({"meta": {"dates": list(buckets.labels)}, "data": data})

    def _passages(self, asked: Asked, funnel: Document, buckets: Buckets) -> Mapping[str, Passage]:
        events, length_s = funnel["events"], _length_s(asked, funnel)
        last = buckets.last + timedelta(seconds=length_s)  # who began on the last day has as long as others
        histories: dict[str, list[StoredEvent]] = defaultdict(list)
        for one in self._reader.between(list(set(events)), buckets.first, last, asked.text("where")):
            histories[one.distinct_id].append(one)
        known, found = set(buckets.labels), {label: Passage() for label in buckets.labels}
        for person, history in histories.items():
            for at, one in enumerate(history):
                label = buckets.label(one.time_ms)
                if one.event == events[0] and label in known:
                    found[label].tried(person, taken(history[at:], events, length_s * 1000))
        return found


def taken(history: Sequence[StoredEvent], events: Sequence[str], length_ms: int) -> Path:
    """Return when a person took the steps, beginning with the first event of a history."""
    path = [history[0].time_ms]
    for one in history[1:]:
        if len(path) == len(events) or one.time_ms - path[0] > length_ms:
            break
        if one.event == events[len(path)]:
            path.append(one.time_ms)
    return tuple(path)


def _length_s(asked: Asked, funnel: Document) -> int:
    length = asked.whole("length", funnel["length"], LONGEST_S)
    unit = asked.one_of("length_unit", tuple(UNITS_S), funnel["length_unit"])
    if length * UNITS_S[unit] > LONGEST_S:
        raise MistakeError("length: may not be greater than 90 days")
    return length * UNITS_S[unit]


def _average(spans_ms: Sequence[int]) -> int:
    return round(sum(spans_ms) / len(spans_ms) / 1000) if spans_ms else 0


def _ratio(count: int, of: int) -> float:
    return count / of if of else 0
