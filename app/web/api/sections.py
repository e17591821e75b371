"""What the API consists of: a section a subject, each a list of endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from marshmallow import Schema

from app.access.scopes import Scope
from app.web.api.access import View
from app.web.api.kinds import Kind
from app.web.api.schemas import NoQuery


@dataclass(frozen=True)
class Answer:
    """A success.

    Attributes:
        description: when it is given.
        schema: of its body, for the documentation; OpenAPI's where it is no JSON.
        headers: OpenAPI's description of its headers, by name.
        media_type: of its body.
        other: the same in another media type, if the caller asks for it.
    """

    description: str
    schema: type[Schema] | dict[str, Any]
    headers: Mapping[str, Any] = field(default_factory=dict)
    media_type: str = "application/json"
    other: "Answer | None" = None


@dataclass(frozen=True)
class Body:
    """What a request's body is, for the documentation.

    Attributes:
        description: for people.
        content: OpenAPI's media type objects, by media type.
        required: whether there has to be one.
    """

    description: str
    content: Mapping[str, Any]
    required: bool = True


@dataclass(frozen=True)
class Endpoint:
    """One method of one address.

    Attributes:
        rule: the address below `/api/v1`, with Flask's placeholders; `<project_id>` must be the token's.
        method: of HTTP.
        view: called as `view(project_id=..., query=..., headers=...)`, with what rule and schemas name.
        scope: what a token needs.
        summary: a few words.
        description: the rest, in Markdown.
        answers: successes by status.
        problems: kinds of problems besides those that any endpoint has.
        query: schema of the query; refuses what it does not name.
        headers: schema of the headers that it reads.
        body: what the request holds.
        unconfigured: whether it is also about projects that are not configured (any more).
        session: whether a browser that is logged in needs no token. For what only reads.
    """

    rule: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    view: View
    scope: Scope
    summary: str
    description: str
    answers: Mapping[int, Answer]
    problems: tuple[Kind, ...] = ()
    query: type[Schema] = NoQuery
    headers: type[Schema] | None = None
    body: Body | None = None
    unconfigured: bool = False
    session: bool = False


@dataclass(frozen=True)
class Section:
    """Endpoints about one subject."""

    name: str
    description: str
    endpoints: tuple[Endpoint, ...]
