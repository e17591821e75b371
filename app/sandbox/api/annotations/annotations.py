"""`/projects/{id}/annotations`: labels at points in time, and their tags.

Source: https://developer.mixpanel.com/reference/annotations and the published OpenAPI description. Writing,
and everything about tags, needs a role of at least Analyst. An unknown id is 404, which the description
leaves out.
"""

import re
from typing import Any

from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import Operation, said
from app.sandbox.config import SandboxConfig
from app.sandbox.store.documents import Document, Documents

KIND, TAG = "annotation", "annotation_tag"
NAME = "/annotations"
BASE = "/api/app/projects/<project_id>/annotations"
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
SHOWN = ("id", "date", "description", "user")
USER = {"id": 1, "first_name": "Sand", "last_name": "Box"}


class Annotations:
    """Keeps annotations and tags."""

    def __init__(self, documents: Documents, config: SandboxConfig) -> None:
        self._documents = documents
        self._project = config.project_number

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        one = f"{BASE}/<int:annotation_id>"
        return [
            Operation(NAME, "GET", BASE, self._list),
            Operation(NAME, "POST", BASE, self._create, role=Role.ANALYST),
            Operation(NAME, "GET", one, self._get),
            Operation(NAME, "PATCH", one, self._change, role=Role.ANALYST),
            Operation(NAME, "DELETE", one, self._delete, role=Role.ANALYST),
            Operation(NAME, "GET", f"{BASE}/tags", self._tags, role=Role.ANALYST),
            Operation(NAME, "POST", f"{BASE}/tags", self._create_tag, role=Role.ANALYST),
        ]

    def _list(self, asked: Asked) -> Answer:
        first = str(asked.day("fromDate")) if asked.text("fromDate") else ""
        last = str(asked.day("toDate")) if asked.text("toDate") else "9999"
        found = [one for one in self._all() if first <= one["date"][:10] <= last]
        return said({"status": "ok", "results": [self._shown(one) for one in found]})

    def _create(self, asked: Asked) -> Answer:
        given = asked.body()
        date, description = given.get("date"), given.get("description")
        if not isinstance(date, str) or not DATE.fullmatch(date):
            raise MistakeError("date: required, as YYYY-MM-DD HH:mm:ss")
        if not isinstance(description, str) or not description:
            raise MistakeError("description: required, a text")
        number = self._documents.number(KIND)
        kept = {"id": number, "date": date, "description": description, "tags": self._tags_of(given)}
        self._documents.put(KIND, number, kept | {"user": USER})
        return self._answered(number, 201)

    def _get(self, asked: Asked) -> Answer:
        return self._answered(int(asked.path["annotation_id"]))

    def _change(self, asked: Asked) -> Answer:
        number, given = int(asked.path["annotation_id"]), asked.body()
        kept = self._found(number)
        description = given.get("description", kept["description"])
        if not isinstance(description, str) or not description:
            raise MistakeError("description: a text")
        tags = self._tags_of(given) if "tags" in given else kept["tags"]
        self._documents.put(KIND, number, kept | {"description": description, "tags": tags})
        return self._answered(number)

    def _delete(self, asked: Asked) -> Answer:
        number = int(asked.path["annotation_id"])
        self._found(number)
        self._documents.remove(KIND, number)
        return said({"status": "ok", "results": {"id": number}})

    def _tags(self, _asked: Asked) -> Answer:
        used = {tag for one in self._all() for tag in one["tags"]}
        tags = self._documents.all(TAG).values()
        return said([self._tag(one, used=one["id"] in used) for one in tags if one["id"] in used])

    def _create_tag(self, asked: Asked) -> Answer:
        name = asked.body().get("name")
        if not isinstance(name, str) or not name:
            raise MistakeError("name: required, a text")
        number = self._documents.number(TAG)
        return said(self._tag(self._documents.put(TAG, number, {"id": number, "name": name}), used=False))

    def _tag(self, kept: Document, *, used: bool) -> dict[str, Any]:
        return {**kept, "project_id": self._project, "has_annotations": used}

    def _tags_of(self, given: Document) -> list[int]:
        tags = given.get("tags", [])
        if not isinstance(tags, list) or any(self._documents.get(TAG, one) is None for one in tags):
            raise MistakeError("tags: a list of ids of tags that there are")
        return tags

    def _all(self) -> list[Document]:
        return sorted(self._documents.all(KIND).values(), key=lambda one: (one["date"], one["id"]))

    def _found(self, number: int) -> Document:
        kept = self._documents.get(KIND, number)
        if kept is None:
            raise MistakeError("there is no annotation of this id", 404)
        return kept

    def _answered(self, number: int, status: int = 200) -> Answer:
        return said({"status": "ok", "results": self._shown(self._found(number))}, status)

    def _shown(self, kept: Document) -> Document:
        tags = self._documents.all(TAG)
        named = [tags[str(one)] for one in kept["tags"] if str(one) in tags]
        return {name: kept[name] for name in SHOWN} | {"tags": named}
