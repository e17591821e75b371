"""`POST /api/query/engage` and `POST /api/query/cohorts/list`: who is in a cohort, and which there are.

Source: https://docs.mixpanel.com/reference/engage-query, https://docs.mixpanel.com/reference/cohorts-list and
the published OpenAPI description.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from app.sandbox.api import answers
from app.sandbox.api.answers import Answer
from app.sandbox.api.bodies import form_fields
from app.sandbox.api.call import Call, Fate
from app.sandbox.api.credentials import Caller, Credentials
from app.sandbox.api.endpoint import RATE_LIMITED, Surroundings, strike
from app.sandbox.api.query_form import UNCACHED, BadQueryError, Form, Wanted, read_form
from app.sandbox.api.query_rate import QueryRate
from app.sandbox.api.query_selection import chosen
from app.sandbox.api.query_sessions import Session, Sessions
from app.sandbox.population.membership import Population
from app.sandbox.store.cohorts import Cohort, Cohorts, UnknownCohortError
from app.sandbox.store.events import Events
from app.sandbox.store.meta import SEEDED_MS, Meta
from app.sandbox.store.profiles import Profiles, Properties

PROFILES_PATH = "/query/engage"
COHORTS_PATH = "/query/cohorts/list"
READERS = {Caller.SERVICE_ACCOUNT, Caller.SECRET}
STRIKING = ("status", "delay", "timeout", "cut")


@dataclass(frozen=True)
class QueryStores:
    """What queries read."""

    profiles: Profiles
    cohorts: Cohorts
    population: Population
    meta: Meta
    events: Events


class Query:
    """Answers queries; faults strike here, too."""

    def __init__(
        self,
        stores: QueryStores,
        credentials: Credentials,
        shared: Surroundings,
        project_id: str,
        rate: QueryRate,
    ) -> None:
        self.sessions = Sessions()
        self._stores = stores
        self._credentials = credentials
        self._shared = shared
        self._project_id = project_id
        self._rate = rate

    def profiles(self, call: Call) -> Answer | Fate:
        """Answer a profile query, or say what becomes of the connection instead."""
        return self._answered(PROFILES_PATH, call, self._page)

    def cohorts(self, call: Call) -> Answer | Fate:
        """List the cohorts, or say what becomes of the connection instead."""
        return self._answered(COHORTS_PATH, call, self._list)

    def _answered(self, path: str, call: Call, serve: Callable[[Call], Answer]) -> Answer | Fate:
        started = time.monotonic()
        with self._rate.under_way(self._shared.controls.limits) as room:
            fault = self._shared.faults.draw("api", *STRIKING, applies=lambda one: one.concerns(path))

            def serve_one() -> Answer:
                return self._checked(call, serve, room)

            answer = serve_one() if fault is None else strike(fault, path, serve_one, self._shared.stop)
        status = answer.status if isinstance(answer, Answer) else 0
        entry = {
            "direction": "in",
            "at_ms": int(self._shared.clock.now_s() * 1000),
            "path": path,
            "status": status,
            "fault": None if fault is None else fault.kind,
            "took_ms": round((time.monotonic() - started) * 1000, 1),
        }
        name = path.strip("/").replace("/", "_")
        self._shared.journal.add(entry, **{f"{name}_requests": 1, f"{name}_status_{status}": 1})
        return answer

    def _checked(self, call: Call, serve: Callable[[Call], Answer], room: bool) -> Answer:
        if self._credentials.caller(call) not in READERS:
            return answers.unauthorized(401, "Invalid credentials: a service account or the project secret")
        if not room:
            return answers.refusal(429, RATE_LIMITED)
        try:
            return serve(call)
        except BadQueryError as err:
            return answers.unauthorized(400, str(err))

    def _taken(self, *, follow_up: bool) -> bool:
        controls = self._shared.controls
        counts = not follow_up or controls.api.query_pages == "counted"
        return self._rate.take(self._shared.clock.now_s(), controls.limits, counts=counts)

    def _list(self, _call: Call) -> Answer:
        if not self._taken(follow_up=False):
            return answers.refusal(429, RATE_LIMITED)
        made_s = (self._stores.meta.get(SEEDED_MS) or 0) / 1000
        made = datetime.fromtimestamp(made_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
        listed = [self._listed(cohort, made) for cohort in self._stores.cohorts.all()]
        return Answer(200, orjson.dumps(listed))

    def _listed(self, cohort: Cohort, made: str) -> dict[str, Any]:
        return {
            "count": len(self._stores.population.members(cohort)),
            "is_visible": 1,
            "description": cohort.description,
            "created": made,
            "project_id": int(self._project_id) if self._project_id.isdecimal() else self._project_id,
            "id": cohort.cohort_id,
            "name": cohort.name,
        }

    def _page(self, call: Call) -> Answer:
        form = read_form(form_fields(call.body, call.mimetype))
        if not self._taken(follow_up=form.page > 0):
            return answers.refusal(429, RATE_LIMITED)
        session = self._session(form)
        results = self._results(session.page(form.page), form.output_properties)
        body = {
            "page": form.page,
            "page_size": session.page_size,
            "results": results,
            "session_id": session.session_id,
            "status": "ok",
            "total": len(session.distinct_ids),
        }
        return Answer(200, orjson.dumps(body))

    def _session(self, form: Form) -> Session:
        now_s, habits = self._shared.clock.now_s(), self._shared.controls.api
        if form.session_id is None:
            found = tuple(sorted(self._found(form.wanted)))
            return self.sessions.begin(form.wanted, found, max(habits.query_page_size, 1), now_s)
        session = self.sessions.find(form.session_id, form.wanted, now_s - habits.query_session_s)
        if session is None:
            raise BadQueryError(UNCACHED)
        return session

    def _found(self, wanted: Wanted) -> set[str]:
        found = self._members(wanted.cohort_id) if wanted.cohort_id is not None else self._everybody()
        if wanted.distinct_ids is not None:
            found &= wanted.distinct_ids
        return chosen(found, wanted, self._stores.profiles, self._stores.events, self._shared.clock.now_s())

    def _members(self, cohort_id: int) -> set[str]:
        try:
            return self._stores.population.members(self._stores.cohorts.get(cohort_id))
        except UnknownCohortError as err:
            raise BadQueryError("filter_by_cohort: there is no such cohort") from err

    def _everybody(self) -> set[str]:
        return self._stores.profiles.matching("1", ())

    def _results(self, distinct_ids: tuple[str, ...], wanted: frozenset[str] | None) -> list[dict[str, Any]]:
        """Show people as they are now; whose profile went since the session began is an id without one."""
        known = self._stores.profiles.properties(distinct_ids)
        return [
            {"$distinct_id": one, "$properties": _chosen(known.get(one, {}), wanted)} for one in distinct_ids
        ]


def _chosen(properties: Properties, wanted: frozenset[str] | None) -> Properties:
    return {name: value for name, value in properties.items() if wanted is None or name in wanted}
