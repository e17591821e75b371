"""Write the body of a request."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from urllib3.filepost import encode_multipart_formdata

from app.mixpanel.calling import values
from app.mixpanel.calling.arguments import Parts, filled
from app.mixpanel.calling.values import InvalidValue
from app.mixpanel.catalog.row import Endpoint, Parameter
from config.projects import Project

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
_TYPES: Final = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
_GZIP_FROM_BYTES: Final = 1024
_GZIP_LEVEL: Final = 3
_MOST_PROBLEMS: Final = 20


@dataclass(frozen=True, slots=True)
class Written:
    """A body as it is sent.

    Attributes:
        body: Bytes, or None.
        content_type: Of the body.
        encoding: `gzip`, or None.
        records: How many records it holds, or None.
        size_bytes: Before it was compressed.
    """

    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON
    encoding: str | None = None
    records: int | None = None
    size_bytes: int = 0


class InvalidBody(ValueError):  # noqa: N818 - a sentence about the body
    """Say what is wrong with a body: names and sentences."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("the body is wrong")
        self.problems = tuple(problems)


def write(endpoint: Endpoint, project: Project, parts: Parts, given: Any) -> Written:
    """Write the body that an endpoint takes.

    Args:
        endpoint: The row.
        project: Whose token is put into records that carry one.
        parts: The arguments; those of the body are used where no body is given.
        given: The body as the caller has it: an object or a list, or text (bytes or str) for what is text.

    Raises:
        InvalidBody: It is not what the endpoint takes.
    """
    kind, shape = endpoint.body.kind, endpoint.body.shape
    if kind == "none":
        if given is not None:
            raise InvalidBody([("", "the endpoint takes no body")])
        return Written()
    if shape == "text":
        return _text(endpoint, given)
    if kind in ("form", "multipart"):
        return _form(endpoint, parts, given)
    own = [one for one in endpoint.parameters if one.where == "json"]
    value = parts.json if given is None else _loaded(given)
    if shape == "records":
        return _records(endpoint, own, project, value)
    return _object(endpoint, own, project, value, given=given is not None)


def multipart(fields: Mapping[str, Any]) -> Written:
    """Write a form with files: values are text, or (file name, bytes[, type])."""
    body, content_type = encode_multipart_formdata(dict(fields))
    return Written(body, content_type, size_bytes=len(body))


def _text(endpoint: Endpoint, given: Any) -> Written:
    if isinstance(given, str):
        given = given.encode()
    if not isinstance(given, bytes):
        if given is None and not endpoint.body.required:
            return Written()
        raise InvalidBody([("", f"a body is needed: text of the kind {endpoint.body.kind}")])
    return _compressed(endpoint, given, _TYPES.get(endpoint.body.kind, "text/plain"), None)


def _form(endpoint: Endpoint, parts: Parts, given: Any) -> Written:
    if given is not None:
        raise InvalidBody([("", "give the form's fields as arguments")])
    names = {name for name, _ in parts.form}
    missing = [
        (one.name, "is missing")
        for one in endpoint.of("form")
        if one.required and not one.filled and one.name not in names
    ]
    if missing:
        raise InvalidBody(missing)
    if not parts.form and not endpoint.body.required:
        return Written()
    if endpoint.body.kind == "multipart":
        return multipart(dict(parts.form))
    body = urlencode(parts.form).encode()
    return Written(body, FORM, size_bytes=len(body))


def _object(
    endpoint: Endpoint, fields: Sequence[Parameter], project: Project, value: Any, *, given: bool
) -> Written:
    if not isinstance(value, Mapping):
        raise InvalidBody([("", "must be an object (names and values)")])
    if not value and not given and not endpoint.body.required:
        return Written()
    try:
        found = filled(values.read_object(tuple(fields), value), fields, project)
    except InvalidValue as error:
        raise InvalidBody([(error.path, error.what)]) from None
    return _compressed(endpoint, orjson.dumps(found), JSON, None)


def _records(endpoint: Endpoint, fields: Sequence[Parameter], project: Project, value: Any) -> Written:
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list) or not value:
        raise InvalidBody([("", "must be a list of records")])
    most = endpoint.body.max_records
    if most is not None and len(value) > most:
        raise InvalidBody([("", f"must have at most {most} records a request")])
    problems: list[tuple[str, str]] = []
    records = list(_read_records(tuple(fields), project, value, problems))
    if problems:
        raise InvalidBody(problems[:_MOST_PROBLEMS])
    return _compressed(endpoint, orjson.dumps(records), JSON, len(records))


def _read_records(
    fields: tuple[Parameter, ...], project: Project, records: list[Any], problems: list[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    for number, record in enumerate(records):
        if not isinstance(record, Mapping):
            problems.append((f"[{number}]", "must be an object (names and values)"))
            continue
        try:
            yield filled(values.read_object(fields, record), fields, project)
        except InvalidValue as error:
            problems.append((f"[{number}].{error.path}", error.what))


def _loaded(given: Any) -> Any:
    """Read a body that came as text: JSON, or a JSON value a line."""
    if not isinstance(given, str | bytes):
        return given
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError:
        text = given.encode() if isinstance(given, str) else given
    try:
        return [orjson.loads(line) for line in text.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        raise InvalidBody([("", "must be JSON, or a JSON object a line")]) from None


def _compressed(endpoint: Endpoint, body: bytes, content_type: str, records: int | None) -> Written:
    if endpoint.body.gzip and len(body) >= _GZIP_FROM_BYTES:
        packed = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        return Written(packed, content_type, "gzip", records, len(body))
    return Written(body, content_type, None, records, len(body))
