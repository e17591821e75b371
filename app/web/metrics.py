"""`GET /metrics`: what Prometheus reads.

The numbers tell nothing of a person, but how much is going on in which project, and this address is as
public as the webhook's: so it takes a token, `METRICS_TOKEN` or one of the API with the scope `read` for all
projects.
With the first, an absent Redis is a number; with the second nobody could be let in then.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, request

from app.web.api.access import Access, caller
from app.web.api.kinds import NO_SCOPE
from app.web.api.problems import Problem
from config.secret import Secret

PATH = "/metrics"


@dataclass(frozen=True)
class MetricsPage:
    """The route and what it needs.

    Attributes:
        page: gives the page and its media type, for a header Accept.
        token: what Prometheus shows, where it has a token of its own.
        access: lets holders of the API's tokens in.
    """

    page: Callable[[str], tuple[bytes, str]]
    token: Secret | None
    access: Access

    def blueprint(self) -> Blueprint:
        """Return the route to register."""
        blueprint = Blueprint("metrics", __name__)
        guarded = self.access.guard(self._of_all_projects, "read")
        blueprint.add_url_rule(
            PATH, view_func=lambda: self._answer() if self._is_ours() else guarded(), endpoint="metrics"
        )
        return blueprint

    def _is_ours(self) -> bool:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if self.token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(shown.strip().encode(), self.token.reveal().encode())

    def _of_all_projects(self) -> Response:
        if caller().project_id is not None:
            raise Problem(NO_SCOPE, "This needs a token that is for all projects.")
        return self._answer()

    def _answer(self) -> Response:
        body, media_type = self.page(request.headers.get("Accept", ""))
        answer = Response(body, content_type=media_type)
        answer.headers["Cache-Control"] = "no-store"
        return answer
