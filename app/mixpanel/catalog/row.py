"""What the catalog says of an endpoint of Mixpanel's API: facts only, no HTTP, nothing that runs.

The facts are those of Mixpanel's published OpenAPI descriptions, in their own spelling; a test compares the
two. Where those descriptions are vague, a row adds what the prose beside them says (`encoded`, `format`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

Host = Literal["ingestion", "query", "export", "pipelines", "app", "legacy"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Where = Literal["path", "query", "header", "form", "json"]
Type = Literal["string", "integer", "number", "boolean", "array", "object", "any"]
Format = Literal["date", "date-time", "uuid", "uuid4", "blob"]
Filled = Literal["project_id", "token", "api_key", "expire", "sig"]
CredentialKind = Literal["service_account", "project_token", "project_secret", "oauth", "signature", "none"]
Budget = Literal["ingestion", "query", "export", "lexicon", "gdpr"]
Role = Literal["consumer", "analyst", "admin", "owner"]
BodyKind = Literal["none", "json", "form", "csv", "ndjson", "multipart"]
Shape = Literal["fields", "records", "text"]
AnswerKind = Literal["json", "ndjson", "csv", "text", "none"]

ROLES: Final[tuple[Role, ...]] = ("consumer", "analyst", "admin", "owner")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named value that an endpoint takes.

    Attributes:
        name: As Mixpanel spells it.
        where: In which part of the request it goes; `form` and `json` are fields of the body.
        type: JSON type of the value; `any` where several are allowed.
        required: Whether Mixpanel refuses the request without it.
        default: What holds where the caller names none; None: nothing. The client sends it if the parameter
            is `required` or `sent`; otherwise it is what Mixpanel itself assumes.
        sent: The client sends the default although Mixpanel does not ask for it.
        enum: The values allowed; empty: all of the type.
        items: Type of an array's elements.
        format: What a string has to look like; dates are `yyyy-mm-dd`.
        minimum: Least value of a number.
        maximum: Greatest value of a number.
        min_length: Least characters of a string.
        max_length: Most characters of a string.
        min_items: Least elements of an array.
        max_items: Most elements of an array.
        nullable: Whether null is a value.
        repeated: Several values may be given; each goes as a `name=value` of its own.
        encoded: The value goes as JSON text within a string (`event=["a","b"]`), whatever `type` says; `type`
            is the published one.
        fields: What an object, or each element of an array of objects, consists of; empty: not documented.
        filled: Which of the project's own facts the client puts in; a caller has no need to name it.
        description: One or two sentences for people.
    """

    name: str
    where: Where
    type: Type = "string"
    required: bool = False
    default: Any = None
    sent: bool = False
    enum: tuple[Any, ...] = ()
    items: Type | None = None
    format: Format | None = None
    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    nullable: bool = False
    repeated: bool = False
    encoded: bool = False
    fields: "tuple[Parameter, ...]" = ()
    filled: Filled | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """How a request's body is written. Its fields are the endpoint's parameters in `form` or `json`.

    Attributes:
        kind: What it is written as; `none`: there is no body.
        required: Whether the request is refused without one.
        shape: `fields`: one object (or form) of the fields; `records`: an array of objects, each of the
            fields; `text`: as the caller gives it.
        max_records: Most records a request.
        gzip: Whether it may be sent with `Content-Encoding: gzip`.
        also: Further kinds that the endpoint takes instead.
    """

    kind: BodyKind
    required: bool = True
    shape: Shape = "fields"
    max_records: int | None = None
    gzip: bool = False
    also: tuple[BodyKind, ...] = ()


NO_BODY: Final = Body("none", required=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Describe one endpoint.

    Attributes:
        family: As people, the command line and the gateway's URLs call the group, such as `query`.
        name: As they call the endpoint, such as `funnels-list`.
        method: HTTP method.
        path: Below the host of its family (`config.projects.Hosts`), with `{name}` for path parameters.
        host: Which of the project's hosts serves it.
        summary: One line.
        credentials: Kinds that it takes, the best first.
        budget: Whose limits it counts against; None: no limit is documented.
        role: Least project role of a service account where it is documented.
        parameters: What it takes.
        body: How the body is written.
        answer: What comes back; `csv` instead where a parameter `format` is given as `csv`, JSON instead of
            `text` where `verbose` or `strict` is 1; `none`: nothing is documented.
        reads: Changes nothing at Mixpanel, whatever the method.
        idempotent: Sent twice it does what it does sent once, so that it may be retried.
        docs: Mixpanel's page of it.
        cache_s: How long an answer may be reused; None: never.
        retired: What takes its place and since when, or None.
        operation: `operationId` of the published OpenAPI description; None: there is none of it.
    """

    family: str
    name: str
    method: Method
    path: str
    host: Host
    summary: str
    credentials: tuple[CredentialKind, ...]
    docs: str
    operation: str | None = None
    budget: Budget | None = None
    role: Role | None = None
    parameters: tuple[Parameter, ...] = ()
    body: Body = NO_BODY
    answer: AnswerKind = "json"
    reads: bool = False
    idempotent: bool = False
    cache_s: int | None = None
    retired: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Family and name: what the catalog finds it by."""
        return self.family, self.name

    def of(self, *where: Where) -> Iterator[Parameter]:
        """Give the parameters of some parts of the request, in the row's order."""
        return (one for one in self.parameters if one.where in where)

    def parameter(self, name: str) -> Parameter | None:
        """Find a parameter by its name; where two parts of the request share it, the first."""
        return next((one for one in self.parameters if one.name == name), None)
