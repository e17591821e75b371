from datetime import UTC, datetime
from typing import Any

import orjson
from cloudevents.core.formats.json import JSONFormat

from app.feed.encoding import Encoder
from app.feed.event import Event
from app.feed.merging import events_of
from app.feed.position import BEGINNING
from tests.unit.destinations.entries import entry

ENCODER = Encoder("https://relay.example.com/")


def event(**fields: Any) -> Event:
    return next(events_of("2195193", [entry(1, **fields)], BEGINNING))


def written(**fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(ENCODER.encode(event(**fields)))
    return told


def test_an_event_is_a_cloudevent_with_the_relays_attributes() -> None:
    assert written(entered={"zoë": {"plan": "pro"}}) == {
        "specversion": "1.0",
        "id": "g1-1-1",
        "source": "/projects/2195193",
        "type": "cohort-relay.members.entered",
        "time": "2026-01-01T00:00:00Z",
        "subject": "cohorts/1",
        "datacontenttype": "application/json",
        "dataschema": "https://relay.example.com/api/v1/events/schemas/members.entered/1",
        "generation": "g1",
        "sequence": "00000000000000000001",
        "data": {
            "cohort": {"id": "1", "name": "VIP"},
            "session_id": "s",
            "cause": "sync",
            "members": [{"distinct_id": "zoë", "properties": {"plan": "pro"}}],
        },
    }


def test_the_library_reads_what_is_written() -> None:
    told = event(exited=["a", "b"])
    read = JSONFormat().read(None, ENCODER.encode(told, previous="g1-0-1"))
    assert read.get_attributes() == ENCODER.cloud_event(told, "g1-0-1").get_attributes()
    assert read.get_data() == told.data
    assert read.get_time() == datetime(2026, 1, 1, tzinfo=UTC)
    assert read.get_extension("previous") == "g1-0-1"


def test_an_event_about_the_project_has_no_subject() -> None:
    assert "subject" not in written(kind="batch.dead_lettered", cohort=("", ""))


def test_times_in_data_are_words() -> None:
    assert written(kind="sync.completed", detail={"began_ms": 1_767_225_600_000})["data"]["began"] == (
        "2026-01-01T00:00:00.000Z"
    )


def test_a_type_that_is_not_documented_here_names_no_schema() -> None:
    assert "dataschema" not in written(kind="moon.full")


def test_ids_from_outside_are_quoted_in_a_subject() -> None:
    assert written(cohort=("a/b", "VIP"), entered="a")["subject"] == "cohorts/a%2Fb"


def test_members_are_people_and_their_number_has_another_name() -> None:
    data = written(kind="sync.completed", detail={"members": 17})["data"]
    assert data["member_count"] == 17
    assert "members" not in data
