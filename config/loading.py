"""From a projects file, or from the environment alone, to projects; every problem with its place."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from marshmallow import ValidationError
from marshmallow.exceptions import SCHEMA

from config.checking import HERE
from config.document import Document, DocumentError, Path, read_document
from config.projects import Project
from config.references import Reference, reference, resolve_references
from config.schemas import ProjectSchema, ProjectsFileSchema

# Where a value of the one project without a file comes from.
_VARIABLES: Final[Mapping[Path, str]] = {
    ("id",): "MIXPANEL_PROJECT_ID",
    ("token",): "MIXPANEL_PROJECT_TOKEN",
    ("region",): "MIXPANEL_REGION",
    ("service_account", "username"): "MIXPANEL_SERVICE_ACCOUNT_USERNAME",
    ("service_account", "secret"): "MIXPANEL_SERVICE_ACCOUNT_SECRET",
    ("oauth_token",): "MIXPANEL_OAUTH_TOKEN",
    ("project_secret",): "MIXPANEL_PROJECT_SECRET",
    ("api_key",): "MIXPANEL_API_KEY",
    ("id_management",): "MIXPANEL_ID_MANAGEMENT",
    ("integration_id",): "MIXPANEL_INTEGRATION_ID",
    ("webhook_credentials", 0, "username"): "WEBHOOK_USERNAME",
    ("webhook_credentials", 0, "password"): "WEBHOOK_PASSWORD",
}
_REQUIRED: Final[frozenset[Path]] = frozenset({("id",), ("token",)})
PROJECT_VARIABLES: Final = tuple(_VARIABLES.values())


class ProjectsError(Exception):
    """The projects cannot be used; `problems` lists why, each with its place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def projects_from_file(file: FilePath, environ: Mapping[str, str]) -> tuple[Project, ...]:
    """Read and check a projects file.

    Raises:
        ProjectsError: with every problem at once.
    """
    try:
        document = read_document(file.read_text(encoding="utf-8-sig"))
    except DocumentError as error:
        raise ProjectsError((f"{file}: {error}",)) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ProjectsError((f"{file}: cannot be read: {reason}",)) from None
    data = resolve_references({} if document.data is None else document.data, environ)
    found = [(path, "is written twice") for path in document.duplicates]
    projects: tuple[Project, ...] = ()
    try:
        projects = tuple(ProjectsFileSchema().load(data)["projects"])
    except ValidationError as error:
        found.extend(_flattened((), error.messages))
    found.extend(_repeated_ids(data))
    if found:
        found.sort(key=lambda problem: document.line(problem[0]) or 0)
        raise ProjectsError(tuple(_located(path, message, document, file) for path, message in found))
    return projects


def project_from_environment(environ: Mapping[str, str]) -> Project:
    """Describe the one project of the environment, with the default rule.

    Raises:
        ProjectsError: with every problem at once, each under its variable's name.
    """
    values = {path: reference(variable, environ) for path, variable in _VARIABLES.items()}
    data: dict[str, Any] = {
        str(path[0]): value
        for path, value in values.items()
        if len(path) == 1 and (value.value or path in _REQUIRED)
    }
    account = {str(path[1]): value for path, value in values.items() if path[0] == "service_account"}
    if any(value.value for value in account.values()):
        data["service_account"] = account
    data["webhook_credentials"] = [
        {str(path[2]): value for path, value in values.items() if path[0] == "webhook_credentials"}
    ]
    try:
        project: Project = ProjectSchema().load(data)
    except ValidationError as error:
        problems = _flattened((), error.messages)
        raise ProjectsError(tuple(_named(path, message) for path, message in problems)) from None
    return project


def _named(path: Path, message: str) -> str:
    variable = _VARIABLES[path]
    return f"{variable}: " + ("is not set" if message.endswith(f"{variable} is not set") else message)


def _repeated_ids(data: Any) -> Iterator[tuple[Path, str]]:
    projects = data.get("projects") if isinstance(data, dict) else None
    if not isinstance(projects, list):
        return
    ids = [str(_plain(project.get("id"))) if isinstance(project, dict) else None for project in projects]
    counts = Counter(ids)
    for index, project_id in enumerate(ids):
        first = ids.index(project_id)
        if project_id is not None and counts[project_id] > 1 and index > first:
            yield ("projects", index, "id"), f"is the id of projects[{first}] already"


def _plain(value: Any) -> Any:
    return value.value.reveal() if isinstance(value, Reference) and value.value else value


def _flattened(path: Path, messages: Any) -> Iterator[tuple[Path, str]]:
    """Turn marshmallow's tree of messages into paths with a message each."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            about_itself = key is HERE or (key == SCHEMA and isinstance(inner, list))
            yield from _flattened(path if about_itself else (*path, key), inner)
    else:
        yield from ((path, str(message)) for message in messages)


def _located(path: Path, message: str, document: Document, file: FilePath) -> str:
    line = document.line(path)
    place = f"{file}, line {line}" if line else f"{file}"
    return f"{written(path) or 'the file'}: {message} ({place})"


def written(path: Path) -> str:
    """Write a path as people know it: `projects[0].rules[1].exit.$remove.Cohorts`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
