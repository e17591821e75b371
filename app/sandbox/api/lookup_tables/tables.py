"""`/lookup-tables`: list them, and replace one with a CSV file.

Source: https://developer.mixpanel.com/reference/list-lookup-tables, /replace-lookup-table and the published
OpenAPI description. Tables are made in Mixpanel's pages; a new state has two. Replacing needs Owner or Admin,
as `/import` does.
"""

import csv
import io
from typing import Any

from app.sandbox.api import answers
from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import READERS, Operation, said, with_code
from app.sandbox.config import Controls
from app.sandbox.store.documents import Documents

KIND = "lookup_table"
NAME = "/lookup-tables"
FIRST = {
    "55b4fb2b-e8de-466c-930f-8b36640b9b5e": "Accounts",
    "1297297a-43a7-4cac-82b0-635d2bd88aac": "Product Catalog",
}


class LookupTables:
    """Keeps the tables."""

    def __init__(self, documents: Documents, controls: Controls) -> None:
        self._documents = documents
        self._controls = controls

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        replace = f"{NAME}/<table_id>"
        return [
            Operation(NAME, "GET", NAME, self._list, refuse=with_code),
            Operation(NAME, "PUT", replace, self._replace, READERS, Role.ADMIN, refuse=with_code),
        ]

    def fill(self) -> None:
        """Make what a new state has."""
        for table_id, name in FIRST.items():
            self._documents.put(KIND, table_id, {"name": name, "rows": []})

    def _list(self, _asked: Asked) -> Answer:
        tables = self._documents.all(KIND)
        found = [{"id": table_id, "name": kept["name"]} for table_id, kept in tables.items()]
        return said({"code": 200, "status": "OK", "results": found})

    def _replace(self, asked: Asked) -> Answer:
        table_id, call = asked.path["table_id"], asked.call
        kept = self._documents.get(KIND, table_id)
        if kept is None:
            raise MistakeError(f"Lookup table with id '{table_id}' was not found.", answers.NOT_FOUND)
        most = self._controls.limits.max_request_bytes
        if len(call.body) > most:
            raise MistakeError(f"request exceeds max limit of {most} bytes", 413)
        if call.mimetype != "text/csv":
            raise MistakeError("Content-Type: must be text/csv")
        rows = _rows(call.body)
        failed = [record for at, row in enumerate(rows) if (record := _failed(at, row, len(rows[0])))]
        if failed:
            body = {
                "code": 400,
                "error": answers.SOME_FAILED,
                "status": "Bad Request",
                "failed_records": failed,
            }
            return said(body, 400)
        self._documents.put(KIND, table_id, kept | {"rows": rows})
        return said({"code": 200, "status": "OK"})


def _rows(body: bytes) -> list[list[str]]:
    try:
        rows = [row for row in csv.reader(io.StringIO(body.decode(), newline="")) if row]
    except (UnicodeDecodeError, csv.Error) as err:
        raise MistakeError("the body is not valid CSV") from err
    if not rows:
        raise MistakeError("the body has no header")
    return rows


def _failed(index: int, row: list[str], columns: int) -> dict[str, Any] | None:
    if not row[0]:
        return {"index": index, "message": "primary key is required and cannot be blank"}
    if len(row) != columns:
        return {"index": index, "message": "invalid row: wrong number of fields"}
    return None
