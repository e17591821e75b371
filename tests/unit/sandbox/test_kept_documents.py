from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.config import Limits
from app.sandbox.machine import Machine
from tests.unit.sandbox.asking import PROJECT, ask
from tests.unit.sandbox.calls import decoded
from tests.unit.sandbox.doubles import MovedClock

PIPELINES = "/api/2.0/nessie/pipeline"
FLAGS = f"{PROJECT}/workspaces/3195193/feature-flags"
TABLES = "/lookup-tables"
IMPORTS = f"{PROJECT}/warehouse-sources/imports"
EXPERIMENTS = "/api/app/workspaces/3195193/experiments"
BUCKET = {"type": "gcs-raw", "gcs_bucket": "b", "gcs_region": "us-east1", "from_date": "2026-09-18"}


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=0, cohorts=0, limits=Limits(lexicon_a_minute=100))


def pipeline(machine: Machine, path: str, **form: str) -> Any:
    method = "GET" if path in {"jobs", "status", "timeline"} else "POST"
    answer = ask(machine, method, f"{PIPELINES}/{path}", **form)
    return answer.status if answer.status != 200 or not answer.body else decoded(answer)


def test_a_pipeline_is_made_runs_pauses_and_goes(machine: Machine, clock: MovedClock) -> None:
    assert pipeline(machine, "create", **BUCKET) == {"pipeline_names": ["events-daily-gcs-raw"]}
    assert pipeline(machine, "create", **BUCKET) == {"pipeline_names": ["events-daily-gcs-raw-2"]}
    name = {"name": "events-daily-gcs-raw"}
    (job, _) = pipeline(machine, "jobs")["2195193"]
    assert (job["name"], job["Dispatcher"], job["frequency"]) == (name["name"], "backfill", "daily")
    assert [day["date"] for day in pipeline(machine, "timeline", **name)["day_syncs"]] == [
        "2026-09-18",
        "2026-09-19",
        "2026-09-20",
    ]
    assert pipeline(machine, "status", summary="true", **name)["succeeded"] == 3
    assert pipeline(machine, "pause", **name) == 200
    clock.advance(5 * 86_400)
    assert pipeline(machine, "status", summary="true", **name)["succeeded"] == 3
    assert pipeline(machine, "resume", **name) == 200
    assert pipeline(machine, "status", summary="true", **name)["succeeded"] == 8
    assert pipeline(machine, "status", status="canceled", **name) == {"canceled": []}
    assert pipeline(machine, "edit", events="A", **name) == 200
    assert pipeline(machine, "cancel", **name) == 200
    assert [pipeline(machine, path, **name) for path in ("cancel", "status", "pause", "edit")] == [404] * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "floppy"},
        {"gcs_bucket": ""},
        {"from_date": ""},
        {"from_date": "2025-09-18"},
        {"frequency": "monthly"},
        {"where": "1 +"},
        {"data_source": "people"},
        {"type": "bigquery"},
    ],
)
def test_a_pipeline_that_cannot_be_is_refused(machine: Machine, changes: dict[str, str]) -> None:
    assert pipeline(machine, "create", **(BUCKET | changes)) == 400


def test_a_trial_exports_events_and_people(machine: Machine) -> None:
    made = {"type": "bigquery", "trial": "true", "schema_type": "monoschema", "sync": "true"}
    where = {"bq_region": "US", "gcp_project": "p", "bq_dataset_name": "d"}
    assert pipeline(machine, "create", **made, **where)["pipeline_names"] == [
        "trial-events-daily-bigquery-monoschema",
        "trial-people-daily-bigquery-monoschema",
    ]


def test_a_pipelines_secrets_are_not_kept(machine: Machine) -> None:
    azure = {"storage_account": "s", "container_name": "c", "client_id": "i", "tenant_id": "t"}
    pipeline(machine, "create", **(BUCKET | {"type": "azure-raw", "client_secret": "hush"}), **azure)
    assert "hush" not in str(machine.documents.all("pipeline"))


def flag(key: str = "f", share: float = 1, **ruleset: Any) -> dict[str, Any]:
    variants = [
        {"key": "on", "value": "1", "is_control": False, "split": 0.5},
        {"key": "off", "value": "0", "is_control": True, "split": 0.5},
    ]
    rules = {"variants": variants, "rollout": [{"rollout_percentage": share}]} | ruleset
    return {
        "name": key,
        "key": key,
        "tags": [],
        "context": "distinct_id",
        "serving_method": "server",
        "status": "enabled",
        "ruleset": rules,
    }


def variants(machine: Machine, who: str) -> dict[str, str]:
    answer = ask(machine, "GET", "/flags", context=f'{{"distinct_id": "{who}"}}')
    return {key: one["variant_key"] for key, one in decoded(answer)["flags"].items()}


def test_a_flag_gives_everybody_one_variant_and_each_its_share(machine: Machine) -> None:
    ask(machine, "POST", FLAGS, body=flag("half"))
    ask(machine, "POST", FLAGS, body=flag("rare", 0.1))
    ask(machine, "POST", FLAGS, body=flag("off") | {"status": "disabled"})
    found = [variants(machine, f"u-{number}") for number in range(200)]
    assert found == [variants(machine, f"u-{number}") for number in range(200)]
    assert 70 < sum(one["half"] == "on" for one in found) < 130
    assert 5 < sum("rare" in one for one in found) < 40
    assert not any("off" in one for one in found)


