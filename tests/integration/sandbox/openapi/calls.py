"""One call or more of each published operation, in an order that makes sense."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import orjson

from tests.integration.sandbox.openapi.call import TOKEN, Published
from tests.integration.sandbox.openapi.ingesting import ingestion

PROJECT = "/api/app/projects/2195193"
ORGANIZATION = "/api/app/organizations/4195193/service-accounts"
WORKSPACE = "/api/app/workspaces/3195193/experiments"
FLAGS = f"{PROJECT}/workspaces/3195193/feature-flags"
IMPORTS = f"{PROJECT}/warehouse-sources/imports"
PIPELINES = "/api/2.0/nessie/pipeline"
TODAY = dt.datetime.now(dt.UTC).date()
DAYS = {"from_date": str(TODAY - dt.timedelta(days=5)), "to_date": str(TODAY)}
SCHEMA = {
    "description": "Somebody signed up",
    "properties": {"plan": {"type": "string", "metadata": {"com.mixpanel": {"hidden": False}}}},
    "metadata": {"com.mixpanel": {"displayName": "Signup", "contacts": ["a@example.com"]}},
}
FLAG = {
    "name": "New checkout",
    "key": "checkout",
    "tags": ["shop"],
    "context": "distinct_id",
    "serving_method": "server",
    "status": "enabled",
    "ruleset": {
        "variants": [
            {"key": "on", "value": "yes", "is_control": False, "split": 0.5},
            {"key": "off", "value": "no", "is_control": True, "split": 0.5},
        ],
        "rollout": [
            {
                "cohort_definition": None,
                "runtime_evaluation_definition": None,
                "runtime_event_rule": None,
                "rollout_percentage": 1.0,
                "variant_splits": {"on": 0.5, "off": 0.5},
            }
        ],
        "test": {"users": {"tester": "on"}},
    },
}


def _json(
    operation: str, method: str, path: str, body: Any = None, status: int = 200, **more: Any
) -> Published:
    return Published(operation, method, path, status, {} if body is None else {"json": body}, **more)


def _query(operation: str, path: str, **query: Any) -> Published:
    return Published(operation, "GET", f"/api/query/{path}", said={"query": query})


def queries() -> Iterator[Published]:
    signed = {"event": "Signed up", **DAYS}
    yield _query("insights-query", "insights", bookmark_id="8001")
    yield _query("funnels-query", "funnels", funnel_id="7001", **DAYS)
    yield _query("funnels-list-saved", "funnels/list")
    yield _query("retention-query", "retention", born_event="Signed up", interval_count="3", **DAYS)
    yield _query(
        "retention-query", "retention", retention_type="compounded", unbounded_retention="true", **DAYS
    )
    yield _query(
        "retention-frequency-query", "retention/addiction", unit="day", addiction_unit="hour", **DAYS
    )
    yield _query("segmentation-query", "segmentation", on='properties["plan"]', type="unique", **signed)
    yield _query("segmentation-numeric-query", "segmentation/numeric", on='properties["price"]', **signed)
    yield _query("segmentation-sum-query", "segmentation/sum", on='floor(properties["price"])', **signed)
    yield _query("segmentation-query-average", "segmentation/average", on='properties["price"]', **signed)
    yield _query("activity-stream-query", "stream/query", distinct_ids='["u-1"]', **DAYS)
    yield Published("cohorts-list", "POST", "/api/query/cohorts/list")
    yield Published("engage-query", "POST", "/api/query/engage", said={"data": {"where": "true"}})
    several = {"event": '["Signed up","Logged in"]', "type": "general", "unit": "day"}
    yield _query("list-recent-events", "events", **several, **DAYS)
    yield _query("query-top-events", "events/top", type="general")
    yield _query("query-months-top-event-names", "events/names", type="general")
    counted = {"event": "Signed up", "name": "plan"}
    yield _query(
        "query-event-properties", "events/properties", type="average", unit="week", **counted, **DAYS
    )
    yield _query("query-events-top-properties", "events/properties/top", event="Signed up")
    yield _query("query-events-top-property-values", "events/properties/values", **counted)
    script = 'function main(){ return Events(params).groupBy(["name"], mixpanel.reducer.count()) }'
    params = orjson.dumps(DAYS).decode()
    yield Published(
        "query-jql", "POST", "/api/query/jql", said={"data": {"script": script, "params": params}}
    )
    yield Published("raw-event-export", "GET", "/api/2.0/export", said={"query": DAYS})


def pipelines() -> Iterator[Published]:
    made = {"type": "gcs-raw", "from_date": DAYS["from_date"], "gcs_bucket": "b", "gcs_region": "us-east1"}
    named = {"name": "events-daily-gcs-raw"}
    project = {"project_id": "2195193"}
    create = "create-warehouse-pipeline"
    yield Published(create, "POST", f"{PIPELINES}/create", said={"data": made | project})
    yield Published(create, "POST", f"{PIPELINES}/create", 400, {"data": {"type": "gcs-raw"} | project})
    edited = {"data": named | {"events": ["A", "B"]}}
    yield Published("edit-warehouse-pipeline", "POST", f"{PIPELINES}/edit", said=edited)
    yield Published("pause-warehouse-pipeline", "POST", f"{PIPELINES}/pause", said={"data": named})
    yield Published("resume-warehouse-pipeline", "POST", f"{PIPELINES}/resume", said={"data": named})
    yield Published("resume-warehouse-pipeline", "POST", f"{PIPELINES}/resume", 404, {"data": {"name": "x"}})
    yield Published("list-warehouse-pipeline-jobs", "GET", f"{PIPELINES}/jobs")
    yield Published("get-warehouse-pipeline-status", "GET", f"{PIPELINES}/status", said={"query": named})
    yield Published(
        "list-warehouse-pipeline-sync-dates", "GET", f"{PIPELINES}/timeline", said={"query": named}
    )
    yield Published("cancel-warehouse-pipeline", "POST", f"{PIPELINES}/cancel", said={"data": named})


def dictionary() -> Iterator[Published]:
    entry = {"entityType": "event", "name": "Signed up", "schemaJson": SCHEMA}
    base, of_events = f"{PROJECT}/schemas", f"{PROJECT}/schemas/event"
    yield _json("upload-schemas-for-project", "POST", base, {"entries": [entry], "truncate": True})
    yield _json("list-all-schemas-for-project", "GET", base)
    yield _json("list-schemas-for-entity", "GET", of_events)
    yield _json("upload-schema-by-entity-and-name", "POST", f"{of_events}/Logged%20in", SCHEMA)
    yield _json("upload-schema-by-entity-and-name", "POST", f"{of_events}/x", {"properties": []}, 400)
    yield _json("list-schemas-by-entity-and-name", "GET", f"{of_events}/Logged%20in")
    yield _json("delete-schema-by-entity-and-name", "DELETE", f"{of_events}/Logged%20in")
    yield _json("delete-schemas-for-entity", "DELETE", of_events)
    yield _json("delete-all-schemas-in-project", "DELETE", base)


def annotations() -> Iterator[Published]:
    base, one = f"{PROJECT}/annotations", f"{PROJECT}/annotations/{{annotation}}"
    yield _json("create-annotation-tag", "POST", f"{base}/tags", {"name": "release"})
    made = {"date": "2026-08-01 12:00:00", "description": "Launch", "tags": [1]}
    kept = ("annotation", ("results", "id"))
    yield _json("create-annotation", "POST", base, made, 201, keeps=kept)
    yield _json("get-annotation-tags", "GET", f"{base}/tags")
    yield _json("list-all-annotations-for-project", "GET", base)
    yield _json("get-annotation", "GET", one)
    yield _json("patch-annotation", "PATCH", one, {"description": "Launched"})
    yield _json("delete-annotation", "DELETE", one)


def privacy() -> Iterator[Published]:
    for what, name in (("retrievals", "retrieval"), ("deletions", "deletion")):
        base = f"/api/app/data-{what}/v3.0"
        said = {"query": {"token": TOKEN}}
        made = said | {"json": {"distinct_ids": ["nobody"]}}
        kept = (name, ("results", "task_id"))
        yield Published(f"create-{name}", "POST", base, 201, made, "oauth", kept)
        yield Published(f"get-{name}", "GET", f"{base}/{{{name}}}", said=said, who="oauth")
    gone = "/api/app/data-deletions/v3.0/{deletion}"
    yield Published("delete-deletion", "DELETE", gone, 204, {"query": {"token": TOKEN}}, "oauth")


def imports() -> Iterator[Published]:
    common = {"warehouse_source_id": 1, "table_params": {"table": "t"}, "sync_mode": "full_sync"}
    events = common | {"import_type": "event_stream", "event_name": "E", "time_column_name": "t"}
    kept = ("import", ("results", "id"))
    yield _json("create-event-stream-import", "POST", f"{IMPORTS}/event-stream", events, keeps=kept)
    yield _json("create-event-stream-import", "POST", f"{IMPORTS}/event-stream", {}, 400)
    people = common | {"import_type": "people", "user_column_name": "u"}
    yield _json("create-people-import", "POST", f"{IMPORTS}/people", people)
    groups = common | {"import_type": "groups", "group_key": "company", "group_id_column": "c"}
    yield _json("create-groups-import", "POST", f"{IMPORTS}/groups", groups)
    joined = {
        "mixpanel_property": {"value": "sku", "resourceType": "event"},
        "property_key_column_name": "sku",
    }
    table = common | joined | {"import_type": "lookup_table"}
    yield _json("create-lookup-table-import", "POST", f"{IMPORTS}/lookup-table", table)
    yield _json("list-warehouse-imports", "GET", IMPORTS)
    yield _json("run-an-import", "PUT", f"{IMPORTS}/{{import}}/manual-sync")
    yield _json("get-import-history", "GET", f"{IMPORTS}/{{import}}/history")
    changes = {"paused": True, "run_every": 3_600_000_000_000}
    yield _json("update-warehouse-import", "PATCH", f"{IMPORTS}/{{import}}", changes)
    yield _json("get-warehouse-import", "GET", f"{IMPORTS}/{{import}}")
    yield _json("delete-warehouse-import", "DELETE", f"{IMPORTS}/{{import}}", {"delete_data": False})
    yield _json("get-warehouse-import", "GET", f"{IMPORTS}/{{import}}", status=404)


def accounts() -> Iterator[Published]:
    member = {"id": 2195193, "role": "analyst"}
    made = {"username": "reader", "projects": [member], "expires": "2030-01-01T00:00:00Z"}
    kept = ("account", ("results", "id"))
    yield _json("create-service-account", "POST", ORGANIZATION, made, 201, keeps=kept)
    yield _json("create-service-account", "POST", ORGANIZATION, {}, 400)
    yield _json("list-service-accounts", "GET", ORGANIZATION)
    yield _json("get-service-account", "GET", f"{ORGANIZATION}/{{account}}")
    yield _json("list-project-service-accounts", "GET", f"{PROJECT}/service-accounts")
    given = {"projects": [member | {"role": "admin"}], "service_account_ids": [101]}
    yield _json("add-service-accounts-to-projects", "POST", f"{ORGANIZATION}/add-to-project", given)
    taken = {"projects": [{"id": 2195193, "service_account_ids": [101]}]}
    yield _json("remove-service-accounts-from-projects", "POST", f"{ORGANIZATION}/remove-from-project", taken)
    yield _json("delete-service-account", "DELETE", f"{ORGANIZATION}/{{account}}")
    yield _json("get-service-account", "GET", f"{ORGANIZATION}/{{account}}", status=404)


def experiments() -> Iterator[Published]:
    one = f"{WORKSPACE}/{{experiment}}"
    kept = ("experiment", ("results", "id"))
    yield _json("create-experiment", "POST", WORKSPACE, {"name": "Blue button"}, 201, keeps=kept)
    yield _json("list-experiments", "GET", WORKSPACE)
    yield _json("get-experiment", "GET", one)
    yield _json("update-experiment", "PATCH", one, {"hypothesis": "More clicks"})
    yield _json("launch-experiment", "PUT", f"{one}/launch", {})
    yield _json("force-conclude-experiment", "PUT", f"{one}/force_conclude", {})
    yield _json("decide-experiment", "PATCH", f"{one}/decide", {"success": True})
    yield _json("archive-experiment", "POST", f"{one}/archive", {})
    yield _json("unarchive-experiment", "DELETE", f"{one}/archive")
    yield _json("delete-experiment", "DELETE", one)
    yield _json("get-experiment", "GET", one, none=True)


def flags() -> Iterator[Published]:
    kept = ("flag", ("results", "id"))
    yield _json("create-feature-flag", "POST", FLAGS, FLAG, keeps=kept)
    yield _json("list-feature-flags", "GET", FLAGS)
    yield _json("get-feature-flag", "GET", f"{FLAGS}/{{flag}}")
    yield _json("update-feature-flag", "PUT", f"{FLAGS}/{{flag}}", FLAG | {"name": "Newer checkout"})
    asked = {"query": {"context": '{"distinct_id": "tester"}'}}
    yield Published("get-variant-assignments", "GET", "/flags", said=asked)
    yield Published("get-variant-assignments", "GET", "/flags", 400, {"query": {"context": "{}"}})
    yield Published("get-flag-definitions", "GET", "/flags/definitions")
    yield _json("delete-feature-flag", "DELETE", f"{FLAGS}/{{flag}}")
    yield _json("delete-feature-flag", "DELETE", f"{FLAGS}/{{flag}}", none=True)


FAMILIES = {
    "queries": queries,
    "pipelines": pipelines,
    "dictionary": dictionary,
    "annotations": annotations,
    "privacy": privacy,
    "imports": imports,
    "accounts": accounts,
    "experiments": experiments,
    "flags": flags,
    "ingestion": ingestion,
}
