"""Sort a call's arguments into the parts of its request, checked against the endpoint's row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from app.mixpanel.calling import values
from app.mixpanel.calling.failures import InvalidArguments
from app.mixpanel.calling.values import InvalidValue
from app.mixpanel.catalog.row import CredentialKind, Endpoint, Filled, Parameter
from config.projects import Project

_FLAG: Final = ("0", "1", 0, 1)
_INGESTION_OPTIONS: Final = tuple(
    Parameter(name, "query", "any", enum=enum, description=text)
    for name, enum, text in (
        ("ip", _FLAG, "1: the address of whoever sends counts as the person's."),
        ("strict", _FLAG, "1: records are checked, and those refused are named."),
        ("verbose", _FLAG, "1: the answer is an object instead of a digit."),
        ("img", _FLAG, "1: the answer is a picture of one pixel."),
        ("redirect", (), "Address that the answer points to."),
        ("callback", (), "Name of the JavaScript function that the answer calls."),
    )
)
_OPTIONS: Final[Mapping[str, tuple[Parameter, ...]]] = {
    "ingestion": _INGESTION_OPTIONS,
    "query": (Parameter("workspace_id", "query", "integer", description="The workspace."),),
    "legacy": (Parameter("callback", "query", description="Name of a JavaScript function."),),
}


@dataclass(slots=True)
class Parts:
    """The parts of a request, as text except for the fields of a JSON body."""

    path: str = ""
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    form: list[tuple[str, str]] = field(default_factory=list)
    json: dict[str, Any] = field(default_factory=dict)


def parameters(endpoint: Endpoint) -> tuple[Parameter, ...]:
    """Give what an endpoint takes: its row's parameters, and the options of its family."""
    named = {one.name for one in endpoint.parameters}
    more = _OPTIONS.get(endpoint.host, ())
    if endpoint.host == "ingestion" and not endpoint.path.startswith(("/track", "/engage", "/groups")):
        more = ()
    return (*endpoint.parameters, *(one for one in more if one.name not in named))


def sort(
    endpoint: Endpoint, project: Project, kind: CredentialKind, arguments: Mapping[str, Any], where: str
) -> Parts:
    """Read all arguments.

    What the configuration knows (project, token) is put in, and another value for it is refused: who may
    call for one project must not reach another.

    Args:
        endpoint: The row.
        project: Whose.
        kind: The credential that the call is made with.
        arguments: By name; None counts as not given.
        where: The endpoint, for the error.

    Raises:
        InvalidArguments: With all problems at once.
    """
    known = parameters(endpoint)
    names = {one.name for one in known if one.filled not in ("api_key", "expire", "sig")}
    problems = [(name, "is not known") for name in arguments if name not in names]
    parts, path = Parts(), {}
    for parameter in known:
        try:
            value = _value(parameter, arguments.get(parameter.name), project, kind)
        except InvalidValue as error:
            problems.append((parameter.name, f"{error.path} {error.what}".strip()))
            continue
        if value is None:
            if parameter.required and not parameter.filled and not _in_body(endpoint, parameter):
                problems.append((parameter.name, "is missing"))
        elif parameter.where == "path":
            path[parameter.name] = value
        else:
            _put(parts, parameter, value)
    problems += _order(arguments)
    if problems:
        raise InvalidArguments(where, tuple(problems))
    parts.path = _filled_path(endpoint.path, path)
    return parts


def fill(name: Filled, project: Project) -> str | None:
    """Give a fact of the project's that requests carry."""
    if name == "project_id":
        return project.id
    return project.token.reveal() if name == "token" else None


def filled(found: dict[str, Any], fields: Sequence[Parameter], project: Project) -> dict[str, Any]:
    """Put into an object what the configuration knows of it; another value for that is another project's.

    Raises:
        InvalidValue: It has another value.
    """
    for one in fields:
        own = fill(one.filled, project) if one.filled else None
        if own is not None:
            if found.get(one.name) not in (None, "", own):
                raise InvalidValue("is the project's own: leave it out", one.name)
            found[one.name] = own
        inner = found.get(one.name)
        if one.fields and isinstance(inner, dict):
            try:
                found[one.name] = filled(inner, one.fields, project)
            except InvalidValue as error:
                raise InvalidValue(error.what, f"{one.name}.{error.path}") from None
    return found


def _value(parameter: Parameter, given: Any, project: Project, kind: CredentialKind) -> Any:
    if parameter.filled is not None:
        own = fill(parameter.filled, project)
        if given is not None and own is not None and str(given) != own:
            raise InvalidValue("is the project's own: leave it out")
        unwanted = parameter.filled == "project_id" and kind == "project_secret" and parameter.where != "path"
        return None if unwanted else own
    if given is None and (parameter.required or parameter.where in ("query", "header")):
        given = (
            parameter.default
        )  # within a body a default is left to Mixpanel: an edit changes what it names
    if given is None:
        return None
    if parameter.encoded and parameter.fields:
        whole = values.decoded(parameter, given)
        return values.written(filled(whole, parameter.fields, project) if isinstance(whole, dict) else whole)
    value = values.read(parameter, given)
    if parameter.where == "path" and values.written(value) in ("", ".", ".."):
        raise InvalidValue("must not be empty, '.' or '..'")
    if parameter.where == "header" and not values.written(value).isprintable():
        raise InvalidValue("must be one line")
    return value


def _in_body(endpoint: Endpoint, parameter: Parameter) -> bool:
    """Whether the body decides if the parameter is there: it may have come as a whole."""
    return parameter.where in ("json", "form") and endpoint.body.kind != "none"


def _put(parts: Parts, parameter: Parameter, value: Any) -> None:
    if parameter.where == "query":
        parts.query += values.pairs(parameter, value)
    elif parameter.where == "form":
        parts.form += values.pairs(parameter, value)
    elif parameter.where == "header":
        parts.headers[parameter.name] = values.written(value)
    else:
        parts.json[parameter.name] = value


def _filled_path(template: str, found: Mapping[str, Any]) -> str:
    path = template.partition("#")[0]
    for name, value in found.items():
        path = path.replace(f"{{{name}}}", quote(values.written(value), safe=""))
    return path


def _order(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    first, last = arguments.get("from_date"), arguments.get("to_date")
    if isinstance(first, str) and isinstance(last, str) and first > last:
        yield "to_date", "is before from_date"
