"""The legacy Data API v2, `/api/2.0/...`: the modern queries, signed, with its own names and errors.

What it answers is not published any more; the answers have the shapes of the modern endpoints, computed
alike. A funnel is given by name (`funnel`) or by `funnel_id`. Errors are `{"error", "request"}` with the
messages of `app.sandbox.api.legacy.signature` and 400. Whether it shares the Query API's budget is not
documented: it does here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import orjson

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import Operation, Serve, said
from app.sandbox.api.legacy import signature
from app.sandbox.api.reports.events import EventCounts
from app.sandbox.api.reports.funnels import Funnels
from app.sandbox.api.reports.properties import PropertyCounts
from app.sandbox.api.reports.reading import EventReader, buckets_of
from app.sandbox.api.reports.retention import Retention
from app.sandbox.api.reports.saved import Saved
from app.sandbox.config import SandboxConfig
from app.sandbox.expressions.tokens import ExpressionError
from app.sandbox.store.documents import Document

NAME = "/legacy"
BASE = "/api/2.0"
FORM = ("json",)
KNOWN = {"Missing", "Invalid", "Expired"}


@dataclass(frozen=True)
class Legacy:
    """Answers signed queries."""

    reader: EventReader
    saved: Saved
    config: SandboxConfig

    def operations(self) -> list[Operation]:
        """Return the endpoints; every other path beneath is `Invalid endpoint`."""
        events, properties = EventCounts(self.reader), PropertyCounts(self.reader)
        served: Mapping[str, Serve] = {
            "events": events.aggregate,
            "events/top": events.top,
            "events/names": events.names,
            "events/retention": Retention(self.reader).retention,
            "events/properties": properties.aggregate,
            "events/properties/top": properties.top,
            "events/properties/values": properties.values,
            "funnels": self._funnel,
            "funnels/names": self._funnel_names,
            "funnels/dates": self._funnel_dates,
            "funnels/properties": self._funnel,
            "funnels/properties/names": self._funnel_properties,
        }
        known = [
            self._operation(f"{BASE}/{path}", partial(self._signed, path, serve))
            for path, serve in served.items()
        ]
        return [*known, self._operation(f"{BASE}/<path:other>", _unknown)]

    def _operation(self, rule: str, serve: Callable[[Asked], Answer]) -> Operation:
        return Operation(NAME, "GET", rule, serve, frozenset(), budget="query", refuse=_refused)

    def _signed(self, path: str, serve: Serve, asked: Asked) -> Answer:
        """Answer, with the request in every error."""
        try:
            signature.check(asked.given, self.config.api_key, self.config.project_secret, asked.now_s)
            asked.one_of("format", FORM, "json")
            return serve(asked)
        except (MistakeError, ExpressionError) as err:
            return said({"error": _in_its_words(str(err)), "request": f"/api/2.0/{path}"}, 400)

    def _funnel(self, asked: Asked) -> Answer:
        return Funnels(self.reader, self.saved).computed(asked, self._found(asked))

    def _funnel_names(self, _asked: Asked) -> Answer:
        return said([one["name"] for one in self.saved.funnels()])

    def _funnel_dates(self, asked: Asked) -> Answer:
        self._found(asked)
        return said(list(buckets_of(asked, asked.days(), ("day", "week", "month")).labels))

    def _funnel_properties(self, asked: Asked) -> Answer:
        events = self.reader.between(self._found(asked)["events"], *asked.days())
        return said(sorted({name for one in events for name in one.properties}))

    def _found(self, asked: Asked) -> Document:
        if name := asked.text("funnel"):
            return self.saved.funnel_named(name)
        return self.saved.funnel(asked.needed("funnel_id"))


def _unknown(asked: Asked) -> Answer:
    return said({"error": "Invalid endpoint", "request": f"{BASE}/{asked.path['other']}"}, 400)


def _refused(status: int, message: str) -> Answer:
    return Answer(status, orjson.dumps({"error": message, "request": BASE}))


def _in_its_words(message: str) -> str:
    """Say a mistake as the legacy API does: what is missing, what is no JSON, and what else is not valid."""
    name, _, rest = message.partition(": ")
    if rest == "required":
        return f"Missing required parameter: {name}"
    if "JSON" in rest:
        return f"Invalid JSON Format: {name}"
    return f"Invalid parameter: {message}" if rest and message.split(maxsplit=1)[0] not in KNOWN else message
