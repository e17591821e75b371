"""`/projects/{id}/workspaces/{id}/feature-flags`: making and changing feature flags.

Source: the published OpenAPI description of feature flags management, which answers mistakes with 200 and
`"status": "error"`. Which role writes is not in it: Analyst here. A deleted flag is gone; an archived one is
shown with `include_archived=true` only.
"""

import secrets
import uuid

from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import NOT_FOUND, Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import Operation, Serve, as_success, said
from app.sandbox.api.flags.rules import check
from app.sandbox.api.moments import iso
from app.sandbox.config import SandboxConfig
from app.sandbox.store.documents import Document, Documents

KIND = "feature_flag"
NAME = "/feature-flags"
BASE = "/api/app/projects/<project_id>/workspaces/<workspace_id>/feature-flags"


class FlagManagement:
    """Keeps flags."""

    def __init__(self, documents: Documents, config: SandboxConfig) -> None:
        self._documents = documents
        self._project_id, self._workspace_id = config.project_number, int(config.workspace_id)

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        one = f"{BASE}/<flag_id>"
        return [
            Operation(NAME, "GET", BASE, self._list, refuse=as_success),
            _writing("POST", BASE, self._create),
            Operation(NAME, "GET", one, self._get, refuse=as_success),
            _writing("PUT", one, self._replace),
            _writing("DELETE", one, self._delete),
        ]

    def _list(self, asked: Asked) -> Answer:
        archived = asked.flag("include_archived")
        found = [one for one in self._all() if archived or one["status"] != "archived"]
        return said({"status": "ok", "results": found})

    def _create(self, asked: Asked) -> Answer:
        given, now = check(asked.body()), iso(asked.now_ms)
        self._check_key(given["key"], None)
        made = {
            "id": str(uuid.uuid4()),
            "project_id": self._project_id,
            "workspace_id": self._workspace_id,
            "content_type": "feature-flags",
            "status": "disabled",
            "hash_salt": secrets.token_hex(16),
            "created": now,
            "creator_id": 1,
            "creator_name": "Sand Box",
            "creator_email": "sandbox@example.com",
            "enabled_at": now if given.get("status") == "enabled" else None,
        }
        return self._kept(made | _without_nulls(given) | {"modified": now})

    def _get(self, asked: Asked) -> Answer:
        return said({"status": "ok", "results": self._found(asked)})

    def _replace(self, asked: Asked) -> Answer:
        kept, given = self._found(asked), check(asked.body())
        self._check_key(given["key"], kept["id"])
        changes = _without_nulls(given) | {"modified": iso(asked.now_ms)}
        if given.get("reset_hash_salt"):
            changes["hash_salt"] = secrets.token_hex(16)
        if given.get("status") == "enabled" and kept["status"] != "enabled":
            changes["enabled_at"] = iso(asked.now_ms)
        return self._kept(kept | changes)

    def _delete(self, asked: Asked) -> Answer:
        kept = self._found(asked)
        self._documents.remove(KIND, kept["id"])
        return said({"status": "ok", "results": {"id": kept["id"]}})

    def _all(self) -> list[Document]:
        return list(self._documents.all(KIND).values())

    def _found(self, asked: Asked) -> Document:
        kept = self._documents.get(KIND, asked.path["flag_id"])
        if kept is None:
            raise MistakeError("there is no feature flag of this id", NOT_FOUND)
        return kept

    def _kept(self, flag: Document) -> Answer:
        return said({"status": "ok", "results": self._documents.put(KIND, flag["id"], flag)})

    def _check_key(self, key: str, own: str | None) -> None:
        if any(one["key"] == key and one["id"] != own for one in self._all()):
            raise MistakeError("key: another flag has it")


def _without_nulls(given: Document) -> Document:
    return {name: value for name, value in given.items() if value is not None and name != "reset_hash_salt"}


def _writing(method: str, rule: str, serve: Serve) -> Operation:
    return Operation(NAME, method, rule, serve, role=Role.ANALYST, refuse=as_success)