def test_test_users_and_overrides_come_first_and_unknown_rules_hold_for_nobody(machine: Machine) -> None:
    tested: dict[str, Any] = {"test": {"users": {"t": "off"}}}
    forced = {"rollout_percentage": 1, "variant_override": {"key": "on"}}
    ask(machine, "POST", FLAGS, body=flag("forced", rollout=[forced], **tested))
    unknown = {"rollout_percentage": 1, "cohort_definition": {"id": 1}}
    ask(machine, "POST", FLAGS, body=flag("cohort", rollout=[unknown]))
    assert variants(machine, "t") == {"forced": "off"}
    assert variants(machine, "u") == {"forced": "on"}


def test_archived_flags_are_shown_when_asked_for_and_keys_are_used_once(machine: Machine) -> None:
    ask(machine, "POST", FLAGS, body=flag() | {"status": "archived"})
    assert decoded(ask(machine, "GET", FLAGS))["results"] == []
    assert len(decoded(ask(machine, "GET", FLAGS, include_archived="true"))["results"]) == 1
    assert decoded(ask(machine, "POST", FLAGS, body=flag()))["status"] == "error"


def test_an_experiment_goes_from_draft_to_decision_and_no_other_way(machine: Machine) -> None:
    made = decoded(ask(machine, "POST", EXPERIMENTS, body={"name": "Blue"}))["results"]
    one = f"{EXPERIMENTS}/{made['id']}"

    def state(method: str, path: str, body: Any = None) -> str:
        found = decoded(ask(machine, method, f"{one}/{path}", body=body))
        return str(found["results"]["status"]) if found["status"] == "ok" else "refused"

    assert state("PUT", "force_conclude") == state("PATCH", "decide", {"success": True}) == "refused"
    assert [state("PUT", "launch"), state("PUT", "launch")] == ["active", "refused"]
    assert state("PUT", "force_conclude") == "concluded"
    assert [state("PATCH", "decide"), state("PATCH", "decide", {"success": False})] == ["refused", "fail"]
    ask(machine, "POST", f"{one}/archive")
    assert decoded(ask(machine, "GET", EXPERIMENTS))["results"] == []


def test_an_imports_runs_end_by_the_clock(machine: Machine, clock: MovedClock) -> None:
    groups = {"import_type": "groups", "group_key": "c", "group_id_column": "c", "sync_mode": "full_sync"}
    made = ask(
        machine, "POST", f"{IMPORTS}/groups", body=groups | {"warehouse_source_id": 1, "table_params": {}}
    )
    one = f"{IMPORTS}/{decoded(made)['results']['id']}"
    ask(machine, "PUT", f"{one}/manual-sync")

    def runs() -> list[str]:
        return [run["status"] for run in decoded(ask(machine, "GET", f"{one}/history"))["results"]["runs"]]

    assert runs() == ["RUNNING"]
    clock.advance(10)
    assert runs() == ["SUCCEEDED"]
    assert ask(machine, "PATCH", one, body={"paused": True, "run_every": 5}).status == 400


def test_a_lookup_table_is_replaced_whole_or_not_at_all(machine: Machine) -> None:
    table = f"{TABLES}/55b4fb2b-e8de-466c-930f-8b36640b9b5e"

    def put(body: bytes, mimetype: str = "text/csv") -> Any:
        answer = ask(machine, "PUT", table, body=body, mimetype=mimetype)
        return answer.status, decoded(answer).get("failed_records")

    assert put(b"id,name\n1,One\n") == (200, None)
    status, failed = put(b"id,name\n,One\n2\n3,Three\n")
    assert status == 400
    assert [(one["index"], one["message"]) for one in failed] == [
        (1, "primary key is required and cannot be blank"),
        (2, "invalid row: wrong number of fields"),
    ]
    assert put(b"")[0] == put(b"\xff\xfe")[0] == put(b"id\n1\n", "text/plain")[0] == 400
    machine.controls.limits = Limits(max_request_bytes=10)
    assert put(b"id,name\n1,One\n")[0] == 413
    kept = machine.documents.all("lookup_table").values()
    assert [one["rows"] for one in kept if one["rows"]] == [[["id", "name"], ["1", "One"]]]


def test_schemas_are_kept_by_entity_and_name(machine: Machine) -> None:
    base = f"{PROJECT}/schemas"
    for entity, name in (("event", "A"), ("event", "B"), ("profile", "A")):
        assert ask(machine, "POST", f"{base}/{entity}/{name}", body={"description": name}).status == 200

    def kept(path: str = "", **query: str) -> list[str]:
        found = decoded(ask(machine, "GET", f"{base}{path}", **query))["results"]
        return [f"{one['entityType']}/{one['name']}" for one in found]

    assert kept() == ["event/A", "event/B", "profile/A"]
    assert kept("/event", entity_name="B") == ["event/B"]
    entry = {"entityType": "event", "name": "C", "schemaJson": {}}
    answer = ask(machine, "POST", base, body={"entries": [entry], "truncate": True})
    assert decoded(answer)["results"] == {"added": 1, "deleted": 3}
    assert kept() == ["event/C"]
    assert ask(machine, "GET", f"{base}/event/A").status == 404
    assert ask(machine, "GET", f"{base}/group").status == 400
    wrong = entry | {"schemaJson": {"properties": {"p": {"type": "date"}}}}
    assert ask(machine, "POST", base, body={"entries": [wrong]}).status == 400


def test_annotations_are_found_by_day(machine: Machine) -> None:
    base = f"{PROJECT}/annotations"
    for day in ("01", "02", "03"):
        ask(machine, "POST", base, body={"date": f"2026-09-{day} 10:00:00", "description": day})
    found = decoded(ask(machine, "GET", base, fromDate="2026-09-02", toDate="2026-09-02"))["results"]
    assert [one["description"] for one in found] == ["02"]
    assert ask(machine, "POST", base, body={"date": "2026-09-01", "description": "x"}).status == 400
    assert ask(machine, "GET", f"{base}/99").status == 404
