"""`/workspaces/{id}/experiments`: experiments from draft to decision. Nobody is exposed to them; no results.

Source: the published OpenAPI description of experiments, which answers mistakes with 200 and `"status":
"error"`. Which role writes is not in it: Analyst here. An experiment is launched from draft, concluded while
active, decided once concluded; anything else is a mistake.
"""

import uuid
from collections.abc import Callable
from typing import Any

from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import NOT_FOUND, Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import Operation, Serve, as_success, said
from app.sandbox.api.moments import iso
from app.sandbox.store.documents import Document, Documents

KIND = "experiment"
NAME = "/experiments"
BASE = "/api/app/workspaces/<workspace_id>/experiments"
LENGTHS = {"name": 255, "description": 400}
TEXTS = ("name", "description", "hypothesis", "start_date", "end_date")
LISTS = ("variants", "metrics", "tags")
OBJECTS = ("settings", "exposures_cache", "results_cache")
EDITABLE = (*TEXTS, *LISTS, *OBJECTS, "status", "global_access_type")
STATES = ("draft", "active", "concluded", "success", "fail")
USER = {"id": 1, "name": "Sand Box", "email": "sandbox@example.com"}
Change = Callable[[Asked, Document], Document]


class Experiments:
    """Keeps experiments."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        one = f"{BASE}/<experiment_id>"
        return [
            Operation(NAME, "GET", BASE, self._list, refuse=as_success),
            _writing("POST", BASE, self._create),
            Operation(NAME, "GET", one, self._get, refuse=as_success),
            _writing("PATCH", one, self._changing(_edited)),
            _writing("DELETE", one, self._delete),
            _writing("POST", f"{one}/archive", self._archive),
            _writing("DELETE", f"{one}/archive", self._changing(_unarchived)),
            _writing("PATCH", f"{one}/decide", self._changing(_decided)),
            _writing("PUT", f"{one}/force_conclude", self._changing(_concluded)),
            _writing("PUT", f"{one}/launch", self._changing(_launched)),
        ]

    def _list(self, _asked: Asked) -> Answer:
        found = [one for one in self._documents.all(KIND).values() if one["deleted"] is None]
        return said({"status": "ok", "results": [_shown(one) for one in found]})

    def _create(self, asked: Asked) -> Answer:
        given = _checked(asked.body())
        if not given.get("name"):
            raise MistakeError("name: required")
        now, number = iso(asked.now_ms), str(uuid.uuid4())
        kept = {
            "id": number,
            "content_type": "experiment",
            "description": None,
            "hypothesis": None,
            "created": now,
            "creator_id": USER["id"],
            "creator_name": USER["name"],
            "creator_email": USER["email"],
            "modified": now,
            "deleted": None,
            "variants": [],
            "metrics": [],
            "tags": [],
            "settings": {},
            "exposures_cache": {},
            "results_cache": {},
            "start_date": None,
            "end_date": None,
            "feature_flag": None,
        }
        self._documents.put(KIND, number, kept | given | {"status": "draft"})
        return said({"status": "ok", "results": _shown(self._found(number))}, 201)

    def _get(self, asked: Asked) -> Answer:
        return said({"status": "ok", "results": _shown(self._found(asked.path["experiment_id"]))})

    def _delete(self, asked: Asked) -> Answer:
        kept = self._found(asked.path["experiment_id"])
        self._documents.remove(KIND, kept["id"])
        return said({"status": "ok", "results": {"id": kept["id"]}})

    def _archive(self, asked: Asked) -> Answer:
        kept = self._found(asked.path["experiment_id"])
        self._documents.put(KIND, kept["id"], kept | {"deleted": iso(asked.now_ms)})
        return said({"status": "ok", "results": {"id": kept["id"]}})

    def _changing(self, change: Change) -> Serve:
        def changed(asked: Asked) -> Answer:
            kept = self._found(asked.path["experiment_id"])
            after = kept | change(asked, kept) | {"modified": iso(asked.now_ms)}
            return said({"status": "ok", "results": _shown(self._documents.put(KIND, kept["id"], after))})

        return changed

    def _found(self, number: str) -> Document:
        kept = self._documents.get(KIND, number)
        if kept is None:
            raise MistakeError("there is no experiment of this id", NOT_FOUND)
        return kept


def _edited(asked: Asked, _kept: Document) -> Document:
    return _checked(asked.body())


def _unarchived(_asked: Asked, _kept: Document) -> Document:
    return {"deleted": None}


def _launched(asked: Asked, kept: Document) -> Document:
    _expect(kept, "draft")
    return {"status": "active", "start_date": iso(asked.now_ms)}


def _concluded(asked: Asked, kept: Document) -> Document:
    _expect(kept, "active")
    return {"status": "concluded", "end_date": asked.body().get("end_date") or iso(asked.now_ms)}


def _decided(asked: Asked, kept: Document) -> Document:
    _expect(kept, "concluded")
    success = asked.body().get("success")
    if not isinstance(success, bool):
        raise MistakeError("success: required, true or false")
    return {"status": "success" if success else "fail"}


def _expect(kept: Document, state: str) -> None:
    if kept["status"] != state:
        raise MistakeError(f"the experiment is {kept['status']}, and must be {state}")


def _checked(given: dict[str, Any]) -> Document:
    """Return what may be edited of what was given."""
    kinds: dict[str, type] = {
        **dict.fromkeys(TEXTS, str),
        **dict.fromkeys(LISTS, list),
        **dict.fromkeys(OBJECTS, dict),
    }
    for name, kind in kinds.items():
        if name in given and not isinstance(given[name], kind):
            raise MistakeError(f"{name}: must be a {kind.__name__}")
    for name, most in LENGTHS.items():
        if len(given.get(name, "")) > most:
            raise MistakeError(f"{name}: at most {most} characters")
    if given.get("status", "draft") not in STATES:
        raise MistakeError(f"status: one of {', '.join(STATES)}")
    return {name: given[name] for name in EDITABLE if name in given and name != "global_access_type"}


def _shown(kept: Document) -> Document:
    rights = {"can_view": True, "can_update_basic": True, "can_share": True, "is_shared_with_project": True}
    return kept | rights


def _writing(method: str, rule: str, serve: Serve) -> Operation:
    return Operation(NAME, method, rule, serve, role=Role.ANALYST, refuse=as_success)
