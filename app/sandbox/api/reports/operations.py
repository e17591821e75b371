"""The Query API's endpoints but for profiles and cohorts, which answer at `app.sandbox.api.query`."""

from app.sandbox.api import answers
from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.operation import READERS, Operation, Serve, plainly
from app.sandbox.api.reports.activity import Activity
from app.sandbox.api.reports.events import EventCounts
from app.sandbox.api.reports.funnels import Funnels
from app.sandbox.api.reports.insights import Insights
from app.sandbox.api.reports.jql import Jql
from app.sandbox.api.reports.properties import PropertyCounts
from app.sandbox.api.reports.reading import EventReader
from app.sandbox.api.reports.retention import Retention
from app.sandbox.api.reports.saved import Saved
from app.sandbox.api.reports.segmentation import Segmentation


def operations(reader: EventReader, saved: Saved) -> list[Operation]:
    """Return the endpoints."""
    funnels, retention, segmentation = Funnels(reader, saved), Retention(reader), Segmentation(reader)
    events, properties = EventCounts(reader), PropertyCounts(reader)
    served: dict[str, Serve] = {
        "insights": Insights(reader, saved).query,
        "funnels": funnels.query,
        "funnels/list": funnels.list,
        "retention": retention.retention,
        "retention/addiction": retention.addiction,
        "segmentation": segmentation.plain,
        "segmentation/numeric": segmentation.numeric,
        "segmentation/sum": segmentation.sum,
        "segmentation/average": segmentation.average,
        "stream/query": Activity(reader).query,
        "events": events.aggregate,
        "events/top": events.top,
        "events/names": events.names,
        "events/properties": properties.aggregate,
        "events/properties/top": properties.top,
        "events/properties/values": properties.values,
    }
    return [*(_operation("GET", path, serve) for path, serve in served.items()), _jql(reader)]


def _jql(reader: EventReader) -> Operation:
    return _operation("POST", "jql", Jql(reader).query)


def _operation(method: str, path: str, serve: Serve) -> Operation:
    return Operation(
        f"/query/{path}", method, f"/api/query/{path}", serve, READERS, budget="query", refuse=_refused
    )


def _refused(status: int, message: str) -> Answer:
    return answers.refusal(status, message) if status == answers.TOO_MANY else plainly(status, message)
