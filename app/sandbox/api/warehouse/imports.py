"""`/projects/{id}/warehouse-sources/imports`: imports from warehouses, which run on paper.

Source: the published OpenAPI description of warehouse connectors. Which role manages them is not in it: Admin
here.
"""

import secrets
from typing import Any

from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import Operation, Serve, said
from app.sandbox.api.moments import iso
from app.sandbox.api.warehouse.forms import FREQUENCIES, KINDS, check
from app.sandbox.store.documents import Document, Documents

KIND = "warehouse_import"
NAME = "/warehouse-imports"
BASE = "/api/app/projects/<project_id>/warehouse-sources/imports"
RUN_MS = 10_000
MOST_RUNS = 30
LISTED = (
    *("id", "import_type", "sync_mode", "created", "creator_id", "creator_name", "creator_email"),
    *("warehouse_source_id", "table_params", "paused", "run_every", "last_dispatch", "is_deleted"),
)
DETAILED = (
    *("event_name", "event_column_name", "time_column_name", "user_column_name", "insert_time_column_name"),
    *("property_mappings", "group_key", "group_id_column", "databricks_params"),
)


class WarehouseImports:
    """Keeps imports."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        one = f"{BASE}/<int:import_id>"
        return [
            Operation(NAME, "GET", BASE, self._list),
            Operation(NAME, "GET", one, self._get),
            _managing("PATCH", one, self._change),
            _managing("DELETE", one, self._delete),
            *(_managing("POST", f"{BASE}/{kind}", self._creating(kind)) for kind in KINDS),
            _managing("PUT", f"{one}/manual-sync", self._run),
            Operation(NAME, "GET", f"{one}/history", self._history),
        ]

    def _list(self, _asked: Asked) -> Answer:
        found = self._documents.all(KIND).values()
        return said({"status": "ok", "results": [_listed(one) for one in found]})

    def _get(self, asked: Asked) -> Answer:
        return _answered(self._found(asked))

    def _creating(self, kind: str) -> Serve:
        def create(asked: Asked) -> Answer:
            given = check(kind, asked.body())
            number = self._documents.number(KIND)
            kept = given | {
                "id": number,
                "created": iso(asked.now_ms),
                "creator_id": 1,
                "creator_name": "Sand Box",
                "creator_email": "sandbox@example.com",
                "paused": False,
                "run_every": given.get("run_every", 0),
                "last_dispatch": None,
                "is_deleted": False,
                "runs": [],
            }
            return _answered(self._documents.put(KIND, number, kept))

        return create

    def _change(self, asked: Asked) -> Answer:
        kept, given = self._found(asked), asked.body()
        if not isinstance(given.get("paused"), bool):
            raise MistakeError("paused: required, true or false")
        if given.get("run_every") not in FREQUENCIES:
            raise MistakeError(f"run_every: required, one of {', '.join(str(one) for one in FREQUENCIES)}")
        changes = {
            name: given[name] for name in ("paused", "run_every", "databricks_params") if name in given
        }
        return _answered(self._documents.put(KIND, kept["id"], kept | changes))

    def _delete(self, asked: Asked) -> Answer:
        kept = self._found(asked)
        if not isinstance(asked.body().get("delete_data", False), bool):
            raise MistakeError("delete_data: true or false")
        self._documents.remove(KIND, kept["id"])
        return said({"status": "ok"})

    def _run(self, asked: Asked) -> Answer:
        kept = self._found(asked)
        runs = [*kept["runs"], asked.now_ms][-MOST_RUNS:]
        self._documents.put(KIND, kept["id"], kept | {"runs": runs, "last_dispatch": asked.now_ms})
        return said({"status": "ok", "results": {"run_id": secrets.token_hex(8)}})

    def _history(self, asked: Asked) -> Answer:
        runs = [_run(begun_ms, asked.now_ms) for begun_ms in reversed(self._found(asked)["runs"])]
        return said({"status": "ok", "results": {"runs": runs}})

    def _found(self, asked: Asked) -> Document:
        kept = self._documents.get(KIND, asked.path["import_id"])
        if kept is None:
            raise MistakeError("there is no warehouse import of this id", 404)
        return kept


def _managing(method: str, rule: str, serve: Serve) -> Operation:
    return Operation(NAME, method, rule, serve, role=Role.ADMIN)


def _listed(kept: Document) -> dict[str, Any]:
    return {name: kept[name] for name in LISTED}


def _answered(kept: Document) -> Answer:
    detailed = {name: kept.get(name) for name in DETAILED}
    return said({"status": "ok", "results": _listed(kept) | detailed})


def _run(begun_ms: int, now_ms: int) -> dict[str, Any]:
    over = now_ms >= begun_ms + RUN_MS
    return {
        "status": "SUCCEEDED" if over else "RUNNING",
        "start_time": begun_ms,
        "end_time": begun_ms + RUN_MS if over else None,
        "num_events_imported": 0 if over else None,
    }
