"""The legacy Data API v2, `/api/2.0/...`: signed queries.

No description of it is published any more. Its parameters are those of the guide to it (events and funnels by
name, `unit` and `interval` back from now); what it answers has the shapes of the modern endpoints, computed
alike, funnels each under its name. Errors are `{"error", "request"}` and 400. Whether it shares the Query
API's budget is not documented: it does here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import orjson

from app.sandbox.api.answers import Answer, Modes, wrapped
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import Operation, Serve, said
from app.sandbox.api.legacy import signature
from app.sandbox.api.legacy.funnels import LegacyFunnels
from app.sandbox.api.reports.events import EventCounts
from app.sandbox.api.reports.properties import PropertyCounts
from app.sandbox.api.reports.reading import EventReader, days_or_interval
from app.sandbox.api.reports.retention import Retention
from app.sandbox.api.reports.saved import Saved
from app.sandbox.config import SandboxConfig
from app.sandbox.expressions.tokens import ExpressionError

NAME = "/legacy"
BASE = "/api/2.0"
PERIOD = {"unit": ("week",), "interval": ("4",)}
KNOWN = {"Missing", "Invalid", "Expired"}


@dataclass(frozen=True)
class Legacy:
    """Answers signed queries."""

    reader: EventReader
    saved: Saved
    config: SandboxConfig

    def operations(self) -> list[Operation]:
        """Return the endpoints; every other path beneath is `Invalid endpoint`."""
        served = [
            _operation(f"{BASE}/{path}", partial(self._signed, path, serve))
            for path, serve in self._served().items()
        ]
        return [*served, _operation(f"{BASE}/<path:other>", _unknown)]

    def _served(self) -> Mapping[str, Serve]:
        events, properties = EventCounts(self.reader), PropertyCounts(self.reader)
        funnels = LegacyFunnels(self.reader, self.saved)
        return {
            "events": events.aggregate,
            "events/top": events.top,
            "events/names": events.names,
            "events/retention": self._retention,
            "events/properties": properties.aggregate,
            "events/properties/top": properties.top,
            "events/properties/values": properties.values,
            "funnels": funnels.query,
            "funnels/names": funnels.names,
            "funnels/dates": funnels.dates,
            "funnels/properties": funnels.properties,
            "funnels/properties/names": funnels.property_names,
        }

    def _signed(self, path: str, serve: Serve, asked: Asked) -> Answer:
        """Answer, with the request in every error."""
        try:
            signature.check(asked.given, self.config.api_key, self.config.project_secret, asked.now_s)
            asked.one_of("format", ("json",))
            answer = serve(replace(asked, given=PERIOD | dict(asked.given)))
        except (MistakeError, ExpressionError) as err:
            body = {"error": _in_its_words(str(err)), "request": f"{BASE}/{path}"}
            return said(body, 400)
        return wrapped(answer, Modes.of({"callback": asked.text("callback") or ""}))

    def _retention(self, asked: Asked) -> Answer:
        """Count who comes back to the first of the events named."""
        first, last = days_or_interval(asked)
        event, count = asked.names("event")[0], asked.whole("interval", 1, 400)
        given = {
            "born_event": (event,),
            "event": (event,),
            "unit": (asked.one_of("unit", ("day", "week", "month")),),
            "interval_count": (str(count),),
            "from_date": (str(first),),
            "to_date": (str(last),),
        }
        return Retention(self.reader).retention(replace(asked, given=given))


def _operation(rule: str, serve: Callable[[Asked], Answer]) -> Operation:
    return Operation(NAME, "GET", rule, serve, frozenset(), budget="query", refuse=_refused)


def _unknown(asked: Asked) -> Answer:
    return said({"error": "Invalid endpoint", "request": f"{BASE}/{asked.path['other']}"}, 400)


def _refused(status: int, message: str) -> Answer:
    return Answer(status, orjson.dumps({"error": message, "request": BASE}))


def _in_its_words(message: str) -> str:
    """Say a mistake as the legacy API does: what is missing, what is no JSON, and what else is not valid."""
    name, _, rest = message.partition(": ")
    if message.split(maxsplit=1)[0] in KNOWN:
        return message
    if rest.startswith("required"):
        return f"Missing required parameter: {name}"
    if "JSON" in rest:
        return f"Invalid JSON Format: {name}"
    return f"Invalid parameter: {message}"
