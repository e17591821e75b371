"""From a row of the catalog and the caller's arguments to one request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any, Final
from urllib.parse import urlsplit

from app.mixpanel.calling import arguments, bodies, credentials, signing
from app.mixpanel.calling.arguments import Parts
from app.mixpanel.calling.credentials import Chosen
from app.mixpanel.calling.failures import InvalidArguments
from app.mixpanel.calling.options import Options
from app.mixpanel.catalog.row import AnswerKind, Endpoint, Host, Parameter
from app.mixpanel.transport import Call
from config.projects import HOSTS, Project

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
# Asked for, these make the answer a picture, a script or a redirect.
_OTHER_ANSWERS: Final = ("img", "redirect", "callback")
_MOVED: Final = frozenset({302})


@dataclass(frozen=True, slots=True)
class Built:
    """A request that is ready to be sent.

    Attributes:
        where: The endpoint, as `family name`.
        call: The request.
        answer: The kind of answer that these arguments ask for.
        size_bytes: Of its body, before it was compressed.
        warning: What the caller has to be told; empty: nothing.
        follow_up: Whether it asks for a further page of a query that was counted.
        ingests: Whether it hands records over, so that `0` and `failed_records` are failures.
    """

    where: str
    call: Call = field(repr=False)
    answer: AnswerKind
    size_bytes: int = 0
    warning: str = ""
    follow_up: bool = False
    ingests: bool = False


def build(
    endpoint: Endpoint,
    project: Project,
    given: Mapping[str, Any],
    options: Options,
    *,
    body: Any = None,
    now_s: Callable[[], float] = time,
) -> Built:
    """Make the request of a call.

    Args:
        endpoint: The row.
        project: Whose.
        given: Arguments by the names of the row's parameters.
        options: How to make it.
        body: The body, where it does not come as arguments.
        now_s: For signatures.

    Raises:
        InvalidArguments: They are not what the endpoint takes.
        CallFailed: The project has no credential that the endpoint takes.
    """
    where = f"{endpoint.family} {endpoint.name}"
    token_in_request = any(_fills_token(one) for one in endpoint.parameters)
    chosen = credentials.choose(
        project, endpoint.credentials, where, wanted=options.credential, token_in_request=token_in_request
    )
    parts = arguments.sort(endpoint, project, chosen.kind, given, where)
    try:
        written = bodies.write(endpoint, project, parts, body)
    except bodies.InvalidBody as error:
        raise InvalidArguments(where, error.problems) from None
    plain = not any(given.get(name) for name in _OTHER_ANSWERS)
    call = Call(
        endpoint.method,
        base(project, endpoint.host, options) + parts.path,
        params=_query(parts, chosen, now_s),
        body=written.body,
        content_type=written.content_type,
        content_encoding=written.encoding,
        integration_id=project.integration_id,
        auth=chosen.auth,
        bearer=chosen.bearer,
        readable=frozenset() if plain else _MOVED,
        max_answer_bytes=MAX_ANSWER_BYTES,
        project_id=project.id,
        records=written.records,
        headers={**_headers(parts), **options.headers},
        timeout_s=options.timeout_s,
        route=urlsplit(base(project, endpoint.host, options)).path + endpoint.path.partition("#")[0],
    )
    kind = _answer_kind(endpoint, given, plain=plain)
    return Built(
        where,
        call,
        kind,
        written.size_bytes,
        chosen.warning,
        follow_up=_is_follow_up(given),
        ingests=endpoint.host == "ingestion" and endpoint.method == "POST",
    )


def base(project: Project, host: Host, options: Options) -> str:
    """Give the base URL that a call goes to."""
    if options.host:
        return options.host.rstrip("/")
    hosts = HOSTS[options.region] if options.region and options.region != project.region else project.hosts
    found: str = getattr(hosts, host)
    return found


def _query(parts: Parts, chosen: Chosen, now_s: Callable[[], float]) -> list[tuple[str, str]]:
    if chosen.key is None:
        return parts.query
    named = {name for name, _ in parts.query}
    query = parts.query if "format" in named else [*parts.query, ("format", "json")]
    return signing.signed(query, *chosen.key, int(now_s()))


def _headers(parts: Parts) -> dict[str, str]:
    """Leave out what the body and the transport decide."""
    decided = {"content-type", "content-encoding", "accept-encoding"}
    return {name: value for name, value in parts.headers.items() if name.lower() not in decided}


def _answer_kind(endpoint: Endpoint, given: Mapping[str, Any], *, plain: bool) -> AnswerKind:
    if not plain:
        return "text"
    return "csv" if given.get("format") == "csv" else endpoint.answer


def _is_follow_up(given: Mapping[str, Any]) -> bool:
    return bool(given.get("session_id")) and str(given.get("page") or "0") != "0"


def _fills_token(parameter: Parameter) -> bool:
    return parameter.filled == "token" or any(_fills_token(one) for one in parameter.fields)
