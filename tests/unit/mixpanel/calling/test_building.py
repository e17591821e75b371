from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from app.mixpanel.calling.building import Built, build
from app.mixpanel.calling.credentials import choose, redactor_of, retirement
from app.mixpanel.calling.failures import CallFailed, InvalidArguments
from app.mixpanel.calling.options import DEFAULT, Options
from app.mixpanel.calling.raw import RawRequest, build_raw
from app.mixpanel.calling.signing import signature
from app.mixpanel.catalog.catalog import CATALOG
from app.mixpanel.catalog.row import CredentialKind
from config.projects import Project
from tests.unit.mixpanel.calling.projects import ALL, BARE, TOKEN

DAYS: dict[str, Any] = {"from_date": "2026-08-01", "to_date": "2026-08-31"}
SECRETS = (TOKEN, "account-secret", "oauth-secret", "project-secret", "api-key")


def built(family: str, name: str, project: Project = ALL, *, body: Any = None, **arguments: Any) -> Built:
    options = arguments.pop("options", DEFAULT)
    return build(CATALOG[family, name], project, arguments, options, body=body, now_s=lambda: 1_000.0)


def problems(family: str, name: str, *, body: Any = None, **arguments: Any) -> dict[str, str]:
    with pytest.raises(InvalidArguments) as caught:
        built(family, name, body=body, **arguments)
    return dict(caught.value.problems)


def test_a_report_is_asked_for_with_the_service_account_and_the_projects_id() -> None:
    call = built("query", "funnels", funnel_id="7509", **DAYS).call
    assert (call.method, call.url) == ("GET", "https://eu.mixpanel.com/api/query/funnels")
    assert dict(call.params) == {"project_id": "2195193", "funnel_id": "7509", **DAYS}
    assert call.auth == ("relay.mp", "account-secret")


def test_with_the_project_secret_no_project_is_named_and_a_warning_names_its_end() -> None:
    only_secret = replace(ALL, service_account=None)
    found = built("query", "funnels", only_secret, funnel_id=7509, **DAYS)
    assert found.call.auth == ("project-secret", "")
    assert "project_id" not in dict(found.call.params)
    assert "3 March 2027" in found.warning


def test_the_project_secret_is_used_only_where_nothing_else_will_do() -> None:
    accepted: tuple[CredentialKind, ...] = ("project_secret", "service_account")
    assert choose(ALL, accepted, "x").kind == "service_account"
    assert choose(ALL, accepted, "x", wanted="project_secret").kind == "project_secret"
    assert "retires" in retirement(date(2027, 3, 2))
    assert "retired" in retirement(date(2027, 3, 3))


@pytest.mark.parametrize(
    ("family", "name", "named"),
    [
        ("query", "cohorts", "service_account"),
        ("gdpr", "get-deletion", "oauth_token"),
        ("legacy", "events-names", "api_key and project_secret"),
    ],
)
def test_a_missing_credential_is_named(family: str, name: str, named: str) -> None:
    with pytest.raises(CallFailed) as caught:
        built(family, name, BARE)
    assert caught.value.problem.code == "credential_missing"
    assert named in str(caught.value)


def test_the_oauth_token_goes_as_bearer_and_the_projects_token_into_the_address() -> None:
    call = built("gdpr", "create-deletion", body={"distinct_ids": ["a"]}).call
    assert (call.bearer, dict(call.params)) == ("oauth-secret", {"token": TOKEN})
    assert orjson.loads(call.body or b"") == {"distinct_ids": ["a"]}


def test_the_token_is_put_into_each_record_and_the_servers_address_is_not_everybodys() -> None:
    found = built("ingestion", "profile-set", body=[{"$distinct_id": "ann", "$set": {"a": 1}}])
    assert orjson.loads(found.call.body or b"") == [
        {"$distinct_id": "ann", "$set": {"a": 1}, "$token": TOKEN}
    ]
    assert (dict(found.call.params)["ip"], found.call.auth, found.call.records) == ("0", None, 1)


