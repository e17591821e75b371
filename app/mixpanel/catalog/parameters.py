"""Short names to write rows with: a parameter for each part of a request, and those that many rows share."""

from typing import Any, Final, TypedDict, Unpack

from app.mixpanel.catalog.row import Filled, Format, Parameter, Type

DAY: Final[Format] = "date"


class Facts(TypedDict, total=False):
    """What a row says of a parameter beyond its name, type and description; see `row.Parameter`."""

    required: bool
    default: Any
    sent: bool
    enum: tuple[Any, ...]
    items: Type | None
    format: Format | None
    minimum: int | None
    maximum: int | None
    min_length: int | None
    max_length: int | None
    min_items: int | None
    max_items: int | None
    nullable: bool
    repeated: bool
    encoded: bool
    fields: tuple[Parameter, ...]
    filled: Filled | None


def path(name: str, type_: Type, description: str, **facts: Unpack[Facts]) -> Parameter:
    """Describe a part of the path; it is always required."""
    facts["required"] = True
    return Parameter(name, "path", type_, description=description, **facts)


def query(name: str, type_: Type, description: str, **facts: Unpack[Facts]) -> Parameter:
    """Describe a parameter of the query string."""
    return Parameter(name, "query", type_, description=description, **facts)


def header(name: str, description: str, **facts: Unpack[Facts]) -> Parameter:
    """Describe a header."""
    return Parameter(name, "header", "string", description=description, **facts)


def form(name: str, type_: Type, description: str, **facts: Unpack[Facts]) -> Parameter:
    """Describe a field of a form."""
    return Parameter(name, "form", type_, description=description, **facts)


def field(name: str, type_: Type, description: str, **facts: Unpack[Facts]) -> Parameter:
    """Describe a field of a JSON body, or of an object within it."""
    return Parameter(name, "json", type_, description=description, **facts)


def docs(page: str) -> str:
    """Give the address of a page of Mixpanel's reference; they are named for the operation."""
    return f"https://docs.mixpanel.com/reference/{page}"


PROJECT_ID: Final = query("project_id", "integer", "The project.", required=True, filled="project_id")
WORKSPACE_ID: Final = query("workspace_id", "integer", "The workspace, where the project has several.")
FROM_DATE: Final = query("from_date", "string", "First day, inclusive.", required=True, format=DAY)
TO_DATE: Final = query("to_date", "string", "Last day, inclusive.", required=True, format=DAY)
PROJECT_PATH: Final = path("projectId", "integer", "The project.", filled="project_id")
