"""What anybody may read: the OpenAPI document, its rendered page, and what each kind of problem means."""

from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

from flask import Blueprint, Response, abort

from app.web.api import PREFIX
from app.web.api.answers import encoded
from app.web.api.kinds import KINDS
from app.web.api.log import drop_line
from app.web.gateway.kinds import CALL_KINDS

# Swagger UI, as its package brings it along: nothing is loaded from another host, and no copy lies in here.
_ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_PAGE: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>cohort-relay API</title>
<link rel="stylesheet" href="{PREFIX}/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="{PREFIX}/docs/favicon-32x32.png">
</head>
<body>
<div id="api"><noscript>The page needs JavaScript; <a href="{PREFIX}/openapi.json">the document</a> does not.\
</noscript></div>
<script src="{PREFIX}/docs/swagger-ui-bundle.js"></script>
<script src="{PREFIX}/docs/start.js"></script>
</body>
</html>
"""
# The validator's badge would be another host's.
_START: Final = (
    f'SwaggerUIBundle({{url: "{PREFIX}/openapi.json", dom_id: "#api",'
    " deepLinking: true, validatorUrl: null});"
)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Pages:
    """The public addresses of the API.

    Attributes:
        document: the OpenAPI document.
    """

    document: dict[str, Any]

    def blueprint(self) -> Blueprint:
        """Return the routes to register."""
        blueprint = Blueprint("api-pages", __name__, url_prefix=PREFIX)
        blueprint.add_url_rule("/openapi.json", "openapi", self._openapi)
        blueprint.add_url_rule("/docs", "docs", _page)
        blueprint.add_url_rule("/docs/start.js", "start", lambda: _file(_START.encode(), "text/javascript"))
        blueprint.add_url_rule("/docs/<name>", "asset", _asset)
        blueprint.add_url_rule("/problems/<code>", "problem", _problem)
        blueprint.after_request(_no_call)
        return blueprint

    def _openapi(self) -> Response:
        return encoded(200, self.document)


def _no_call(answer: Response) -> Response:
    """Let what anybody may read have no line in the log, unless it is a problem."""
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        drop_line()
    return answer


def _page() -> Response:
    answer = Response(_PAGE, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _asset(name: str) -> Response:
    if name not in _ASSETS:
        abort(404)
    return _file((files("flask_swagger_ui") / "dist" / name).read_bytes(), _ASSETS[name])


def _file(content: bytes, mimetype: str) -> Response:
    answer = Response(content, mimetype=mimetype)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _problem(code: str) -> Response:
    kind = next((each for each in (*KINDS, *CALL_KINDS) if each.code == code), None)
    if kind is None:
        abort(404)
    told = {"type": kind.type, "code": code, "status": kind.status, "title": kind.title}
    return encoded(200, {**told, "advice": kind.advice})