def test_events_carry_the_token_among_their_properties() -> None:
    found = built("ingestion", "track", body={"event": "A", "properties": {"distinct_id": "ann"}})
    (event,) = orjson.loads(found.call.body or b"")
    assert event["properties"]["token"] == TOKEN


def test_an_identity_is_sent_as_json_within_a_form() -> None:
    linked = {"$identified_id": "ann", "$anon_id": "b"}
    call = built("identity", "create-identity", data={"properties": linked}).call
    ((name, text),) = parse_qsl((call.body or b"").decode())
    assert name == "data"
    assert orjson.loads(text) == {"event": "$identify", "properties": {**linked, "token": TOKEN}}


def test_imports_are_compressed_and_counted() -> None:
    properties = {"time": 1, "distinct_id": "a", "$insert_id": "b", "x": "y" * 2_000}
    found = built("ingestion", "import", body=[{"event": "A", "properties": properties}] * 3)
    assert (found.call.content_encoding, found.call.records) == ("gzip", 3)
    assert len(found.call.body or b"") < 2_000 < found.size_bytes
    assert dict(found.call.params) == {"strict": "1", "project_id": "2195193"}


def test_records_may_come_as_lines() -> None:
    lines = b'{"event": "A", "properties": {"distinct_id": "a"}}\n' * 2
    assert built("ingestion", "track", body=lines).call.records == 2


def test_a_legacy_request_is_signed_and_asks_for_json() -> None:
    call = built("legacy", "events", event=["A"], type="general", unit="day", interval=7).call
    params = [*call.params]
    assert call.url == "https://eu.mixpanel.com/api/2.0/events"
    named = dict(params)
    assert (named["api_key"], named["expire"], named["format"]) == ("api-key", "1600", "json")
    assert named["sig"] == signature(params, "project-secret")


def test_all_problems_are_said_at_once() -> None:
    found = problems("query", "funnels", funnel_id="x", from_date="yesterday", colour="red")
    assert set(found) == {"funnel_id", "from_date", "to_date", "colour"}
    assert found["to_date"] == "is missing"


def test_another_project_cannot_be_reached() -> None:
    assert set(problems("query", "cohorts", project_id=1)) == {"project_id"}
    assert "project's own" in problems("annotations", "list", projectId=1)["projectId"]
    record = {"$token": "other", "$distinct_id": "a", "$set": {}}
    assert set(problems("ingestion", "profile-set", body=[record])) == {"[0].$token"}
    event = {"event": "A", "properties": {"token": "other"}}
    assert set(problems("ingestion", "track", body=[event])) == {"[0].properties.token"}


@pytest.mark.parametrize("step", ["", ".", ".."])
def test_a_path_cannot_be_left(step: str) -> None:
    assert set(problems("gdpr", "get-deletion", tracking_id=step)) == {"tracking_id"}


def test_parts_of_a_path_are_quoted() -> None:
    call = built("gdpr", "get-deletion", tracking_id="a/../b?c").call
    assert call.url.endswith("/data-deletions/v3.0/a%2F..%2Fb%3Fc")
    assert call.route == "/api/app/data-deletions/v3.0/{tracking_id}"


def test_a_period_has_to_end_after_it_began() -> None:
    assert problems("export", "events", from_date="2026-08-02", to_date="2026-08-01") == {
        "to_date": "is before from_date"
    }


def test_too_many_records_and_records_that_are_none_are_refused() -> None:
    assert "2000" in problems("ingestion", "track", body=[{}] * 2_001)[""]
    assert set(problems("ingestion", "track", body=[1])) == {"[0]"}
    assert problems("ingestion", "track", body=b"{")[""]
    assert problems("query", "cohorts", body={"a": 1})[""]


