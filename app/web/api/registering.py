"""Make routes, and their documentation, of sections: the only module that speaks to flask-smorest.

It is done from a list, not with decorators, so that no endpoint can forget its scope, its query or its
problems: what is documented is what is enforced.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import RAISE

from app.web.api import PREFIX
from app.web.api.access import Access
from app.web.api.converters import TEXT, add_converters
from app.web.api.kinds import EVERYWHERE, INVALID_HEADER, INVALID_QUERY, UNKNOWN_PROJECT, Kind
from app.web.api.problems import PROBLEM_JSON
from app.web.api.schemas import NoQuery, ProblemSchema
from app.web.api.sections import Endpoint, Section

_SECURITY: Final = "token"
_DESCRIPTION: Final = """Hand events, profile operations and identity links in; the relay sends them on.

Every request carries a bearer token. Every error is a problem document (RFC 9457); its `type` is the address
of a description. Of an address that is described here, any other method is answered with 405
(`method_not_allowed`), and the header `Allow` names those that there are."""
_PARAMETERS: Final = {
    "project_id": "The Mixpanel project's id, as configured in the relay.",
    "resync_id": "A resync's id, as the answer to asking for it and the list say it.",
    "erasure_id": "An erasure's id, as the answer to asking for it and the list say it.",
    "cohort_id": "A cohort's id.",
    "consumer": "A consumer group's name, as the list says it.",
    "destination": "A destination's name, as the list says it.",
    "distinct_id": "A person's id.",
    "letter_id": "A dead letter's id, as the list says it.",
    "entry_id": "An id in quarantine, as the list says it.",
    "subscription_id": "A subscription's id.",
}
_NAME: Final = str.maketrans("/-", "__", "<>")
_CONVERTER: Final = f"{TEXT}:"
_OF_SMOREST: Final = ("Error", "PaginationMetadata")  # schemas that it adds, which nothing here uses
_PROBLEM: Final = ProblemSchema()
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_CHALLENGE: Final = {"WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}}}


def register(app: Flask, sections: Iterable[Section], access: Access) -> dict[str, Any]:
    """Add the sections' routes; return the OpenAPI document of all of them."""
    app.config.update(API_TITLE="cohort-relay", API_VERSION="v1", OPENAPI_VERSION="3.0.3")
    add_converters(app)
    api = Api()
    api.DEFAULT_ERROR_RESPONSE_NAME = None  # each endpoint says which problems it has
    api.init_app(app, spec_kwargs={"info": {"description": _DESCRIPTION}})
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "crt_<id>_<secret>"}
    api.spec.components.security_scheme(_SECURITY, scheme)
    for section in sections:
        blueprint = Blueprint(section.name, __name__, url_prefix=PREFIX, description=section.description)
        for endpoint in section.endpoints:
            _add(blueprint, endpoint, access)
        api.register_blueprint(blueprint)
    document: dict[str, Any] = api.spec.to_dict()
    for name in _OF_SMOREST:
        document["components"]["schemas"].pop(name, None)
    return document


def _add(blueprint: Any, endpoint: Endpoint, access: Access) -> None:
    def view(**arguments: Any) -> Any:
        return endpoint.view(**arguments)

    told: Any = view
    for status, answer in endpoint.answers.items():
        told = blueprint.response(
            status,
            answer.schema,
            content_type=answer.media_type,
            description=answer.description,
            headers=dict(answer.headers),
        )(told)
        if answer.other is not None:
            told = blueprint.alt_response(
                status,
                schema=answer.other.schema,
                content_type=answer.other.media_type,
                description=answer.other.description,
            )(told)
    told = _reading(blueprint, endpoint, told)
    named = endpoint.rule.replace(_CONVERTER, "")
    name = f"{endpoint.method.lower()}_{named.strip('/').translate(_NAME)}"
    told = blueprint.doc(operationId=name, **_operation(endpoint))(told)
    guarded: Any = access.guard(
        told, endpoint.scope, unconfigured=endpoint.unconfigured, session=endpoint.session
    )
    guarded._apidoc = told._apidoc  # noqa: SLF001 - where flask-smorest looks for what its decorators noted
    _note_problems(guarded._apidoc["response"]["responses"], endpoint)  # noqa: SLF001 - as above
    guarded.scope = endpoint.scope
    blueprint.add_url_rule(
        endpoint.rule,
        name,
        guarded,
        parameters=[
            {"in": "path", "name": parameter, "description": told_of}
            for parameter, told_of in _PARAMETERS.items()
            if f"<{parameter}>" in named
        ],
        methods=[endpoint.method],
    )


def _note_problems(responses: dict[int, list[dict[str, Any]]], endpoint: Endpoint) -> None:
    """Note the problems that an endpoint can answer.

    `alt_response` would do so, too, with a wrapper around the view and a copy of all that was noted for each.
    """
    for status, kinds in _by_status(endpoint).items():
        note: dict[str, Any] = {
            "schema": _PROBLEM,
            "description": _told(kinds),
            "headers": _headers_of(status, kinds),
            "content_type": PROBLEM_JSON,
        }
        responses.setdefault(status, []).append(note)


def _reading(blueprint: Any, endpoint: Endpoint, view: Any) -> Any:
    """Let the query and the headers be read and checked."""
    if endpoint.headers is not None:
        wrong = INVALID_HEADER.status
        view = blueprint.arguments(
            endpoint.headers, location="headers", arg_name="headers", error_status_code=wrong
        )(view)
    if endpoint.query is NoQuery:
        view = _without_query(view)
    return blueprint.arguments(endpoint.query, location="query", arg_name="query", unknown=RAISE)(view)


def _without_query(view: Any) -> Any:
    @wraps(view)
    def inner(*, query: Any, **arguments: Any) -> Any:
        del query
        return view(**arguments)

    return inner


def _by_status(endpoint: Endpoint) -> dict[int, list[Kind]]:
    kinds = [*EVERYWHERE, *endpoint.problems, INVALID_QUERY]
    if "<project_id>" in endpoint.rule:
        kinds.append(UNKNOWN_PROJECT)
    if endpoint.headers is not None:
        kinds.append(INVALID_HEADER)
    by_status: dict[int, list[Kind]] = defaultdict(list)
    for kind in dict.fromkeys(kinds):
        by_status[kind.status].append(kind)
    return dict(sorted(by_status.items()))


def _told(kinds: list[Kind]) -> str:
    return " ".join(f"`{kind.code}`: {kind.title}" for kind in kinds)


def _headers_of(status: int, kinds: list[Kind]) -> dict[str, Any]:
    challenge = _CHALLENGE if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) else {}
    return {**challenge, **(_RETRY_AFTER if any(kind.retry_after_s for kind in kinds) else {})}


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    told: dict[str, Any] = {
        "summary": endpoint.summary,
        "description": f"{endpoint.description}\n\nNeeds the scope `{endpoint.scope}`.",
        "security": [{_SECURITY: []}],
        "x-scope": endpoint.scope,
    }
    if endpoint.body is not None:
        told["requestBody"] = {
            "required": endpoint.body.required,
            "description": endpoint.body.description,
            "content": dict(endpoint.body.content),
        }
    return told
