"""Any method and path of a family, with the family's host, credential and budget."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any, Final
from urllib.parse import unquote, urlencode

import orjson

from app.mixpanel.calling import credentials, signing
from app.mixpanel.calling.bodies import FORM, JSON, Written, multipart
from app.mixpanel.calling.building import MAX_ANSWER_BYTES, Built, base
from app.mixpanel.calling.credentials import Chosen
from app.mixpanel.calling.failures import InvalidArguments
from app.mixpanel.calling.options import Options
from app.mixpanel.catalog.row import CredentialKind, Endpoint
from app.mixpanel.transport import Call
from config.projects import Project

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_PATH: Final = re.compile(r"(/[^/?#\\\s]+)+/?")
_PROJECT: Final = re.compile(r"/projects/([^/]+)")
_NAMED_IN_PATH: Final = "app"  # this host's addresses name the project themselves


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as the caller wants it; one kind of body at most.

    Attributes:
        method: One of `METHODS`.
        path: Below the family's base URL, from its slash on, without a query.
        query: Parameters; a list gives a name several times.
        json: A body of JSON.
        form: A body of form fields.
        files: A body of form fields with files: text, or (file name, bytes[, type]).
        body: A body of bytes, with its `content_type`.
        content_type: Of `body`.
        idempotent: Whether sending it twice does what sending it once does; None: as its method says.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    files: Mapping[str, Any] | None = None
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/octet-stream"
    idempotent: bool | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it may be tried again after it may have been applied."""
        return self.method.upper() in _IDEMPOTENT if self.idempotent is None else self.idempotent


def build_raw(rows: Sequence[Endpoint], project: Project, request: RawRequest, options: Options) -> Built:
    """Make a raw request.

    Args:
        rows: The family's; they say which host, credentials and budget it has.
        project: Whose.
        request: What to send.
        options: How.

    Raises:
        InvalidArguments: It cannot be sent like this, or names another project.
        CallFailed: The project has no credential that the family takes.
    """
    first, where = rows[0], f"{rows[0].family} raw"
    if problems := tuple(_problems(request, project)):
        raise InvalidArguments(where, problems)
    accepted: list[CredentialKind] = list(dict.fromkeys(kind for row in rows for kind in row.credentials))
    chosen = credentials.choose(project, accepted, where, wanted=options.credential)
    written = _written(request)
    call = Call(
        request.method.upper(),
        base(project, first.host, options) + request.path,
        params=_params(request, project, chosen, first),
        body=written.body,
        content_type=written.content_type,
        integration_id=project.integration_id,
        auth=chosen.auth,
        bearer=chosen.bearer,
        max_answer_bytes=MAX_ANSWER_BYTES,
        project_id=project.id,
        records=1 if first.budget == "ingestion" and written.body is not None else None,
        headers=options.headers,
        timeout_s=options.timeout_s,
        route=f"{first.family} raw",
    )
    ingests = first.host == "ingestion" and call.method == "POST"
    return Built(where, call, "text", written.size_bytes, chosen.warning, ingests=ingests)


def _problems(request: RawRequest, project: Project) -> list[tuple[str, str]]:
    problems = []
    if request.method.upper() not in METHODS:
        problems.append(("method", "must be one of: " + ", ".join(METHODS)))
    plain = unquote(request.path)
    if not _PATH.fullmatch(request.path) or any(step in (".", "..") for step in plain.split("/")):
        problems.append(("path", "must be an absolute path without query, empty steps, '.' and '..'"))
    elif any(found != project.id for found in _PROJECT.findall(plain)):
        problems.append(("path", "names another project"))
    if str(request.query.get("project_id", project.id)) != project.id:
        problems.append(("query", "project_id is another project's: leave it out"))
    bodies = [request.json, request.form, request.files, request.body]
    if sum(body is not None for body in bodies) > 1:
        problems.append(("", "give one of json, form, files and body"))
    return problems


def _written(request: RawRequest) -> Written:
    if request.json is not None:
        body, content_type = orjson.dumps(request.json), JSON
    elif request.form is not None:
        body, content_type = urlencode(request.form, doseq=True).encode(), FORM
    elif request.files is not None:
        return multipart(request.files)
    elif request.body is not None:
        body, content_type = request.body, request.content_type
    else:
        return Written()
    return Written(body, content_type, size_bytes=len(body))


def _params(request: RawRequest, project: Project, chosen: Chosen, row: Endpoint) -> list[tuple[str, str]]:
    params = [
        (name, str(one))
        for name, value in request.query.items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    if chosen.key is not None:
        return signing.signed(params, *chosen.key, int(time()))
    named = {name for name, _ in params}
    wanted = chosen.kind == "service_account" and row.host != _NAMED_IN_PATH
    if wanted and "project_id" not in named:
        params.append(("project_id", project.id))
    return params