def test_options_of_the_family_carry_through() -> None:
    event = {"event": "A", "properties": {}}
    options: dict[str, Any] = {"strict": 1, "verbose": 1, "ip": 1, "img": 1}
    options |= {"redirect": "https://x", "callback": "f"}
    found = built("ingestion", "track", body=[event], **options)
    assert {name: dict(found.call.params)[name] for name in options} == {
        name: str(value) for name, value in options.items()
    }
    assert (found.answer, found.call.readable) == ("text", frozenset({302}))
    assert dict(built("query", "cohorts", workspace_id=3).call.params)["workspace_id"] == "3"


def test_region_and_host_are_a_callers_choice() -> None:
    in_india = built("query", "cohorts", options=Options(region="in")).call
    elsewhere = built("query", "cohorts", options=Options(host="http://localhost:1/x/")).call
    assert in_india.url == "https://in.mixpanel.com/api/query/cohorts/list"
    assert elsewhere.url == "http://localhost:1/x/cohorts/list"


def test_csv_is_known_as_such() -> None:
    arguments: dict[str, Any] = {"event": '["A"]', "type": "general", "unit": "day", **DAYS}
    assert built("query", "events", **arguments, format="csv").answer == "csv"


def test_every_row_can_be_built_or_says_which_arguments_it_lacks() -> None:
    lacking = []
    for row in CATALOG.values():
        try:
            url = build(row, ALL, {}, DEFAULT).call.url
        except InvalidArguments as error:
            lacking.append(error.problems)
        else:
            assert not {"{", "#"} & set(url), row.key
    assert all(lacking)


def test_no_secret_is_shown_by_what_is_built() -> None:
    for family, name in (("query", "cohorts"), ("gdpr", "get-deletion")):
        arguments: dict[str, Any] = {"tracking_id": "x"} if family == "gdpr" else {}
        shown = repr(built(family, name, **arguments))
        assert not any(secret in shown for secret in SECRETS)
    assert redactor_of(ALL)(" ".join(SECRETS)) == " ".join(["***"] * 5)


def raw(method: str, path: str, family: str = "query", **more: Any) -> Built:
    rows = [row for row in CATALOG.values() if row.family == family]
    return build_raw(rows, ALL, RawRequest(method, path, **more), DEFAULT)


def test_a_raw_request_has_the_familys_host_and_credential() -> None:
    call = raw("post", "/cohorts/list", query={"x": [1, 2]}, form={"a": "b"}).call
    assert (call.method, call.url) == ("POST", "https://eu.mixpanel.com/api/query/cohorts/list")
    assert [*call.params] == [("x", "1"), ("x", "2"), ("project_id", "2195193")]
    assert (call.body, call.content_type) == (b"a=b", "application/x-www-form-urlencoded")
    assert call.auth == ("relay.mp", "account-secret")


def test_a_raw_request_may_carry_files() -> None:
    call = raw("POST", "/x", files={"table": ("t.csv", b"a,b\n", "text/csv"), "name": "T"}).call
    assert call.content_type.startswith("multipart/form-data; boundary=")
    assert b'filename="t.csv"' in (call.body or b"")


@pytest.mark.parametrize(
    "path",
    ["x", "//evil.example/x", "/a/../b", "/a/%2e%2e/b", "/a?b=c", "/a#b", "https://evil.example/", "/a b"],
)
def test_a_raw_path_stays_below_its_host(path: str) -> None:
    with pytest.raises(InvalidArguments):
        raw("GET", path)


def test_a_raw_request_cannot_name_another_project() -> None:
    with pytest.raises(InvalidArguments):
        raw("GET", "/projects/1/annotations", "annotations")
    with pytest.raises(InvalidArguments):
        raw("GET", "/cohorts/list", query={"project_id": 1})
    assert raw("GET", "/projects/2195193/annotations", "annotations").call.url.endswith("/annotations")


def test_a_raw_request_has_one_body_and_a_known_method() -> None:
    with pytest.raises(InvalidArguments):
        raw("POST", "/x", json={}, form={})
    with pytest.raises(InvalidArguments):
        raw("TRACE", "/x")
