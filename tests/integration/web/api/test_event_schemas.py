from app.feed.types import TYPES
from tests.integration.web.api.relay import Relay


def test_whoever_is_told_something_finds_its_schema_where_the_event_says(relay: Relay) -> None:
    told = relay.app.test_client().get("/api/v1/events/schemas")
    assert told.status_code == 200
    types = told.json["types"] if told.json else []
    assert {each["type"] for each in types} == TYPES
    for each in types:
        answer = relay.app.test_client().get(each["schema"])
        assert answer.mimetype == "application/schema+json"
        assert answer.get_json(force=True)["title"] == each["type"]
        assert each["example"]["dataschema"].endswith(each["schema"])


def test_a_schema_that_there_is_not_is_not_found(relay: Relay) -> None:
    for path in ("members.entered/2", "members.eaten/1", "../1", "members.entered/x"):
        assert relay.app.test_client().get(f"/api/v1/events/schemas/{path}").status_code == 404
