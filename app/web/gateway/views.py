"""`/api/v1/projects/<project_id>/mixpanel/...`: call Mixpanel with the relay's credentials.

A call waits for Mixpanel, up to a minute and more; so only a quarter of the process's threads may be busy
with them at once. Pages of cohorts come in through the others.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

from flask import Blueprint, Response, request

from app.access.scopes import BUDGET, of_endpoint
from app.mixpanel.calling.credentials import redactor_of
from app.mixpanel.calling.failures import CallFailed, OutOfBudget
from app.mixpanel.calling.options import Options, Retries, Wait
from app.mixpanel.catalog.row import Endpoint
from app.services import Services
from app.web.api import PREFIX
from app.web.api.access import Access
from app.web.api.answers import encoded
from app.web.api.kinds import NOT_FOUND, WRONG_METHOD
from app.web.api.log import drop_line, fields
from app.web.api.problems import Problem
from app.web.gateway import answering, asked, document
from app.web.gateway.asked import Asked
from app.web.gateway.kinds import TOO_MANY_CALLS
from app.web.gateway.offered import WITHHELD, methods
from app.web.stream.seats import Seats
from config.projects import Project

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_OPTIONS: Final = Options(retries=Retries(count=1, delay_s=1.0, longest_s=5.0, jitter_s=(0.0, 1.0)))
"""Whoever waits for an answer of HTTP can send the same again."""
_SHARE: Final = 4


@dataclass(frozen=True)
class Gateway:
    """Answers calls.

    Attributes:
        services: Mixpanel's API, and the projects.
        access: Lets those through who may.
    """

    services: Services
    access: Access
    _seats: Seats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_seats", Seats(max(1, self.services.settings.web_threads // _SHARE)))

    def blueprint(self) -> Blueprint:
        """Return the routes to register."""
        blueprint = Blueprint("gateway", __name__, url_prefix=PREFIX)
        of_project = "/projects/<project_id>/mixpanel"
        blueprint.add_url_rule(f"{of_project}/<family>/<endpoint>", "call", self._call, methods=_METHODS)
        blueprint.add_url_rule(f"{of_project}/budget", "budget", self._budget)
        blueprint.add_url_rule("/mixpanel/openapi.json", "openapi", self._openapi)
        return blueprint

    def _openapi(self) -> Response:
        drop_line()
        return encoded(200, self._document)

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        return document.build(self.services.mixpanel.catalog)

    def _budget(self, project_id: str) -> Response:
        self.access.enter(BUDGET, project_id)
        left = self.services.mixpanel.budget(project_id)
        return encoded(200, {"budgets": {family: asdict(each) for family, each in left.items()}})

    def _call(self, project_id: str, family: str, endpoint: str) -> Response:
        row = self.services.mixpanel.catalog.get((family, endpoint))
        # Of what there is not, whoever may call anything is told so; the name itself is repeated nowhere.
        self.access.enter(of_endpoint(family, endpoint) if row else BUDGET, project_id)
        if row is None:
            raise Problem(NOT_FOUND, "There is no such endpoint; see /api/v1/mixpanel/openapi.json.")
        if row.key in WITHHELD:
            raise Problem(NOT_FOUND, "Not offered here: the answer holds a credential. Use `flask mixpanel`.")
        if ("GET" if request.method == "HEAD" else request.method) not in methods(row):
            raise Problem(WRONG_METHOD, "Method Not Allowed.", headers={"Allow": ", ".join(methods(row))})
        fields().update(decision="allowed", endpoint=f"{family}.{endpoint}")
        limit_bytes = self.services.settings.max_body_bytes
        return self._seated(
            self.services.settings.projects[project_id], row, asked.read(request, row, limit_bytes)
        )

    def _seated(self, project: Project, row: Endpoint, wanted: Asked) -> Response:
        if not self._seats.take():
            raise Problem(TOO_MANY_CALLS, "Too many calls of Mixpanel are under way; send the same again.")
        with ExitStack() as stack:
            stack.callback(self._seats.give_back)
            try:
                if row.answer != "ndjson":
                    return self._whole(project, row, wanted)
                return self._stream(project, row, wanted, stack)
            except OutOfBudget as error:
                fields()["decision"] = "over_budget"
                raise answering.problem_of(error) from error
            except CallFailed as error:
                raise answering.problem_of(error) from error

    def _whole(self, project: Project, row: Endpoint, wanted: Asked) -> Response:
        result = self.services.mixpanel.call(
            project,
            *row.key,
            wanted.arguments,
            body=wanted.body,
            wait=Wait(wanted.wait_s),
            fresh=wanted.fresh,
            options=_OPTIONS,
        )
        answer = answering.picklist if wanted.picklist else answering.whole
        return answer(row, result, redactor_of(project))

    def _stream(self, project: Project, row: Endpoint, wanted: Asked, stack: ExitStack) -> Response:
        opened = self.services.mixpanel.stream(
            project, *row.key, wanted.arguments, wait=Wait(wanted.wait_s), options=_OPTIONS
        )
        stream = stack.enter_context(opened)
        answer = answering.streamed(stream, redactor_of(project))
        answer.call_on_close(stack.pop_all().close)
        return answer
