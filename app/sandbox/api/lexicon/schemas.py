"""`/projects/{id}/schemas`: the data dictionary. 5 requests a minute, fewer than 4,000 entries a minute.

Source: https://developer.mixpanel.com/reference/lexicon-schemas-api and the published OpenAPI description.
Fewer than 3,000 may be truncated or deleted in a request. Which role writes is not documented: Analyst here.
"""

from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.budgets import Budgets
from app.sandbox.api.desk.operation import Operation, Serve, said
from app.sandbox.api.endpoint import RATE_LIMITED
from app.sandbox.api.lexicon.entries import ENTITIES, check_entry, check_schema, size
from app.sandbox.store.documents import Document, Documents

KIND = "schema"
NAME = "/lexicon"
BASE = "/api/app/projects/<project_id>/schemas"
MOST_DELETED = 2_999


class Schemas:
    """Keeps the data dictionary."""

    def __init__(self, documents: Documents, budgets: Budgets) -> None:
        self._documents = documents
        self._budgets = budgets

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        of_type, one = f"{BASE}/<entity_type>", f"{BASE}/<entity_type>/<path:name>"
        return [
            _reading("GET", BASE, self._list),
            _writing("POST", BASE, self._upload),
            _writing("DELETE", BASE, self._delete),
            _reading("GET", of_type, self._list),
            _writing("DELETE", of_type, self._delete),
            _reading("GET", one, self._get),
            _writing("POST", one, self._upload_one),
            _writing("DELETE", one, self._delete),
        ]

    def _list(self, asked: Asked) -> Answer:
        return said({"status": "ok", "results": list(self._asked_for(asked).values())})

    def _get(self, asked: Asked) -> Answer:
        found = list(self._asked_for(asked).values())
        if not found:
            raise MistakeError("there is no schema of this name", 404)
        return said(found[0]["schemaJson"])

    def _upload(self, asked: Asked) -> Answer:
        body = asked.body()
        entries, truncate = body.get("entries"), body.get("truncate", False)
        if (
            not isinstance(entries, list)
            or not isinstance(truncate, bool)
            or set(body) - {"entries", "truncate"}
        ):
            raise MistakeError("the body has entries, a list, and may have truncate, true or false")
        checked = [check_entry(one) for one in entries]
        self._spend(sum(size(schema) for _, _, schema in checked), asked)
        deleted = self._remove(self._documents.all(KIND)) if truncate else 0
        for entity, name, schema in checked:
            self._keep(entity, name, schema)
        return said({"status": "ok", "results": {"added": len(checked), "deleted": deleted}})

    def _upload_one(self, asked: Asked) -> Answer:
        schema = check_schema(asked.body())
        self._spend(size(schema), asked)
        self._keep(_entity(asked), asked.path["name"], schema)
        return said({"status": "ok"})

    def _delete(self, asked: Asked) -> Answer:
        return said({"status": "ok", "results": {"delete_count": self._remove(self._asked_for(asked))}})

    def _asked_for(self, asked: Asked) -> dict[str, Document]:
        name = asked.path.get("name") or asked.text("entity_name")
        entity = _entity(asked) if "entity_type" in asked.path else None
        return {
            key: one
            for key, one in self._documents.all(KIND).items()
            if entity in {None, one["entityType"]} and name in {None, one["name"]}
        }

    def _keep(self, entity: str, name: str, schema: Document) -> None:
        self._documents.put(
            KIND, f"{entity}/{name}", {"entityType": entity, "name": name, "schemaJson": schema}
        )

    def _remove(self, found: dict[str, Document]) -> int:
        if len(found) > MOST_DELETED:
            raise MistakeError(f"at most {MOST_DELETED} schemas can be deleted by one request")
        return sum(self._documents.remove(KIND, key) for key in found)

    def _spend(self, entries: int, asked: Asked) -> None:
        if not self._budgets.take_entries(entries, asked.now_s):
            raise MistakeError(RATE_LIMITED, 429)


def _entity(asked: Asked) -> str:
    found = asked.path["entity_type"]
    if found not in ENTITIES:
        raise MistakeError(f"entityType: one of {', '.join(ENTITIES)}")
    return found


def _reading(method: str, rule: str, serve: Serve) -> Operation:
    return Operation(NAME, method, rule, serve, budget="lexicon")


def _writing(method: str, rule: str, serve: Serve) -> Operation:
    return Operation(NAME, method, rule, serve, role=Role.ANALYST, budget="lexicon")
