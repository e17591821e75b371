"""`/api/2.0/nessie/pipeline/...`: data pipelines. Nothing is exported: they run on paper.

Source: https://developer.mixpanel.com/reference/create-warehouse-pipeline and its neighbours, and the
published OpenAPI description. Which role manages pipelines is not in it: Admin here, and everybody reads. An
unknown name is 404 everywhere, which the description has for pausing and resuming only.
"""

from datetime import date, timedelta
from typing import Any

from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError, start_ms
from app.sandbox.api.desk.operation import READERS, Operation, Serve, said
from app.sandbox.api.pipelines import tasks
from app.sandbox.api.pipelines.types import RAW, REQUIRED, SECRET, required
from app.sandbox.config import SandboxConfig
from app.sandbox.expressions.reading import read_condition
from app.sandbox.store.documents import Document, Documents

KIND = "pipeline"
NAME = "/pipelines"
BASE = "/api/2.0/nessie/pipeline"
OLDEST_DAYS = 184
TRIAL_DAYS = 30


class Pipelines:
    """Keeps pipelines."""

    def __init__(self, documents: Documents, config: SandboxConfig) -> None:
        self._documents = documents
        self._project_id, self._number = config.project_id, config.project_number

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        return [
            Operation(NAME, "GET", f"{BASE}/jobs", self._jobs, READERS),
            _managing("create", self._create),
            _managing("edit", self._edit),
            _managing("cancel", self._cancel),
            _managing("pause", self._pause),
            _managing("resume", self._resume),
            Operation(NAME, "GET", f"{BASE}/status", self._status, READERS),
            Operation(NAME, "GET", f"{BASE}/timeline", self._timeline, READERS),
        ]

    def _jobs(self, asked: Asked) -> Answer:
        return said({self._project_id: [tasks.job(one, asked.now_ms) for one in self._all()]})

    def _create(self, asked: Asked) -> Answer:
        kind = asked.one_of("type", tuple(REQUIRED))
        trial = asked.flag("trial")
        begin = asked.today if trial and not asked.text("from_date") else _begin(asked)
        for name in required(kind):
            if not (trial and name == "from_date"):
                asked.needed(name)
        frequency = asked.one_of("frequency", ("daily", "hourly"), "daily")
        schema = "" if kind in RAW else f"-{asked.one_of('schema_type', ('monoschema', 'multischema'))}"
        read_condition(asked.text("where"))
        known = ("events",) if kind in RAW else ("events", "people")
        sources = known if trial else (asked.one_of("data_source", known, "events"),)
        last = begin + timedelta(days=TRIAL_DAYS) if trial else _last(asked)
        names = []
        for source in sources:
            name = self._free(f"{'trial-' if trial else ''}{source}-{frequency}-{kind}{schema}")
            kept = {
                "name": name,
                "frequency": frequency,
                "from_date": str(begin),
                "to_date": None if last is None else str(last),
                "made_ms": asked.now_ms,
                "paused_ms": None,
                "settings": _settings(asked),
            }
            names.append(self._documents.put(KIND, name, kept)["name"])
        return said({"pipeline_names": names})

    def _edit(self, asked: Asked) -> Answer:
        kept = self._found(asked)
        read_condition(asked.text("where"))
        self._documents.put(KIND, kept["name"], kept | {"settings": kept["settings"] | _settings(asked)})
        return Answer(200, b"")

    def _cancel(self, asked: Asked) -> Answer:
        self._documents.remove(KIND, self._found(asked)["name"])
        return Answer(200, b"")

    def _pause(self, asked: Asked) -> Answer:
        return self._set(asked, asked.now_ms)

    def _resume(self, asked: Asked) -> Answer:
        return self._set(asked, None)

    def _set(self, asked: Asked, paused_ms: int | None) -> Answer:
        kept = self._found(asked)
        self._documents.put(KIND, kept["name"], kept | {"paused_ms": paused_ms})
        return Answer(200, b"")

    def _status(self, asked: Asked) -> Answer:
        kept = self._found(asked)
        wanted = {state for given in asked.given.get("status", ()) for state in given.split(",") if state}
        if unknown := wanted - set(tasks.STATES):
            raise MistakeError(f"status: of {', '.join(tasks.STATES)}, not {', '.join(sorted(unknown))}")
        found = tasks.by_state(kept, asked.now_ms, self._number)
        chosen = {state: rows for state, rows in found.items() if not wanted or state in wanted}
        if asked.flag("summary"):
            return said({state: len(rows) for state, rows in chosen.items()})
        return said(chosen)

    def _timeline(self, asked: Asked) -> Answer:
        found = [self._found(asked)] if asked.text("name") else self._all()
        return said({"day_syncs": [day for one in found for day in tasks.days(one, asked.now_ms)]})

    def _all(self) -> list[Document]:
        return list(self._documents.all(KIND).values())

    def _found(self, asked: Asked) -> Document:
        kept = self._documents.get(KIND, asked.needed("name"))
        if kept is None:
            raise MistakeError("name: there is no such pipeline", 404)
        return kept

    def _free(self, name: str) -> str:
        known = {one["name"] for one in self._all()}
        names = [name, *(f"{name}-{number}" for number in range(2, len(known) + 3))]
        return next(one for one in names if one not in known)


def _managing(path: str, serve: Serve) -> Operation:
    return Operation(NAME, "POST", f"{BASE}/{path}", serve, READERS, Role.ADMIN)


def _begin(asked: Asked) -> date:
    begin = asked.day("from_date")
    if start_ms(begin) < asked.now_ms - OLDEST_DAYS * 86_400_000:
        raise MistakeError("from_date: cannot be more than six months in the past")
    return begin


def _last(asked: Asked) -> date | None:
    return asked.day("to_date") if asked.text("to_date") else None


def _settings(asked: Asked) -> dict[str, Any]:
    """Return what was given, each value as often as it came, but for secrets."""
    return {name: list(values) for name, values in asked.given.items() if name not in SECRET}
